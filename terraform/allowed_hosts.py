"""Which hosts a forward proxy allows: reads the user data of a server that runs Squid."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from terraform.encoded_texts import decoded

_HOST = re.compile(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_PRINTABLE = re.compile(r"[\n -~]*")
_CONFIGURATION = "squid.conf"
_GZIP = "H4sI"  # how Base64 of gzip begins

# Directives of Squid that allow nobody anything. http://www.squid-cache.org/Doc/config/, collected on 2026-11-28
_HARMLESS = {
    *("access_log", "cache", "cache_mem", "httpd_suppress_version_string", "logformat", "pinger_enable"),
    *("shutdown_lifetime", "visible_hostname"),
}
# Directives that decide where a request goes, who it seems to come from, and whether its tunnel is opened.
_DECIDING = {
    *("cache_peer_access", "follow_x_forwarded_for", "http_port", "never_direct", "request_header_access", "ssl_bump"),
}
# The lists of hosts that a client asks for and of names in TLS, with the option that makes them mean just that.
_LISTS = {"dstdomain": "-n", "ssl::server_name": "--client-requested"}


class NotReadError(ValueError):
    """User data from which it cannot be told which hosts a proxy allows; the text is the reason."""


@dataclass(frozen=True, kw_only=True)
class AllowedHosts:
    """`hosts` are those that Squid allows; one that starts with a dot is a domain and everything below it.

    `rest` is everything else that decides what Squid allows.
    """

    hosts: frozenset[str]
    rest: str


def allowed_hosts(user_data: str) -> AllowedHosts | None:
    """What the user data of a server lets Squid allow; None where it does not mention Squid. Raises NotReadError."""
    text = decoded(user_data)
    if text is None and user_data.lstrip().startswith(_GZIP):
        raise NotReadError("its user data is compressed, and cannot be unpacked")
    text = text or user_data
    if "squid" not in text.lower():
        return None
    try:
        config = YAML(typ="safe").load(text) if text.startswith("#cloud-config\n") else None
    except (YAMLError, ValueError, RecursionError):
        config = None
    files = config.get("write_files") if isinstance(config, dict) else None
    listed = [file for file in files if isinstance(file, dict)] if isinstance(files, list) else []
    configurations = [file for file in listed if str(file.get("path")).rpartition("/")[2] == _CONFIGURATION]
    if len(configurations) != 1 or "encoding" in configurations[0]:
        raise NotReadError(f"its user data does not write one {_CONFIGURATION}")
    content = configurations[0].pop("content", None)
    if not isinstance(content, str) or not _PRINTABLE.fullmatch(content):
        raise NotReadError(f"{_CONFIGURATION} is not plain text")
    hosts, access = _allowed([line.split() for line in _directives(content)])
    try:
        return AllowedHosts(hosts=hosts, rest=json.dumps([access, config], default=str))
    except (ValueError, RecursionError):
        raise NotReadError("its user data contains itself") from None


def _directives(content: str) -> Iterator[str]:
    for line in content.split("\n"):
        if line.endswith("\\"):
            raise NotReadError(f"{_CONFIGURATION} continues a line in the next")
        if line.strip() and not line.lstrip().startswith("#"):
            yield line


def _allowed(directives: list[list[str]]) -> tuple[frozenset[str], list[Sequence[str]]]:
    """The hosts, and the other words that decide about access."""
    asked, in_tls = (_hosts(directives, kind) for kind in _LISTS)
    access: list[Sequence[str]] = []
    rules, opened = [], []
    for words in directives:
        match words:
            case ["http_access", action, _, *_]:
                rules.append((action, [name.lower() for name in words[2:]]))
            case ["ssl_bump", "splice", *names]:
                opened.append([name.lower() for name in names])
            case _:
                access += [words] if _decides(words) else []
    # Where no rule matches, Squid does the opposite of the last.
    if (
        not rules
        or rules[-1] != ("deny", ["all"])
        or any(words[0] == "acl" and words[1].lower() == "all" for words in access)
    ):
        raise NotReadError(f"{_CONFIGURATION} does not deny everything else")
    allowing = []
    for action, names in rules:
        if action != "deny":
            narrowest = next((name for name in names if name in asked), None)
            if narrowest is None:
                raise NotReadError(f"{_CONFIGURATION} allows more than lists of hosts")
            allowing.append(narrowest)
    hosts = frozenset[str]().union(*(asked[name] for name in allowing))
    tunnels, named = _tunnels(opened, asked, in_tls)
    # The hosts of every other list decide too, for example those of a list that is denied.
    read = {*allowing, *named} if len(allowing) == 1 else {*named}
    others = [(name, *sorted(found)) for name, found in sorted({**asked, **in_tls}.items()) if name not in read]
    return hosts, [*access, *others, *tunnels, *([action, *names] for action, names in rules)]


def _decides(words: list[str]) -> bool:
    """Whether a directive decides about access. Raises NotReadError for one of which nothing is known."""
    match words:
        case ["acl", _, kind, *_]:
            return kind not in _LISTS
        case ["cache_peer", "127.0.0.1", *_]:
            return True
    if words[0] not in _DECIDING | _HARMLESS:
        raise NotReadError(_not_known(words))
    return words[0] in _DECIDING


def _hosts(directives: list[list[str]], kind: str) -> dict[str, set[str]]:
    """The hosts in access control lists of one kind, by the name of the list; Squid ignores the case of both."""
    found: dict[str, set[str]] = {}
    for words in directives:
        if words[0] == "acl" and words[2:3] == [kind]:
            hosts = words[4:]
            if words[3:4] != [_LISTS[kind]] or not hosts or not all(map(_HOST.fullmatch, hosts)):
                raise NotReadError(_not_known(words))
            found.setdefault(words[1].lower(), set()).update(host.lower() for host in hosts)
    return found


def _not_known(words: list[str]) -> str:
    return f"it is not known what {words[0]!r} in {_CONFIGURATION} allows"


def _tunnels(
    opened: list[list[str]], asked: dict[str, set[str]], in_tls: dict[str, set[str]]
) -> tuple[list[tuple[str, ...]], set[str]]:
    """The rules that open tunnels to the host that was asked for, each once, and the lists in them."""
    rules: set[tuple[str, ...]] = set()
    read: set[str] = set()
    for names in opened:
        hosts, in_hello = ([name for name in names if name in lists] for lists in (asked, in_tls))
        if len(hosts) == len(in_hello) == 1 and asked[hosts[0]] == in_tls[in_hello[0]]:
            read |= {*hosts, *in_hello}
            rules.add(("splice", *(name for name in names if name not in (*hosts, *in_hello))))
        else:
            rules.add(("splice", *names))
    return sorted(rules), read
