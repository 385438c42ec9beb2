"""How long a reason has to be."""

import pytest

from errors.reasons import is_long_enough


@pytest.mark.parametrize("reason", ["it is meant", "旧拠点の閉鎖のため", "旧拠点閉鎖", "\uff21" * 5, "旧拠点 was"])
def test_a_reason_has_ten_characters_of_which_wide_ones_count_as_two(reason: str) -> None:
    assert is_long_enough(reason)


@pytest.mark.parametrize("reason", ["", " " * 10, "\u3000" * 5, "旧拠点閉", "ｷｭｳｷｮﾃﾝ", "  旧拠点閉  "])
def test_a_shorter_text_is_no_reason(reason: str) -> None:
    assert not is_long_enough(reason)
