"""Reusable constructs: what is built, without account names, providers or outputs."""
