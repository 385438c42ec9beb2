"""English texts that remember what they were made of, so that another language can say the same."""

from collections.abc import Iterable


class TranslatableText(str):
    """A text: its `template` in English, and the `values` of the names in it, which may be such texts too."""

    template: str
    values: dict[str, str]

    def __new__(cls, template: str, values: dict[str, str]) -> "TranslatableText":
        made = super().__new__(cls, template.format(**values))
        made.template, made.values = template, values
        return made


class Joined(str):
    """Texts one after the other, with a separator in between."""

    separator: str
    parts: tuple[str, ...]

    def __new__(cls, separator: str, parts: Iterable[str]) -> "Joined":
        kept = tuple(parts)
        made = super().__new__(cls, separator.join(kept))
        made.separator, made.parts = separator, kept
        return made


def said(template: str, **values: object) -> TranslatableText:
    """The text with its `{names}` filled in; japanese.toml has every template."""
    return TranslatableText(
        template, {name: value if isinstance(value, str) else str(value) for name, value in values.items()}
    )
