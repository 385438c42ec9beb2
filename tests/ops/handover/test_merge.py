"""Git merges three versions of a text, and no line that people wrote is lost."""

import random
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from errors import RefusedError
from ops.handover.merge import merged
from tests.ops.handover.folders import change, written


def test_a_merge_depends_on_no_setting_of_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".gitconfig").write_text("[merge]\n\tconflictStyle = merge\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "x")
    found = merged(base="a\n", theirs="b\n", ours="c\n", is_hcl=False)
    assert [(it.first, it.last) for it in found.conflicts] == [(1, 1)]
    assert re.findall(r"^[|<>=]{7}", found.text, re.MULTILINE) == ["<" * 7, "|" * 7, "=" * 7, ">" * 7]


def test_counts_the_lines_of_several_conflicts_in_the_file_as_it_is() -> None:
    base = "".join(f"line {number}\n" for number in range(1, 31))
    theirs = "first\nsecond\n" + base.replace("line 9\n", "9\nnine\n").replace("line 20\n", "")
    ours = base.replace("line 2\n", "two\n").replace("line 9\n", "neun\n").replace("line 20\n", "zwanzig\n")
    found = merged(base=base, theirs=theirs, ours=ours, is_hcl=False)
    assert [(it.first, it.last) for it in found.conflicts] == [(11, 12), (23, 23)]


def _aligned(values: Mapping[str, int], text: str) -> str:
    """A map of HCL as `terraform fmt` aligns it, beside a heredoc that has the same lines."""
    width = max(map(len, values))
    rows = "".join(f"    {key:{width}} = {value}\n" for key, value in sorted(values.items()))
    return f"locals {{\n  mirrors = {{\n{rows}  }}\n  text = <<-EOT\n{text}  EOT\n}}\n"


@pytest.mark.slow
def test_a_merge_of_maps_is_right_or_a_conflict() -> None:
    chance = random.Random(20261129)
    clean = 0
    for _ in range(150):
        base = {key * chance.randint(1, 9): number for number, key in enumerate("abcdefghij")}
        text = "".join(f"    {key}    =    {value}\n" for key, value in base.items())
        theirs, ours = dict(base), dict(base)
        for side in (theirs, ours):
            for key in chance.sample(sorted(base), chance.randint(0, 2)):
                side[key] = chance.randint(100, 999)
            if chance.random() < 0.3:
                del side[chance.choice(sorted(side))]
            if chance.random() < 0.5:
                side[chance.choice("cehz") + "x" * chance.randint(1, 12)] = chance.randint(100, 999)
        found = merged(base=_aligned(base, text), theirs=_aligned(theirs, text), ours=_aligned(ours, text), is_hcl=True)
        if not found.conflicts:
            clean += 1
            expected = {
                key: ours[key] if theirs.get(key) == base.get(key) else theirs[key]
                for key in {*theirs, *ours}
                if key in (ours if theirs.get(key) == base.get(key) else theirs)
            }
            rows = found.text.partition("  text = ")[0]
            assert {key: int(value) for key, value in re.findall(r"(\w+) += (\d+)", rows)} == expected
            assert found.text.endswith(f"<<-EOT\n{text}  EOT\n}}\n")
    assert clean > 50


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("locals {\n  m = {\n", "  }\n}\n"),
        ("", ""),
        ('resource "a" "b" {\n', "}\n"),
        ('resource "a" "b" {\n  set {\n    x = 1\n  }\n  set {\n    x = 2\n', "  }\n}\n"),
        ("locals {\n  m = jsonencode({\n    y = 1e9\n", "  })\n}\n"),
    ],
)
def test_a_name_that_both_added_elsewhere_is_a_conflict(before: str, after: str) -> None:
    base = f"{before}app = 7\nmid = 8\n{after}"
    theirs = f"{before}zzz = 365\napp = 7\nmid = 8\n{after}"
    ours = f'{before}app = 7\nmid = 8\n"zzz" = 1\n{after}' if "m =" in before else base.replace("8\n", "8\nzzz = 1\n")
    found = merged(base=base, theirs=theirs, ours=ours, is_hcl=True)
    line = before.count("\n") + 1
    assert [it.first for it in found.conflicts] == [line]
    last = ours.removeprefix(before).removesuffix(after).splitlines()[-1]
    assert found.text == (
        f"{before}<<<<<<< as it is\nzzz = 365\napp = 7\nmid = 8\n||||||| the last handover\n=======\n"
        f"app = 7\nmid = 8\n{last}\n>>>>>>> this handover\n{after}"
    )
    other = merged(base=base, theirs=ours, ours=theirs, is_hcl=True)
    assert f"<<<<<<< as it is\napp = 7\nmid = 8\n{last}\n|||||||" in other.text


