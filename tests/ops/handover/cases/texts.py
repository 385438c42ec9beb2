"""Texts that are easily changed, in every place of a stack."""

from tests.ops.handover.texts import TEXTS as _TEXTS
from tests.ops.handover.texts import document

TEXT = {name: document(text) for name, text in _TEXTS.items()}
