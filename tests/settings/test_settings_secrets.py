"""Messages show no secret, no control character, and no long value completely."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from errors.shown import shown
from settings import LocatedProblem, SettingsError, document, load
from tests.settings.whole_file import Refusal, error, last_line_of_change, spoilt

SECRET = "hunter2"

_URL = "url: http://proxy.dev.example.com:3128"


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{SECRET}@proxy.example.com:3128",
        f"http://{SECRET}@proxy.example.com:3128",
        f"http://user:{SECRET}@proxy.example.com",
        f"https://user:{SECRET}@proxy.example.com:3128",
        f"http://user:{SECRET}@proxy.example.com:99999",
        f"http://user:{SECRET}@[proxy:3128",
        f"http://user:{SECRET}/x@proxy.example.com:3128",
        f"http://user:{SECRET} x@proxy.example.com:3128",
        f"user:{SECRET}@proxy.example.com:3128",
        f"http://user:{SECRET}\uff20proxy.example.com:3128",
    ],
)
@pytest.mark.parametrize(
    ("old", "key", "path", "hint"),
    [
        (_URL, "url", "dev.proxy.url", "write it as http://proxy.example.com:3128"),
        (
            "external_url: https://gitlab.dev.example.com",
            "external_url",
            "dev.gitlab.external_url",
            "write it as https://gitlab.example.com",
        ),
    ],
)
def test_a_url_with_a_password_is_refused_without_being_repeated(
    refusal: Refusal, old: str, key: str, path: str, hint: str, url: str
) -> None:
    new = f"{key}: '{url}'"
    assert refusal(spoilt((old, new))) == error(
        last_line_of_change(old, new),
        path,
        "the URL has a user name or password",
        f"a deployment file must have no secret; {hint}",
    )


@pytest.mark.parametrize(
    "written",
    [
        f"['http://user:{SECRET}@proxy.example.com:3128']",
        f"{{ a: 'http://user:{SECRET}@proxy.example.com:3128' }}",
        f"{{ 'http://user:{SECRET}@proxy.example.com:3128': a }}",
        f"!secret 'http://user:{SECRET}@proxy.example.com:3128'",
        f'"http://user:{SECRET}@proxy.example.com:3128\\n"',
    ],
)
def test_a_password_in_a_value_of_the_wrong_type_is_not_repeated(refusal: Refusal, written: str) -> None:
    assert SECRET not in refusal(spoilt((_URL, f"url: {written}")))


@pytest.mark.parametrize(
    "written",
    [
        f"https://hooks.slack.com/services/T0/B0/{SECRET}",
        f"{SECRET}{'aB3' * 19}",
        f'"{SECRET}\uff0fx"',
        f"[{SECRET}]",
        f"{{ {SECRET}: {SECRET} }}",
        f"kakehashi/{SECRET}",
    ],
)
@pytest.mark.parametrize(
    ("old", "new", "path", "example"),
    [
        (
            "ssh_key_parameter: /kakehashi/backlog/ssh-key\n",
            "ssh_key_parameter: {}\n",
            "prd.backlog.spaces.example.ssh_key_parameter",
            "/kakehashi/backlog/ssh-key",
        ),
        (
            "ssh_key_parameter: /kakehashi/backlog/ssh-key\n",
            "ssh_key_parameter: /kakehashi/backlog/ssh-key\n        api_key_parameter: {}\n",
            "prd.backlog.spaces.example.api_key_parameter",
            "/kakehashi/backlog/api-key",
        ),
        (
            "silent_hours: 6",
            "silent_hours: 6\n      webhook_parameter: {}",
            "prd.backlog.alerts.webhook_parameter",
            "/kakehashi/backlog/chat-url",
        ),
    ],
)
def test_a_secret_in_place_of_its_parameters_name_is_refused_without_being_repeated(
    refusal: Refusal, old: str, new: str, path: str, example: str, written: str
) -> None:
    change = (old, new.format(written))
    assert refusal(spoilt(change)) == error(
        last_line_of_change(*change),
        path,
        "this does not start with '/', so it is no name of an SSM parameter, and may be the secret itself",
        f"write the parameter's name with its path, not under /aws or /ssm, for example {example}; if it is the "
        "secret, revoke it and store a new one in SSM",
    )


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [path, *(leaf for key, item in value.items() for leaf in _leaves(item, (*path, key)))]
    if isinstance(value, list):
        return [path, *(leaf for index, item in enumerate(value) for leaf in _leaves(item, (*path, index)))]
    return [path]


EXAMPLE = Path(__file__).parents[2] / "deployments" / "everything.yaml"


@pytest.mark.slow
@pytest.mark.parametrize(
    "secret",
    [
        f"http://user:{SECRET}@proxy.example.com:3128",
        f"user:{SECRET}@proxy.example.com",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----\n",
    ],
    ids=["url", "credentials", "key"],
)
def test_a_secret_in_any_place_of_the_file_is_not_repeated(tmp_path: Path, secret: str) -> None:
    file = tmp_path / "x.yaml"
    refusals: list[SettingsError] = []
    everything = document.read(EXAMPLE).data
    for path in [path for path in _leaves(everything) if path]:
        data = place = copy.deepcopy(everything)
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = secret
        file.write_text(json.dumps(data))
        try:
            load(file)
        except SettingsError as refusal:
            refusals.append(refusal)
    assert len(refusals) > 80
    assert [str(refusal) for refusal in refusals if SECRET in str(refusal)] == []
    assert all(refusal.__cause__ is None and refusal.__context__ is None for refusal in refusals)


@pytest.mark.parametrize(
    ("written", "valid"),
    [
        ('"\\e[31mred"', "'\\x1b[31mred'"),
        ('"a\\nb"', "'a\\nb'"),
        ('"\\r"', "'\\r'"),
        ('"\\u202eabc"', "'\\u202eabc'"),
        ('"\\u2028"', "'\\u2028'"),
        ('"\\0"', "'\\x00'"),
        ('"\\u009b31m"', "'\\x9b31m'"),
    ],
)
def test_control_characters_are_shown_as_escapes(refusal: Refusal, written: str, valid: str) -> None:
    new = f"bucket: {written}"
    assert f"state.s3.bucket: {valid} " in refusal(spoilt(("bucket: example-terraform-state", new)))


@pytest.mark.parametrize("key", ['"\\e[31mred"', '"a\\nb"', '"\\u202e"'])
def test_a_key_is_shown_as_safely_as_a_value(refusal: Refusal, key: str) -> None:
    answer = refusal(spoilt(("owner: platform-team", f"owner: platform-team\n{key}: 1\n{key}: 2")))
    assert answer.count("error: ") == 2
    assert len(answer.splitlines()) == 4
    assert all(line.isprintable() for line in answer.split("\n"))


def test_a_file_name_is_shown_safely_too() -> None:
    problem = LocatedProblem(file="a\x1b[31m\nb\udcff.yaml", line=1, what="x", hint="y")
    assert str(problem) == "error: a\\x1b[31m\\nb\\udcff.yaml:1: x\nhint: y"


def test_a_long_value_is_shortened(refusal: Refusal) -> None:
    old, new = "bucket: example-terraform-state", f"bucket: {'a' * 500}{'b' * 500}"
    answer = refusal(spoilt((old, new)))
    assert f": state.s3.bucket: '{'a' * 99}…{'b' * 39}' is not a bucket name\n" in answer


def test_a_long_key_is_shortened(refusal: Refusal) -> None:
    key = "k" * 1000
    answer = refusal(spoilt(("owner: platform-team", f"owner: platform-team\n{key}: 1")))
    assert len(answer) < 600
    assert re.match(rf"error: x\.yaml:3: \['{'k' * 99}…{'k' * 39}'\]: '{'k' * 99}…", answer)


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        (None, "an empty value"),
        (True, "true"),
        (False, "false"),
        (12, "12"),
        ("it's", '"it\'s"'),
        (10**5000, "a number of more than 40 digits"),
        ({"a": 1}, "{'a': 1}"),
        ("http://user:pw@host/x", "'http://…@host/x'"),
        ("https://host/x", "'https://host/x'"),
        ("a@b:c", "'a@b:c'"),
        (["http://u:p@h", "http://v:q@i"], "['http://…@i']"),
    ],
    ids=lambda value: "" if isinstance(value, int) else None,
)
def test_a_value_is_shown_as_the_file_writes_it(value: object, valid: str) -> None:
    assert shown(value) == valid
