"""Adding names to a list in a deployment file, whatever its form, and changing nothing else."""

import json
import stat
from pathlib import Path
from textwrap import indent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from errors import RefusedError
from ops.backlog import agreed
from ops.backlog.agreed import agree
from settings.document import parsed

_HEAD = """\
# The bridge   of   somebody
name: "kakehashi"   # quoted
prd:
    backlog:
        spaces: {example: {domain: backlog.jp,
            known_hosts: ['x']}}   # in two lines
        repositories:
"""
_TAIL = """
            site:   {space: example, target: {create: site}}
        lfs: warn
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.yaml"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "web:\n  agreed: [api]\n  space: example",
            "web:\n  agreed: [api, shop, b.c]\n  space: example",
        ),
        (
            "web:\n  agreed: []  # none\n",
            "web:\n  agreed: [shop, b.c]  # none\n",
        ),
        (
            "web:\n  agreed: [\n    api, # first\n    'old'  # last\n  ]\n",
            "web:\n  agreed: [\n    api, # first\n    'old', shop, b.c  # last\n  ]\n",
        ),
        (
            "web:\n  agreed:\n    # of 2024\n    -   api  # first\n\n    # end\n",
            "web:\n  agreed:\n    # of 2024\n    -   api  # first\n    -   shop\n    -   b.c\n\n    # end\n",
        ),
        (
            "web:\n  agreed:\n  - api\n  space: example\n",
            "web:\n  agreed:\n  - api\n  - shop\n  - b.c\n  space: example\n",
        ),
        (
            "web:\n  space: example\n  target:\n    create_prefix: web-  # short\n\n",
            "web:\n  space: example\n  target:\n    create_prefix: web-  # short\n  agreed:\n    - shop\n    - b.c\n\n",
        ),
        (
            "web: {space: example, target: {create_prefix: w}} # all in a line\n",
            "web: {space: example, target: {create_prefix: w}, agreed: [shop, b.c]} # all in a line\n",
        ),
        (
            'web: {"space": "example"}\n',
            'web: {"space": "example", "agreed": ["shop", "b.c"]}\n',
        ),
        (
            "web:\n  space: example\n  note: >-\n    long\n    text\n",
            "web:\n  space: example\n  note: >-\n    long\n    text\n  agreed:\n    - shop\n    - b.c\n",
        ),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_adds_names_and_keeps_every_other_byte(file: Path, before: str, after: str, line_end: str, start: str) -> None:
    def whole(entry: str) -> bytes:
        return f"{start}{_HEAD}{indent(entry, ' ' * 12)}{_TAIL}".replace("\n", line_end).encode()

    file.write_bytes(whole(before))
    agree(file, {"web": ["shop", "b.c"]})
    assert file.read_bytes() == whole(after)


def test_quotes_a_name_that_yaml_reads_as_something_else(file: Path) -> None:
    file.write_text("prd: {backlog: {repositories: {web: {agreed: []}}}}\n")
    agree(file, {"web": ["2024", "null", "0x1f", "1e3", "ok"]})
    assert file.read_text() == ('prd: {backlog: {repositories: {web: {agreed: ["2024", "null", 0x1f, "1e3", ok]}}}}\n')


def test_adds_to_several_lists_and_skips_an_empty_addition(file: Path) -> None:
    file.write_text(
        "prd:\n  backlog:\n    repositories:\n      a: {space: x}\n      b:\n        space: x\n      c: {y: z}"
    )
    agree(file, {"a": ["one"], "b": ["two"], "c": []})
    assert file.read_text() == (
        "prd:\n  backlog:\n    repositories:\n      a: {space: x, agreed: [one]}\n      b:\n        space: x\n"
        "        agreed:\n          - two\n      c: {y: z}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "all: &all [api]\nprd: {backlog: {repositories: {web: {agreed: *all}}}}\n",
        "prd: {backlog: {repositories: {web: {agreed: &all [api]}, jobs: {agreed: *all}}}}\n",
        "prd: {backlog: {repositories: {web: &web {space: x}, jobs: *web}}}\n",
        "prd: {backlog: {repositories: {web: {}}}}\n",
        "prd:\n  backlog:\n    repositories:\n      web:\n        agreed:\n          -\n            api\n",
    ],
)
def test_refuses_a_form_in_which_something_else_would_change(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(RefusedError) as caught:
        agree(file, {"web": ["shop"]})
    assert str(caught.value) == (
        f"error: {file}: a list `agreed` is written so that adding to it would change something else\n"
        "hint: write the names into `agreed` by hand: web: shop"
    )
    assert file.read_text() == text


def test_keeps_the_files_mode_and_a_link_to_it(file: Path, tmp_path: Path) -> None:
    file.write_text("prd: {backlog: {repositories: {web: {space: x}}}}\n")
    file.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    agree(link, {"web": ["shop"]})
    assert link.is_symlink()
    assert "shop" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(found.name for found in tmp_path.iterdir()) == ["link.yaml", "mine.yaml"]


def test_a_file_that_somebody_changed_meanwhile_stays_as_it_is(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("prd: {backlog: {repositories: {web: {space: x}}}}\n")
    copymode = agreed.shutil.copymode  # type: ignore[attr-defined]

    def changed(*paths: Path) -> None:
        copymode(*paths)
        file.write_text("somebody else's\n")

    monkeypatch.setattr("shutil.copymode", changed)
    with pytest.raises(RefusedError) as caught:
        agree(file, {"web": ["shop"]})
    assert str(caught.value) == f"error: {file}: the file was changed meanwhile\nhint: run the command again"
    assert file.read_text() == "somebody else's\n"
    assert [found.name for found in file.parent.iterdir()] == ["mine.yaml"]


_NAMES = st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,8}", fullmatch=True), min_size=1, max_size=4, unique=True)


def _entry(form: str, names: list[str], step: int, comment: str) -> str:
    quoted, deeper = [json.dumps(name) for name in names], " " * step
    match form:
        case "in a line":
            return f"agreed: [{', '.join(quoted)}]{comment}\n"
        case "in lines":
            return "agreed:\n" + "".join(f"{deeper}- {name}{comment}\n" for name in quoted)
        case "in lines of a bracket":
            inner = f",{comment}\n".join(f"{deeper}{name}" for name in quoted)
            return f"agreed: [{comment}\n{inner}{comment}\n]\n"
        case _:
            return f"space: example{comment}\n"


@pytest.mark.slow
@given(
    form=st.sampled_from(["in a line", "in lines", "in lines of a bracket", "absent"]),
    have=_NAMES,
    new=_NAMES,
    step=st.integers(0, 4),
    comment=st.sampled_from(["", "  # agreed: [no]", "   "]),
    after=st.sampled_from(["", "target: { create_prefix: w }\n", "\n# end\n"]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_form_the_names_are_added_and_one_piece_of_text_is_new(
    file: Path, form: str, have: list[str], new: list[str], step: int, comment: str, after: str
) -> None:
    entry = indent(_entry(form, have, step, comment) + after, " " * 8)
    before = f"prd:\n  backlog:\n    repositories:\n      web:\n{entry}"
    file.write_text(before)
    old = [] if form == "absent" else have
    agree(file, {"web": new})
    written = file.read_text()
    assert parsed(written, "x").data["prd"]["backlog"]["repositories"]["web"]["agreed"] == [*old, *new]
    start = next((i for i, (a, b) in enumerate(zip(before, written, strict=False)) if a != b), len(before))
    end = len(before) - start
    assert written[:start] + (written[-end:] if end else "") == before
