"""A page in Japanese has what its English twin has."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
TRANSLATED = sorted(PROJECT.glob("docs/*.ja.md"))


def _sections(page: str) -> list[tuple[str, list[str], list[str], list[str]]]:
    """For each heading: its level, its blocks of commands, what stands in code marks, and the rows of its table."""
    found = []
    for level, text in re.findall(r"^(#+) [^\n]*\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL):
        blocks = re.findall(r"^```\w+\n.*?^```$", text, re.MULTILINE | re.DOTALL)
        for block in blocks:
            text = text.replace(block, "")
        codes = sorted(" ".join(code.split()) for code in re.findall(r"`([^`]+)`", text))
        rows = [str(line.count(" | ")) for line in text.splitlines() if line.startswith("| ")]
        found.append((level, blocks, codes, rows))
    return found


def test_there_is_a_page_in_japanese() -> None:
    assert [page.name for page in TRANSLATED] == ["in-the-room.ja.md"]


@pytest.mark.parametrize("page", TRANSLATED, ids=lambda page: page.name)
def test_a_page_in_japanese_has_the_headings_commands_and_rows_of_the_english_one(page: Path) -> None:
    english = page.with_name(page.name.replace(".ja.md", ".md"))
    theirs, ours = (_sections(one.read_text(encoding="utf-8")) for one in (english, page))
    assert len(theirs) > 5
    assert ours == theirs


@pytest.mark.parametrize("page", TRANSLATED, ids=lambda page: page.name)
def test_the_two_pages_link_to_each_other_and_to_files_that_exist(page: Path) -> None:
    english = page.with_name(page.name.replace(".ja.md", ".md"))
    linked = {one: re.findall(r"\]\(([^)]+)\)", one.read_text(encoding="utf-8")) for one in (english, page)}
    assert page.name in linked[english]
    assert english.name in linked[page]
    assert [link for links in linked.values() for link in links if not (page.parent / link).exists()] == []
