"""The documentation's generated tables are current."""

import pytest

from tests.tables import NAMES, renewed, table


@pytest.mark.parametrize("name", NAMES)
def test_the_documented_table_is_current(name: str) -> None:
    document = NAMES[name].read_text(encoding="utf-8")
    assert renewed(name, document) == document, "run `make tables`"
    assert table(name) in document


def test_a_changed_row_and_a_lost_marker_are_noticed() -> None:
    document = NAMES["rules"].read_text(encoding="utf-8")
    changed = document.replace("| `bucket-lost` | yes |", "| `bucket-lost` | no |")
    assert changed != document
    assert renewed("rules", changed) == document
    with pytest.raises(AssertionError, match="markers"):
        renewed("rules", document.replace("<!-- end of rules -->", ""))
