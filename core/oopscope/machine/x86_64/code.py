"""The places in x86_64's code that the kernel itself writes to while it runs."""

from oopscope.kernel.kernel import Kernel

NOP5 = (b"\x0f\x1f\x44\x00\x00", b"\x66\x66\x66\x66\x90")  # one or the other by CPU up to 5.12
ENDBR = b"\xf3\x0f\x1e\xfa"
SEALED = (b"\x0f\x1f\x40\xd6", b"\x66\x0f\x1f\x00")  # gen_endbr_poison(): since 6.14, and before


def patched(kernel: Kernel, code: bytes, address: int, start: int, target: int | None) -> str:
    """Name the places that the kernel itself writes to while it runs."""
    before = address - start in (0, len(ENDBR))
    if code in SEALED and address == start:
        return "endbr, sealed: nothing calls it indirectly"
    if code in NOP5:
        return "ftrace's place, off" if before else "patched: a static key that is off, or an alternative ?"
    if before and code[:1] == b"\xe8" and target is not None:
        name = kernel.name_of(target)
        if name is None or "ftrace" in name.symbol or "fentry" in name.symbol:
            return "ftrace is on here" + (f": {name.symbol}" if name else "")
    if code == b"\xcc" and before:
        return "a breakpoint: kprobes ?"
    return ""
