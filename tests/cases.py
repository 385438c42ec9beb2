"""How many of the cases that long tests generate one run tries."""

import os

EVERY = 1 if os.environ.get("KAKEHASHI_ALL_CASES") else 10
"""Each run tries one case of so many; `make proofs` tries all."""
