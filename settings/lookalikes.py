"""Characters that people take for the ASCII ones that YAML reads: full-width, typographic and invisible ones."""

import functools
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Lookalike:
    """What a character is, in English and Japanese, and the ASCII character that is meant; '' for an invisible one."""

    name: str
    japanese: str
    meant: str


# Mostly what an input method writes for the keys of a Japanese keyboard, and a word processor for quotation marks.
_OTHERS = {
    "\t": ("tab", "タブ", " "),
    "\u00a0": ("no-break space", "ノーブレークスペース", " "),
    "\u3000": ("full-width space", "全角スペース", " "),
    "\u200b": ("zero-width space", "ゼロ幅スペース", ""),
    "\ufeff": ("byte order mark", "バイト順マーク", ""),
    "、": ("ideographic comma", "読点", ","),
    "。": ("ideographic full stop", "句点", "."),
    "「": ("left corner bracket", "かぎ括弧", "["),
    "」": ("right corner bracket", "かぎ括弧", "]"),
    "【": ("left lenticular bracket", "隅付き括弧", "["),
    "】": ("right lenticular bracket", "隅付き括弧", "]"),
    "・": ("middle dot", "中黒", "/"),
    "ー": ("long vowel mark", "長音符", "-"),
    "〜": ("wave dash", "波ダッシュ", "~"),
    "\u2212": ("minus sign", "マイナス記号", "-"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", ("typographic quotation mark", "引用符", '"')),
    **dict.fromkeys("\u2018\u2019\u201a\u201b", ("typographic quotation mark", "引用符", "'")),
    **dict.fromkeys("\u2010\u2011", ("typographic hyphen", "ハイフン", "-")),
    **dict.fromkeys("\u2012\u2013\u2014\u2015", ("dash", "ダッシュ", "-")),
}

_FULL_WIDTH = {
    ":": "全角コロン",
    ";": "全角セミコロン",
    ",": "全角カンマ",
    ".": "全角ピリオド",
    "-": "全角ハイフン",
    "_": "全角アンダーバー",
    "/": "全角スラッシュ",
    "#": "全角シャープ",
    "@": "全角アットマーク",
    "*": "全角アスタリスク",
    **dict.fromkeys("\"'`", "全角引用符"),
    **dict.fromkeys("()[]{}<>", "全角括弧"),
}


@functools.cache
def lookalike(character: str) -> Lookalike | None:
    """What `character` is taken for; None for other text, and for ASCII but for a tab."""
    if character in _OTHERS:
        name, japanese, meant = _OTHERS[character]
        return Lookalike(name=name, japanese=japanese, meant=meant)
    if character.isascii():
        return None
    meant = unicodedata.normalize("NFKC", character)
    name = unicodedata.name(character, "").lower()
    if unicodedata.category(character) == "Cf":
        return Lookalike(name=name or "invisible character", japanese="見えない文字", meant="")
    if len(meant) != 1 or not " " <= meant <= "~":
        return None
    if meant == " ":
        return Lookalike(name=name, japanese="特殊なスペース", meant=meant)
    if not name.startswith("fullwidth"):
        return Lookalike(name=name, japanese="特殊文字", meant=meant)
    if meant.isalnum():
        name, japanese = ("full-width digit", "全角数字") if meant.isdigit() else ("full-width letter", "全角英字")
    else:
        name, japanese = name.replace("fullwidth", "full-width"), _FULL_WIDTH.get(meant, "全角記号")
    return Lookalike(name=name.removesuffix("-minus"), japanese=japanese, meant=meant)
