"""Rules between the settings of a deployment."""

from collections.abc import Iterator

from settings.consistency import accounts, backlog, codecommit, gitlab, mirrors, network, once, proxy
from settings.consistency.valid_values import ValidValues
from settings.problems import SettingProblem

__all__ = ["ValidValues", "problems"]


def problems(valid: ValidValues) -> Iterator[SettingProblem]:
    """Every value that contradicts another."""
    for part in (accounts, network, gitlab, proxy, codecommit, backlog, mirrors, once):
        for rule in part.RULES:
            yield from rule(valid)