def test_a_name_that_stood_twice_before_the_merge_is_no_conflict() -> None:
    base = "locals {\n  m = {\n    a = 1\n    a = 2\n    b = 3\n    c = 4\n    d = 5\n  }\n}\n"
    found = merged(base=base, theirs=base.replace("3", "4"), ours=base.replace("5", "6"), is_hcl=True)
    assert not found.conflicts


def test_a_block_that_both_added_is_a_conflict() -> None:
    base = "".join(f'variable "{name}" {{}}\n' for name in "bcd")
    block = 'variable "x" {\n  type = string\n}\n'
    found = merged(base=base, theirs=block + base, ours=base + block.replace("string", "number"), is_hcl=True)
    assert [(it.first, it.last) for it in found.conflicts] == [(1, 6)]
    assert not merged(base=base, theirs="moved {}\n" + base, ours=base + "moved {}\n", is_hcl=True).conflicts


class RandomFolder:
    """Random files, handed over several times and changed by people in between."""

    def __init__(self, hcl: Path, seed: int) -> None:
        self.hcl = hcl
        self._chance = random.Random(seed)
        self._numbers = iter(range(10**6))
        names = self._chance.sample("abcd", 3)
        self._new = {f"{name}/README.md": [f"{name} {line}" for line in range(12)] for name in names}

    @property
    def new(self) -> dict[str, str]:
        return {path: "".join(f"{line}\n" for line in lines) for path, lines in self._new.items()}

    def change(self) -> None:
        """Both sides change what they have; sometimes a file is not handed over any more."""
        for file in filter(Path.exists, (self.hcl / path for path in self._new)):
            file.write_text("".join(f"{it}\n" for it in self._changed(file.read_text().splitlines(), "theirs")))
        kept = {path: lines for path, lines in self._new.items() if self._chance.random() < 0.9}
        self._new = {path: self._changed(lines, "ours") for path, lines in kept.items()}

    def _changed(self, lines: list[str], side: str) -> list[str]:
        found = list(lines)
        for _ in range(self._chance.choice([0, 0, 1, 2])):
            at = self._chance.randint(0, len(found))
            found[at : at + self._chance.randint(0, 1)] = [f"{side} {next(self._numbers)}"]
        return found


def _lines_of_people(files: Mapping[str, str]) -> set[str]:
    return {line for text in files.values() for line in text.splitlines() if line.startswith("theirs")}


@pytest.mark.tool("terraform")
def test_no_line_of_people_is_lost_and_a_second_handover_changes_nothing(tmp_path: Path) -> None:
    outcomes = Counter[str]()
    for seed in range(60):
        folder = RandomFolder(tmp_path / str(seed), seed)
        for _ in range(3):
            before = written(folder.hcl)
            found = change(folder.hcl, folder.new)
            if found.compared.conflicts:
                outcomes["conflict"] += 1
                with pytest.raises(RefusedError):
                    found.refuse_conflicts()
                assert written(folder.hcl) == before
                break
            found.put()
            change(folder.hcl, folder.new).refuse_differences()
            outcomes["merged"] += sum(note.startswith("merged") for note in found.compared.notes.values())
            assert _lines_of_people(before) == _lines_of_people(written(folder.hcl))
            folder.change()
    assert outcomes["merged"] > 20
    assert outcomes["conflict"] > 10
