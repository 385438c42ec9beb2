"""Decodes texts that a plan has in Base64, compressed or not, such as user data."""

import base64
import binascii
import zlib

_LONGEST = 1 << 20  # bytes; user data has at most 16 KiB
_GZIP = b"\x1f\x8b"
_GZIP_HEADER = 31  # https://docs.python.org/3/library/zlib.html#zlib.decompress


def decoded(text: str) -> str | None:
    """The text that `text` encodes in Base64; None where it encodes none."""
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
        if content.startswith(_GZIP):
            unpacker = zlib.decompressobj(_GZIP_HEADER)
            content = unpacker.decompress(content, _LONGEST)
            if not unpacker.eof or unpacker.unused_data:
                return None
        return content.decode() or None
    except (binascii.Error, ValueError, zlib.error):
        return None
