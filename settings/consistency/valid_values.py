"""A deployment file's values that are valid by themselves.

The rules between settings read these values instead of the typed model: a file with one wrong value has no model, and
all its problems are reported together.
"""

from collections.abc import Collection, Mapping
from ipaddress import IPv4Network
from typing import Any

from settings.problems import Path


class ValidValues:
    """A file's plain values, without those at or below a refused path."""

    def __init__(self, data: Any, refused: Collection[Path] = ()) -> None:
        self._data = data
        self._refused = frozenset(refused)

    def value(self, *path: str | int) -> Any:
        """The valid value at `path`, if any."""
        return None if self.is_refused(*path) else self._raw(path)

    def is_refused(self, *path: str | int) -> bool:
        """Whether the value at `path`, or a map or list around it, is not valid."""
        return any(path[: length + 1] in self._refused for length in range(len(path)))

    def names(self, *path: str | int) -> bool:
        """Whether there is a value at `path`, valid or not."""
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

    def repeated(self, *path: str | int, ignoring_case: bool = False) -> list[tuple[int, Any]]:
        """The entries of the list at `path` that repeat an earlier one, with their positions."""
        items = self.items(*path)
        compared = [str(item).lower() if ignoring_case else item for _, item in items]
        return [item for place, item in enumerate(items) if compared[place] in compared[:place]]

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
