"""The frames of a stack as the kernel prints it: every machine's, from 2.6 on.

Knows `f+0x12/0x34 [module]` with what stands before it (addresses, `?`, the frame's own address on powerpc) and behind
(`(unreliable)`, arm64's `(P)`, a build id), the marks of stacks (`<IRQ>`, `</IRQ>`, `<EOI>`, `<<EOE>>`) and the
interrupted place that x86 prints in the midst (`RIP: 0010:f+0x12/0x34`). Follows
arch/*/kernel/{dumpstack,stacktrace}.c.
"""

import re
from collections.abc import Iterable

from oopscope.kernel.frame import Frame, FrameKind
from oopscope.kernel.functions import entry_kind, is_softirq_loop
from oopscope.lazy_re import lazy_re

MAX_FRAMES = 4096

_SYMBOL = r"(?P<name>[A-Za-z_.$][\w.$:]*)\+(?:0x)?(?P<at>[0-9a-f]+)/(?:0x)?[0-9a-f]+"
_BEHIND = (
    r"(?: \[(?P<module>[\w-]+)(?:@[0-9a-f]+\+0x[0-9a-f]+)?(?: [0-9a-f]{8,40})?\])?(?: [\w./-]+:\d+)?"
    r"(?: ?\((?:[A-Z ]{1,3}|(?P<un>unreliable))\))?"
)
_AT = r"\[?<?(?P<address>[0-9a-f]{8,16})>?\]?"
FRAME = lazy_re(
    rf"[\t ]{{0,64}}(?P<open>\()?(?:\[[0-9a-f]{{8,16}}\] )?(?:{_AT} ?)?[\t ]{{0,16}}(?P<guess>\? )?[\t ]{{0,16}}\(?"
    rf"(?:{_SYMBOL}\)?|0x(?P<bare>[0-9a-f]{{8,16}})(?P<nil>)){_BEHIND}\)?(?P<more> |$)"
)
# arm: [<c0010a5c>] (unwind_backtrace) from [<c000d8a8>] (show_stack+0x10/0x14); since 5.16 without brackets.
FROM = lazy_re(
    r"[\t ]*(?:\[<[0-9a-f]+>\] \()?[\w.$]+(?:\+0x[0-9a-f]+/0x[0-9a-f]+)?(?: \[[\w-]+\])?\)? from "
    rf"(?:\[<[0-9a-f]+>\] \()?{_SYMBOL}(?: \[(?P<module>[\w-]+)\])?\)?"
)
# What scripts/decode_stacktrace.sh makes of a frame: f (mm/slub.c:123 mm/slub.c:456 (discriminator 3)) module
SOURCE = r"\((?=[\w./+-]+\.(?:[chS]|rs):[\d?]).*?\)"
DECODED = lazy_re(
    rf"[\t ]*(?:\[<?(?P<address>[0-9a-f]{{8,16}})>?\] )?(?P<guess>\? )?(?P<name>[A-Za-z_.$][\w.$]*) {SOURCE}"
    r"(?: \[?(?P<module>[A-Za-z]\w*)\]?)?(?: \([A-Z]{1,3}\))?[\t ]*$"
)
OLDEST = lazy_re(
    r"[\t ]*<(?P<address>[0-9a-f]{8,16})>\{(?::(?P<module>\w+):)?(?P<name>[\w.]+)\+(?P<at>\d{1,18})\}"
)  # 2.6.9
MARK = lazy_re(r"[\t ]*<(?P<end>/?)<?(?P<name>#?[A-Za-z_]+\d?)>?>[\t ]*")
INTERRUPTED = lazy_re(
    r"(?:RIP|EIP): (?P<cs>[0-9a-f]{4}):(?:\[<(?P<address>[0-9a-f]+)>\]\s*)?(?:\[<[0-9a-f]+>\]\s*)?"
    r"(?:(?P<name>[A-Za-z_.$][\w.$:]*)(?:\+0x(?P<at>[0-9a-f]+)/0x[0-9a-f]+|(?= \(\S+:[\d?]))"
    r"(?: \[(?P<module>[\w-]+)[^\]]*\])?"
    r"|0x(?P<bare>[0-9a-f]+)|(?P<nil>\(null\)))?"
)
_MARKS: dict[str, FrameKind] = {
    "IRQ": "irq",
    "SOFTIRQ": "softirq",
    "HARDIRQ": "irq",
    "NMI": "nmi",
    "TASK": "task",
    "EOI": "task",
    "EOE": "task",
    "DOE": "task",
}


