"""One frame of a stack, as every unwinder yields it."""

from typing import Literal, NamedTuple

FrameKind = Literal["task", "irq", "softirq", "nmi", "exception", "syscall", "user"]


class Frame(NamedTuple):
    """A return address (or a program counter) and what is known of it."""

    address: int
    symbol: str | None  # the function's name; None where no symbol covers the address
    offset: int | None  # bytes into the function
    module: str | None  # None for the kernel itself
    kind: FrameKind  # which stack or boundary it stands on
    reliable: bool  # False: found by scanning the stack's words, so a guess
    sp: int = 0  # the stack pointer in this frame, 0 where unknown

    def __str__(self) -> str:
        if self.symbol is None:
            return f"{self.address:#x}"
        where = f" [{self.module}]" if self.module else ""
        return f"{self.place}{where}"

    @property
    def place(self) -> str | None:
        """The function and how far into it; the function alone where no offset is told; None without a name."""
        if self.symbol is None or self.offset is None:
            return self.symbol
        return f"{self.symbol}+{self.offset:#x}"
