"""Which hosts a forward proxy allows: reads the user data of a server that runs Squid."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from terraform.encoded_texts import decoded

_HOST = re.compile(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_PRINTABLE = re.compile(r"[\n -~]*")
_CONFIGURATION = "squid.conf"

# Directives of Squid that allow nobody anything. http://www.squid-cache.org/Doc/config/, collected on 2026-11-28
_HARMLESS = {
    *("access_log", "cache", "cache_mem", "http_port", "httpd_suppress_version_string", "logformat", "pinger_enable"),
    *("shutdown_lifetime", "visible_hostname"),
}


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
    text = decoded(user_data) or user_data
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


def _allowed(directives: list[list[str]]) -> tuple[frozenset[str], list[list[str]]]:
    """The hosts, and the other words that decide about access."""
    lists: dict[str, set[str]] = {}
    access, rules = [], []
    for words in directives:
        match words:
            case ["acl", name, "dstdomain", "-n", *hosts] if hosts and all(map(_HOST.fullmatch, hosts)):
                # Squid ignores the case of both.
                lists.setdefault(name.lower(), set()).update(host.lower() for host in hosts)
            case ["acl", _, kind, *_] if kind != "dstdomain":
                access.append(words)
            case ["http_access", action, _, *_]:
                rules.append((action, [name.lower() for name in words[2:]]))
            case [directive, *_] if directive in _HARMLESS:
                pass
            case _:
                raise NotReadError(f"it is not known what {words[0]!r} in {_CONFIGURATION} allows")
    # Where no rule matches, Squid does the opposite of the last.
    if not rules or rules[-1] != ("deny", ["all"]) or any(words[1].lower() == "all" for words in access):
        raise NotReadError(f"{_CONFIGURATION} does not deny everything else")
    allowed: set[str] = set()
    for action, names in rules:
        if action != "deny":
            narrowest = [lists[name] for name in names if name in lists]
            if not narrowest:
                raise NotReadError(f"{_CONFIGURATION} allows more than lists of hosts")
            allowed |= narrowest[0]
    return frozenset(allowed), [*access, *([action, *names] for action, names in rules)]
