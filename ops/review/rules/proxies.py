"""The rule about forward proxies: which hosts they allow."""

from collections.abc import Iterator, Mapping
from typing import Any

from ops.review.rule import Plans, ReviewFinding, rule
from ops.review.text import code, codes, count
from ops.review.translatable import said
from settings.proxy import covers
from terraform.allowed_hosts import AllowedHosts, NotReadError, allowed_hosts
from terraform.plan_values import Sensitive

_USER_DATA = {
    "aws_instance": ("user_data", "user_data_base64"),
    "aws_launch_configuration": ("user_data", "user_data_base64"),
    "aws_launch_template": ("user_data",),
    "aws_lightsail_instance": ("user_data",),
    "aws_spot_instance_request": ("user_data", "user_data_base64"),
}

_Read = AllowedHosts | NotReadError | None


@rule(
    id="host-allowed",
    what="A forward proxy allows another host.",
    why="Whoever controls that host receives what leaves through the proxy.",
)
def host_allowed(plans: Plans) -> Iterator[ReviewFinding]:
    for change in plans.changes(*_USER_DATA):
        for name in _USER_DATA[change.type] if change.appears else ():
            was, now = _proxy(change.before, name), _proxy(change.after, name)
            if change.unknown(name):
                now = NotReadError("its user data is known after the apply only")
                # Other servers are no launch templates, and their user data often has ids of other resources in it.
                if was is None and change.type == "aws_instance":
                    continue
            elif change.before.get(name) == change.after.get(name):
                continue
            yield from (change.finding(what) for what in _allowed_newly(was, now))


def _proxy(values: Mapping[str, Any], name: str) -> _Read:
    found = values.get(name)
    if isinstance(found, Sensitive):
        return NotReadError("its user data is sensitive")
    try:
        return allowed_hosts(found) if isinstance(found, str) else None
    except NotReadError as error:
        return error


def _allowed_newly(was: _Read, now: _Read) -> Iterator[str]:
    if isinstance(now, NotReadError):
        yield said("it is not known which hosts it allows: {reason}", reason=code(str(now)))
    elif now is None:
        if was is not None:
            yield said("it is not known which hosts it allows: its user data no longer configures Squid")
    elif isinstance(was, AllowedHosts):
        new = [host for host in sorted(now.hosts) if not any(covers(other, host) for other in was.hosts)]
        yield from (said("{host} is newly allowed", host=code(host)) for host in new)
        if now.rest != was.rest:
            yield said("what else decides about its traffic changes, so the list of hosts may no longer limit it")
    else:
        number, hosts = count(len(now.hosts), "host"), codes(sorted(now.hosts))
        what = said("allows {number}: {hosts}", number=number, hosts=hosts)
        unknown = "{what}; it is not known which it allowed before: {reason}"
        yield what if was is None else said(unknown, what=what, reason=code(str(was)))
