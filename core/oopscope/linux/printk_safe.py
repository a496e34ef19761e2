"""Messages that printk() put aside, because it was called in an NMI or by itself, and that never reached the log.

Follows kernel/printk/printk_safe.c up to 93d102f094be "printk: remove safe buffers", 5.15: a buffer a CPU for either.
Its length must lie within it.
"""

from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.kernel.once import once
from oopscope.structs.plan import Plan

BUFFERS = (("nmi_print_seq", "NMI"), ("safe_print_seq", "printk() itself"))
LEVEL = b"\1"  # KERN_SOH, before a message's level


class SafeBuffer(NamedTuple):
    """struct printk_safe_seq_buf: how much of it is used, and how many messages found no room."""

    length: int
    lost: int
    buffer: int


BUFFER = Plan("printk_safe_seq_buf", SafeBuffer, length="len.counter", lost="message_lost.counter", buffer="&buffer")


class SafeMessage(NamedTuple):
    """A line that was put aside."""

    cpu: int
    context: str
    text: str
    lost: int  # messages of the buffer that found no room
    address: int


@once
def safe_messages(kernel: Kernel) -> list[SafeMessage]:
    """Return the lines that were put aside, in the order of CPUs; none of a kernel without such buffers."""
    found = list[SafeMessage]()
    wanted = [(symbol, word) for symbol, word in BUFFERS if kernel.find_symbol(symbol) is not None]
    if not wanted:
        return found
    bound, member = kernel.bind(BUFFER), kernel.types.member("printk_safe_seq_buf", "buffer")
    for cpu in present_cpus(kernel):
        for symbol, word in wanted:
            try:
                row = bound.row(kernel.per_cpu(symbol, cpu))
                if row.length > member.size:
                    kernel.problems.add("safemessages", f"a buffer of CPU {cpu} holds more than it can", row.buffer)
                    continue
                raw = kernel.memory.read(row.buffer, row.length) if row.length else b""
            except OopscopeError as e:
                kernel.problems.lost("safemessages", f"what CPU {cpu} put aside")(e)
                continue
            at = row.buffer
            for line in raw.split(b"\n"):
                text = line[2:] if line.startswith(LEVEL) else line
                if text:
                    found.append(SafeMessage(cpu, word, decoded(text), row.lost, at))
                at += len(line) + 1
    return found
