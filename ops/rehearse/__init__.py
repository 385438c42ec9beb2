"""Rehearses a whole deployment without an AWS account: the real Terraform against an emulated AWS on loopback.

`command.py` is what people run. The emulated AWS is moto in a process of its own (`server.py`), with stand-ins for what
moto lacks (`stand_ins/`). This module imports nothing, because that process imports it too.
"""
