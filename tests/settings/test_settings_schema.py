"""The JSON Schema with which editors complete and check a deployment file."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped]
from ruamel.yaml import YAML

from settings import schema
from tests.deployments import DEPLOYMENTS, deployment_file
from tests.settings.whole_file import WHOLE, spoilt

SCHEMA = json.loads(schema.FILE.read_text())


def _errors(text: str) -> list[str]:
    """The places that an editor marks."""
    return [error.json_path for error in Draft7Validator(SCHEMA).iter_errors(YAML(typ="safe").load(text))]


def test_the_file_is_current() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), "run make schema"


def test_it_is_a_schema() -> None:
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_an_editor_marks_nothing_in_our_deployments(name: str) -> None:
    assert _errors(deployment_file(name).read_text()) == []


def test_an_editor_marks_nothing_in_a_whole_file() -> None:
    assert _errors(WHOLE) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("owner: platform-team", "owner: 4711", "$.owner"),
        ("name: kakehashi", "name: Kakehashi", "$.name"),
        ("owner: platform-team", "owner: x\nregoin: y", "$"),
        ("\nregion: ap-northeast-1", "\nregion: ap-northest-1", "$.region"),
        ('id: "111111111111"', 'id: "1111"', "$.dev.account.id"),
        ("cidr: 10.10.0.0/16\n", "cidr: 10.10.0.0/8\n", "$.dev.network.cidr"),
        ("      a: { public_cidr", "      x: { public_cidr", "$.dev.network.zones"),
        ("gateways: per_zone", "gateways: two", "$.dev.network.nat.gateways"),
        ("flow_log_retention_days: 90", "flow_log_retention_days: 91", "$.dev.network.flow_log_retention_days"),
        ("root_volume_gib: 100", 'root_volume_gib: "100"', "$.dev.gitlab.root_volume_gib"),
        ("external_url: https://", "external_url: https:/", "$.dev.gitlab.external_url"),
        ("start: cron(0 8 ? * MON-FRI *)", "start: 0 8 * * 1-5", "$.dev.gitlab.schedule.start"),
        ("      application:\n", "      app.git:\n", "$.prd.codecommit.repositories"),
        ("      website:\n", "      Website:\n", "$.prd.backlog.repositories"),
        ("target: { create: website }", "target: { made: website }", "$.prd.backlog.repositories.website"),
        (
            "target: { codecommit: batch }",
            "target: { codecommit: b, create: b }",
            "$.prd.backlog.repositories.batch",
        ),
        ("from_cidrs: [198.51.100.0/28]", "from_cidrs: [198.51.100.0]", "$.prd.codecommit.pull.from_cidrs[0]"),
        ("domain: backlog.jp", "domain: backlog.example", "$.prd.backlog.spaces.example.domain"),
        ("mode: s3", "mode: local", "$.prd.backlog.cache.mode"),
        ('cost-center: "4711"', '"aws:cost": "4711"', "$.tags"),
    ],
)
def test_an_editor_marks_wrong_values(old: str, new: str, place: str) -> None:
    assert _errors(spoilt((old, new))) == [place]


def test_an_editor_does_not_forbid_tags_in_japanese() -> None:
    assert _errors(spoilt(('cost-center: "4711"', "部署: 基盤チーム"))) == []


def _parts(part: Any, path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        yield path, part
        for key, value in part.items():
            yield from _parts(value, f"{path}.{key}")
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from _parts(value, f"{path}[{index}]")


def _described(part: dict[str, Any]) -> bool:
    referred = SCHEMA["$defs"].get(part.get("$ref", "").rpartition("/")[2], {})
    return bool(part.get("description") or referred.get("description"))


def test_every_setting_has_a_description_for_editors() -> None:
    settings = {
        f"{path}.{key}": setting
        for path, part in _parts(SCHEMA)
        if isinstance(part.get("properties"), dict) and "type" in part
        for key, setting in part["properties"].items()
    }
    assert len(settings) > 80
    assert [path for path, setting in settings.items() if not _described(setting)] == []


def test_every_part_refuses_unknown_keys() -> None:
    objects = [(path, part) for path, part in _parts(SCHEMA) if part.get("type") == "object"]
    closed = [path for path, part in objects if part["additionalProperties"] is False]
    by_form = [path for path, part in objects if "propertyNames" in part]
    assert len(closed) + len(by_form) == len(objects) > 25


def test_an_editor_distinguishes_the_forms_of_a_setting() -> None:
    forms = {
        path.removesuffix(".additionalProperties").rpartition(".")[2]: [
            SCHEMA["$defs"].get(form.get("$ref", "").rpartition("/")[2], form) for form in part["oneOf"]
        ]
        for path, part in _parts(SCHEMA)
        if "oneOf" in part
    }
    assert {name: [form["title"] for form in found] for name, found in forms.items()} == {
        "zones": ["Zones", "Zones with CIDRs"],
        "target": ["A repository of the bridge's own", "One of prd.codecommit's repositories"],
        "repositories": ["One Backlog repository", "The repositories of a Backlog project"],
    }


def _patterns() -> list[str]:
    return sorted({part["pattern"] for _, part in _parts(SCHEMA) if isinstance(part.get("pattern"), str)})


def test_patterns_match_whole_values() -> None:
    assert len(_patterns()) > 20
    for pattern in _patterns():
        assert pattern.startswith("^")
        assert pattern.endswith("$")
        re.compile(pattern)


@pytest.mark.tool("node")
def test_editors_can_read_the_patterns() -> None:
    program = "for (const p of JSON.parse(process.argv[1])) { new RegExp(p, 'u'); }"
    subprocess.run([shutil.which("node") or "node", "-e", program, json.dumps(_patterns())], check=True)
