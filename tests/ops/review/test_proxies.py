"""The hosts that a forward proxy newly allows."""

import base64
import json
from typing import Any

import pytest

from ops.review import PlanFile, review
from tests.ops.review.plans import real, reviewed
from tests.terraform.plans import change, plan
from tests.terraform.proxies import user_data


def _user_data(*hosts: str) -> str:
    return base64.b64encode(user_data(*hosts).encode()).decode()


def _said(before: Any, after: Any, kind: str = "aws_launch_template", **more: Any) -> list[str]:
    sides = (None if before is None else {"user_data": before}, {"user_data": after})
    action = "create" if before is None else "update"
    found = reviewed(plan(change(f"{kind}.it", action, *sides, **more)))
    return [finding.what for finding in found.dangerous if finding.rule == "host-allowed"]


ONE = _user_data("a.example.com", ".example.org")


def test_names_each_host_that_is_newly_allowed() -> None:
    assert _said(ONE, _user_data(".amazonaws.com", "a.example.com", ".example.org")) == [
        "`.amazonaws.com` is newly allowed"
    ]
    assert _said(ONE, _user_data(".a.example.com", ".example.org")) == ["`.a.example.com` is newly allowed"]


@pytest.mark.parametrize(
    "hosts", [("a.example.com",), ("a.example.com", "b.example.org"), ("a.example.com", ".example.org")]
)
def test_says_nothing_of_hosts_that_were_allowed_before(hosts: tuple[str, ...]) -> None:
    assert _said(ONE, _user_data(*hosts)) == []


def test_names_a_host_that_a_real_proxy_allows_in_place_of_another() -> None:
    [file] = [file for file in real("everything") if file.stack == "dev-proxy"]
    document = json.loads(file.text)
    [entry] = [entry for entry in document["resource_changes"] if entry["type"] == "aws_launch_template"]
    values = entry["change"]["after"]
    text = base64.b64decode(values["user_data"]).decode().replace("gems.example.net", ".amazonaws.com")
    wider = {**values, "user_data": base64.b64encode(text.encode()).decode()}
    entry["change"] |= {"actions": ["update"], "before": values, "after": wider, "after_unknown": {}}
    document["resource_changes"] = [entry]
    found = review([PlanFile(stack="dev-proxy", where=file.where, text=json.dumps(document))], [])
    assert [(finding.rule, finding.what) for finding in found.dangerous] == [
        ("host-allowed", "`.amazonaws.com` is newly allowed")
    ]
    assert "\n    +" in found.notes[0].details


def test_lists_the_hosts_of_a_new_proxy_once() -> None:
    assert _said(None, ONE) == ["allows 2 hosts: `.example.org`, `a.example.com`"]
    assert _said(_plain("packages: [git]"), ONE) == ["allows 2 hosts: `.example.org`, `a.example.com`"]


def _plain(text: str) -> str:
    return base64.b64encode(f"#cloud-config\n{text}\n".encode()).decode()


def test_says_that_the_hosts_are_not_known_where_they_cannot_be_read() -> None:
    unknown = "it is not known which hosts it allows: "
    open_to_all = _plain(
        "write_files:\n  - path: /etc/squid/squid.conf\n    content: http_access allow all\npackages: [squid]"
    )
    reason = "`squid.conf does not deny everything else`"
    assert _said(ONE, open_to_all) == [f"{unknown}{reason}"]
    assert _said(None, open_to_all) == [f"{unknown}{reason}"]
    assert _said(ONE, _plain("packages: [git]")) == [f"{unknown}its user data no longer configures Squid"]
    assert _said(open_to_all, ONE) == [
        "allows 2 hosts: `.example.org`, `a.example.com`; it is not known which it allowed before: " + reason
    ]


def test_user_data_that_is_unknown_or_sensitive_is_not_known() -> None:
    unknown = "it is not known which hosts it allows: "
    open_value: Any = {"unknown": {"user_data": True}}
    assert _said(None, None, **open_value) == [f"{unknown}`its user data is known after the apply only`"]
    assert _said(ONE, None, "aws_instance", **open_value) == [f"{unknown}`its user data is known after the apply only`"]
    assert _said(None, None, "aws_instance", **open_value) == []
    sensitive: Any = {"sensitive": ({"user_data": True}, {"user_data": True})}
    assert _said(ONE, _user_data(".amazonaws.com"), **sensitive) == [f"{unknown}`its user data is sensitive`"]
    assert _said(ONE, ONE, **sensitive) == []


def test_says_that_something_else_changes_which_decides_about_traffic() -> None:
    text = base64.b64decode(ONE).decode()
    without = base64.b64encode(text.replace("http_access deny inside\n", "\n").encode()).decode()
    assert _said(ONE, without) == [
        "what else decides about its traffic changes, so the list of hosts may no longer limit it"
    ]
