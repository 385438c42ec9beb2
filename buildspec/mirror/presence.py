"""Whether the ends answer at all, whatever they say of one repository."""

from __future__ import annotations

import socket

from .connection import Connect

_SSH = 22


def away(host: str, connect: Connect, *, port: int = _SSH, seconds: float = 10) -> str:
    """Which end does not answer: the source at `host`, or the target. Empty where both do."""
    if not _greets(host, port, seconds):
        return "the source"
    connection = connect(seconds)
    try:
        connection.connect()
    except OSError:
        return "the target"
    finally:
        connection.close()
    return ""


def _greets(host: str, port: int, seconds: float) -> bool:
    """A server of SSH speaks first. https://www.rfc-editor.org/rfc/rfc4253#section-4.2"""
    try:
        with socket.create_connection((host, port), seconds) as connection:
            return connection.recv(1) != b""
    except OSError:
        return False
