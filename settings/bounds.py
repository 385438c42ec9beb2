"""The least and the greatest value of a setting, for others that must accept the same values."""

from annotated_types import Ge, Le
from pydantic import BaseModel


def bounds(settings: type[BaseModel], name: str) -> tuple[int, int]:
    """From `ge` to `le` of a setting that is a whole number. Raises ValueError for one without both."""
    metadata = settings.model_fields[name].metadata
    lowest = [it.ge for it in metadata if isinstance(it, Ge)]
    highest = [it.le for it in metadata if isinstance(it, Le)]
    match lowest, highest:
        case [int(low)], [int(high)]:
            return low, high
    raise ValueError(f"{settings.__name__}.{name} has no bounds")
