"""Every wrong file is refused with two lines for each problem and a line within the file, and with no other error."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

from settings import SettingsError, document, load, schema
from tests.deployments import DEPLOYMENTS, deployment_file

DATA = [document.read(deployment_file(name)).data for name in DEPLOYMENTS]

_examples = settings(max_examples=80, deadline=None, derandomize=True)

# Values that are likely to find errors: right in another setting, or almost right.
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(
        [
            *(item for data in DATA for item in json.dumps(data).replace('"', " ").split()),
            "0.0.0.0/0",
            "10.0.0.0/8",
            "10.10.0.0/24",
            "198.51.100.0/28",
            "https://user:password@example.com",
            "cron(0 0 * * ? *)",
            "\x1b[31m",
            "\ud800",
            "-----BEGIN PRIVATE KEY-----",
        ]
    ),
)
_JUNK = st.recursive(
    _VALUES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str | None]:
    """Loads a file with this content and returns its refusal, after checking the refusal's form; None if it loads."""
    file = tmp_path_factory.mktemp("properties") / "x.yaml"

    def answered(content: str) -> str | None:
        file.write_bytes(content.encode("utf-8", "surrogatepass"))
        try:
            load(file)
        except SettingsError as refusal:
            _check_form(refusal, str(file), content)
            return str(refusal)
        return None

    return answered


def _check_form(refusal: SettingsError, file: str, content: str) -> None:
    lines = content.replace("\r\n", "\n").splitlines() or [""]
    assert refusal.located
    assert str(refusal) == "\n".join(str(problem) for problem in refusal.located)
    for problem in refusal.located:
        assert problem.line is not None
        assert 1 <= problem.line <= len(lines)
        assert re.fullmatch(rf"error: {re.escape(file)}:{problem.line}(:{problem.column})?: .+\nhint: .+", str(problem))
        assert all(line.isprintable() for line in str(problem).split("\n"))


@pytest.mark.slow
@given(st.text())
@_examples
def test_any_text_is_refused_with_located_problems(answer: Callable[[str], str | None], content: str) -> None:
    assert answer(content) is not None


@pytest.mark.slow
@given(st.data())
@_examples
def test_typing_errors_are_refused_with_located_problems(
    answer: Callable[[str], str | None], data: st.DataObject
) -> None:
    content = data.draw(st.sampled_from([deployment_file(name).read_text() for name in DEPLOYMENTS]))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        end = min(len(content), start + data.draw(st.integers(0, 30)))
        typed = st.sampled_from([*"\n\t :#-[]{}'\"&*!|>%@`?,\\", "<<: *x", "- ", ": ", "&x ", "*x", "---\n", "? "])
        content = content[:start] + data.draw(typed | st.text(max_size=5)) + content[end:]
    answer(content)


@given(st.data())
@_examples
@pytest.mark.slow
def test_wrong_values_and_keys_are_refused_with_located_problems(
    answer: Callable[[str], str | None], data: st.DataObject
) -> None:
    answer(_dumped(_mutated(data)))


@given(st.data())
@settings(max_examples=300, deadline=None, derandomize=True)
@pytest.mark.slow
def test_an_editor_marks_no_accepted_file(answer: Callable[[str], str | None], data: st.DataObject) -> None:
    mutated = _mutated(data)
    if answer(_dumped(mutated)) is None and not _has_empty_setting(mutated):
        Draft7Validator(schema.generated()).validate(json.loads(_dumped(mutated)))


def _has_empty_setting(value: Any) -> bool:
    """Whether a setting has no value. Loading treats it as left out; an editor asks for the value."""
    if not isinstance(value, dict):
        return False
    return any(item is None or (key != "repositories" and _has_empty_setting(item)) for key, item in value.items())


def _dumped(value: Any) -> str:
    return json.dumps(value, indent=1)


def _mutated(data: st.DataObject) -> Any:
    """One of the deployments with one to four values replaced, removed, renamed or copied from another setting."""
    value = json.loads(json.dumps(data.draw(st.sampled_from(DATA))))
    for _ in range(data.draw(st.integers(1, 4))):
        containers = _containers(value)
        container = data.draw(st.sampled_from(containers))
        keys = sorted(container) if isinstance(container, dict) else list(range(len(container)))
        if not keys:
            continue
        key = data.draw(st.sampled_from(keys))
        match data.draw(st.sampled_from(["replace", "remove", "rename", "copy"])):
            case "replace":
                container[key] = data.draw(_JUNK)
            case "remove":
                del container[key]
            case "rename" if isinstance(container, dict):
                container[data.draw(st.text(max_size=10) | st.sampled_from(keys))] = container.pop(key)
            case "copy":
                container[key] = json.loads(json.dumps(data.draw(st.sampled_from(containers))))
    return value


def _containers(value: Any) -> list[Any]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = [container for item in inside for container in _containers(item)]
    return [value, *found] if isinstance(value, dict | list) else found
