"""Small dumps made from a description, one maker a container; deterministic, so a failure can be made again."""

import random
from typing import Any


def text_page(pfn: int, size: Any = 4096) -> bytes:
    """Return a page that packs well and that no other page equals."""
    return (f"page {pfn:#x} ".encode() * size)[:size]


def noise_page(pfn: int, size: int = 4096) -> bytes:
    """Return a page that no codec packs."""
    return random.Random(pfn).randbytes(size)
