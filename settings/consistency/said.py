"""What a deployment file says, as far as each value is valid by itself.

The rules between settings work on this and not on the typed model, because there is no model of a file with one wrong
value in it, and a user wants to hear of everything at once.
"""

from collections.abc import Collection, Mapping
from ipaddress import IPv4Network
from typing import Any

from settings.problems import Path


class Said:
    """The file's plain values, without those at or below a refused path."""

    def __init__(self, data: Any, refused: Collection[Path] = ()) -> None:
        self._data = data
        self._refused = frozenset(refused)

    def value(self, *path: str | int) -> Any:
        """What the file says at `path`; None where it says nothing, or nothing valid."""
        return None if self.is_refused(*path) else self._raw(path)

    def is_refused(self, *path: str | int) -> bool:
        """Whether the value at `path`, or something that holds it, is not valid."""
        return any(path[: length + 1] in self._refused for length in range(len(path)))

    def names(self, *path: str | int) -> bool:
        """Whether the file says anything at `path`, valid or not."""
        return self._raw(path) is not None or self.is_refused(*path)

    def keys(self, *path: str | int) -> list[str]:
        """The keys of the map at `path` that are valid and have valid values, in the order of the file."""
        return [key for key in self.all_keys(*path) if not self.is_refused(*path, key)]

    def all_keys(self, *path: str | int) -> list[str]:
        """The keys of the map at `path`, also those whose values are not valid."""
        value = self.value(*path)
        return list(value) if isinstance(value, Mapping) else []

    def items(self, *path: str | int) -> list[tuple[int, Any]]:
        """The valid entries of the list at `path`, with their positions."""
        value = self.value(*path)
        if not isinstance(value, list):
            return []
        return [(index, item) for index, item in enumerate(value) if not self.is_refused(*path, index)]

    def repeated(self, *path: str | int) -> list[tuple[int, Any]]:
        """The entries of the list at `path` that stood in it earlier already, with their positions."""
        items = self.items(*path)
        return [(index, item) for place, (index, item) in enumerate(items) if item in dict(items[:place]).values()]

    def network(self, *path: str | int) -> IPv4Network | None:
        """The network at `path`."""
        value = self.value(*path)
        return None if value is None else IPv4Network(value)

    def networks(self, *path: str | int) -> list[tuple[int, IPv4Network]]:
        """The valid networks of the list at `path`, with their positions."""
        return [(index, IPv4Network(item)) for index, item in self.items(*path)]

    def _raw(self, path: Path) -> Any:
        value = self._data
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value
