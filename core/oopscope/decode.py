"""Bytes of a dump or a file that should be text, as text: what is no UTF-8 is shown by its escapes."""


def decoded(raw: bytes) -> str:
    """Return bytes as text; nothing is lost or replaced by a sign that means anything."""
    return raw.decode("utf-8", "backslashreplace")
