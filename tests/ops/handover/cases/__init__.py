"""Small stacks, each with one detail that is easily lost between JSON and HCL.

Every module of this package has dictionaries of cases: `LISTS = {"of_numbers": …}` makes the case `lists_of_numbers`.
"""

import importlib
import pkgutil

from ops.handover.grammar import TOP_LEVEL
from tests.ops.handover.cases.documents import Document


def _cases() -> dict[str, Document]:
    found: dict[str, Document] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        for name, cases in vars(importlib.import_module(module.name)).items():
            if name.isupper() and not name.startswith("_"):
                new = {f"{name.lower()}_{case}": document for case, document in cases.items()}
                if wrong := [case for case, it in new.items() if not it.keys() <= {"//", *TOP_LEVEL}]:
                    raise ValueError(f"not a stack: {', '.join(wrong)}; import other dictionaries with their module")
                if twice := found.keys() & new.keys():
                    raise ValueError(f"two cases have the same name: {', '.join(sorted(twice))}")
                found |= new
    return found


CASES = _cases()