def is_frame(text: str) -> bool:
    """Return whether a line is a frame of a stack, or one of a stack's marks."""
    known = FRAME.match(text) or MARK.match(text) or FROM.match(text) or OLDEST.match(text)
    return known is not None or (" (" in text and DECODED.match(text) is not None)


def frames_of(lines: Iterable[str]) -> tuple[Frame, ...]:
    """Return the frames of a stack's lines, innermost first; the first place of a program ends them.

    A frame that the kernel marks as a guess is not reliable. Where the log names a frame but prints no address, its
    address is 0.
    """
    kinds: list[FrameKind] = ["task"]
    found: list[Frame] = []
    for text in lines:
        text = _marks(text, kinds)
        if text.startswith(("RIP: ", "EIP: ")):
            inner = INTERRUPTED.match(text)
            if inner is None or int(inner["cs"], 16) & 3:
                break
            found.append(_frame(inner, kinds[-1], True))
        else:
            found += _on_line(text, kinds[-1])
        if len(found) >= MAX_FRAMES:
            break
    return tuple(_softirqs(found))


def _marks(text: str, kinds: list[FrameKind]) -> str:
    """Take the marks off a line's beginning: they tell on which stack the frames behind them stand."""
    while mark := MARK.match(text):
        name = mark["name"].upper()
        if mark["end"] or name in ("EOI", "EOE", "DOE"):
            if len(kinds) > 1:
                kinds.pop()
        elif name == "TASK":
            kinds[:] = ["task"]
        else:
            kinds.append(_MARKS.get(name, "exception"))
        text = text[mark.end() :]
    return text


def _on_line(text: str, kind: FrameKind) -> Iterable[Frame]:
    """Yield the frames of one line: one, but for kernels before 2.6.18."""
    decoded = DECODED.match(text) if " (" in text else None
    if decoded is not None:
        yield _frame(decoded, kind, not decoded["guess"])
        return
    at = 0
    for _ in range(8):
        found, base = FROM.match(text, at) or FRAME.match(text, at), 16
        if found is None:
            found, base = OLDEST.match(text, at), 10
        if found is None or found.end() == at:
            return
        groups = found.groupdict()
        guess = groups.get("guess") or groups.get("open") or groups.get("un")
        frame = _frame(found, kind, not guess, base)
        # No call returns to a function's first byte: behind a call that never returns stands the next function, and
        # kernels that print the address itself (%pS) call the frame by that one's name.
        misnamed = frame.offset == 0 and entry_kind(frame.symbol) is None
        yield frame._replace(reliable=False) if misnamed else frame
        at = found.end()


def _frame(found: re.Match[str], kind: FrameKind, reliable: bool, base: int = 16) -> Frame:
    groups = found.groupdict()
    bare = groups.get("bare")
    address = int(groups.get("address") or bare or "0", 16)
    name = groups.get("name")
    if name is not None and name.startswith("."):  # powerpc's dot symbols
        name = name.lstrip(".") or name
    offset = int(groups["at"], base) if groups.get("at") else None
    return Frame(address, name, offset if name else None, groups.get("module"), entry_kind(name) or kind, reliable)


def _softirqs(frames: list[Frame]) -> list[Frame]:
    """Mark what a softirq runs: the frames inside of its function, up to the interrupt that came on top."""
    for i, frame in enumerate(frames):
        if is_softirq_loop(frame.symbol):
            for j in range(i, -1, -1):
                inner = frames[j]
                if inner.kind not in ("irq", "softirq", "task") or (j < i and entry_kind(inner.symbol)):
                    break
                frames[j] = inner._replace(kind="softirq")
    return frames
