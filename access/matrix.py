"""The matrix: who may do what to which repository from where, and why."""

from dataclasses import dataclass

from access.model import Model


@dataclass(frozen=True, kw_only=True)
class Row:
    """One cell of the matrix, with the reason in words that name policy and statement.

    The first four are names that stay the same while nothing about access changes, so that matrices can be compared.
    """

    principal: str
    repository: str
    action: str
    source: str
    allowed: bool
    because: str


def matrix(model: Model) -> list[Row]:
    """Every row, in the order of principals, repositories, actions and sources."""
    raise NotImplementedError
