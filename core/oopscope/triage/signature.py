"""A verdict's signature: the same for the same bug on another machine, so that a fleet's dumps can be grouped.

Made of the cause, the culprit and the functions around it, without addresses, offsets or compiler suffixes: those
change from build to build.
"""

import re
from collections.abc import Sequence
from hashlib import sha256

from oopscope.kernel.frame import Frame

DEPTH = 4
_SUFFIX = re.compile(r"(\.(isra|constprop|part|cold|llvm)[.\d]*)+$")


def plain(symbol: str) -> str:
    """Return a function's name without the suffixes that a compiler gave it."""
    return _SUFFIX.sub("", symbol)


def signature(cause: str, culprit: Frame | None, frames: Sequence[Frame]) -> str:
    """Return `cause:function:hash`, the hash over the culprit and the reliable frames outside it (all, if none is)."""
    at = next((i for i, f in enumerate(frames) if culprit is not None and f.address == culprit.address), 0)
    guessed = not any(f.reliable for f in frames)  # no registers: all are a guess, and one that holds together
    usable = (f for f in frames[at:] if f.symbol and (f.reliable or guessed) and f.kind != "user")
    names = [f"{f.module or ''}:{plain(f.symbol)}" for f in usable if f.symbol]
    names = names[:DEPTH]
    head = plain(culprit.symbol) if culprit and culprit.symbol else "unknown"
    digest = sha256("\n".join([cause, *names]).encode("utf-8", "backslashreplace")).hexdigest()[:12]
    return f"{cause}:{head}:{digest}"
