"""The kernel log: the printk ring buffer (5.10 and later) and the record buffer before it (3.5 to 5.9).

Follows kernel/printk/{printk,printk_ringbuffer}.c. Every offset comes from VMCOREINFO, so the log needs neither
symbols nor types. Records whose text was overwritten, or is not in the dump, are counted as problems, not dropped.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Implausible, NoSymbol, OopscopeError, ReadError
from oopscope.kernel.clock import seconds
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once

MAX_DESCRIPTORS = 1 << 22
MAX_BUFFER = 64 << 20
LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
COMMITTED, FINALIZED = 1, 2
NO_TEXT_LOST, NO_TEXT_EMPTY = 1, 3  # data-less block positions: FAILED_LPOS, EMPTY_LINE_LPOS


class Record(NamedTuple):
    """One record of the log; its text may have several lines."""

    index: int  # type: ignore[assignment]  # its place in the log, from 0; hides the method of tuples
    ns: int | None  # nanoseconds of the kernel's clock since boot; None where a text has no such times
    level: int | None  # 0 emerg .. 7 debug
    facility: int | None  # 0 the kernel; another: a program wrote it to /dev/kmsg
    caller: str | None  # T123 (a task) or C1 (a CPU); None where the kernel does not record it (before 5.1)
    text: str
    wall: int | None = None  # nanoseconds since 1970, where a text has no other times; its year may be wrong

    @property
    def stamp(self) -> str:
        """The time as the kernel prints it: seconds and microseconds since boot; empty where it is not known."""
        return f"[{seconds(self.ns, 5)}]" if self.ns is not None else ""


@once
def log(kernel: Kernel) -> list[Record]:
    """Return the log, oldest first; NoSymbol when VMCOREINFO names no log."""
    if kernel.log_beside is None:
        return _own(kernel)
    try:
        found = _own(kernel)
    except OopscopeError as e:
        return _beside(kernel, [], str(e))
    return found if found and kernel.facts.complete else _beside(kernel, found, "")


def _beside(kernel: Kernel, own: list[Record], why: str) -> list[Record]:
    """Return the log that was saved beside a dump whose own is lost, or has fewer records."""
    assert kernel.log_beside is not None
    name, entries = kernel.log_beside()
    found = [Record(at, *entry[:6]) for at, entry in enumerate(entries)]
    if len(found) <= len(own):
        if why:
            raise Implausible(why)
        return own
    kernel.log_from = name
    kernel.problems.add(
        "log", f"the dump's own log {f'cannot be read ({why})' if why else 'is not whole'}: it is {name}'s"
    )
    return found


def _own(kernel: Kernel) -> list[Record]:
    told = getattr(kernel.dump, "records", None)
    if told is not None:
        return [Record(at, *entry[:6]) for at, entry in enumerate(told)]
    if kernel.info.symbol("prb") is not None:
        return list(_ring(kernel))
    if kernel.info.symbol("log_buf") is not None:
        return list(_record_buffer(kernel))
    raise NoSymbol("prb or log_buf in VMCOREINFO")


def _need(kernel: Kernel, *members: str) -> list[int]:
    offsets = [kernel.info.offset(m) for m in members]
    for member, offset in zip(members, offsets, strict=True):
        if offset is None:
            raise Implausible(f"VMCOREINFO lacks OFFSET({member})")
    return [o for o in offsets if o is not None]


class _Ring(NamedTuple):
    """The parts of a struct printk_ringbuffer."""

    mask: int
    descs: int
    infos: int
    head: int
    tail: int
    data: int
    data_size: int


def _open_ring(kernel: Kernel) -> _Ring:
    memory = kernel.memory
    base = memory.word(kernel.symbol("prb"))
    desc_ring, text_ring = _need(kernel, "printk_ringbuffer.desc_ring", "printk_ringbuffer.text_data_ring")
    count_bits, descs, infos, head, tail = _need(
        kernel, *(f"prb_desc_ring.{m}" for m in ("count_bits", "descs", "infos", "head_id", "tail_id"))
    )
    size_bits, data = _need(kernel, "prb_data_ring.size_bits", "prb_data_ring.data")
    bits, text_bits = memory.u32(base + desc_ring + count_bits), memory.u32(base + text_ring + size_bits)
    if not 1 <= bits <= 22 or not 8 <= text_bits <= 26:
        raise Implausible(f"a printk ring buffer of 2^{bits} records and 2^{text_bits} bytes", base)
    return _Ring(
        mask=(1 << bits) - 1,
        descs=memory.word(base + desc_ring + descs),
        infos=memory.word(base + desc_ring + infos),
        head=memory.word(base + desc_ring + head),
        tail=memory.word(base + desc_ring + tail),
        data=memory.word(base + text_ring + data),
        data_size=1 << text_bits,
    )


def _ring(kernel: Kernel) -> Iterator[Record]:
    """Walk descriptor ids from the tail to the head; each names its info record and its block of text."""
    info, memory, ring = kernel.info, kernel.memory, _open_ring(kernel)
    word = memory.word_size * 8
    desc_size, info_size = info.size("prb_desc") or 24, info.size("printk_info") or 88
    state_at, blk_at = _need(kernel, "prb_desc.state_var", "prb_desc.text_blk_lpos")
    seq_at, ns_at, len_at, caller_at = _need(
        kernel, *(f"printk_info.{m}" for m in ("seq", "ts_nsec", "text_len", "caller_id"))
    )
    text = _TextRing(kernel, ring)
    ids = (1 << word - 2) - 1
    span = min(ring.head - ring.tail & ids, ring.mask)
    index = lost = taken = 0
    missing: list[ReadError] = []
    for step in range(span + 1):
        number = ring.tail + step & ids
        slot = number & ring.mask
        try:
            buffer, at = memory.view(ring.descs + slot * desc_size, desc_size)
            state = memory._word.unpack_from(buffer, at + state_at)[0]
            if state & ids != number or state >> word - 2 not in (COMMITTED, FINALIZED):
                lost += step not in (0, span)  # the oldest is often the one being recycled, the newest reserved
                continue
            begin, following = struct.unpack_from(
                memory._word.format[0] + memory._word.format[1] * 2, buffer, at + blk_at
            )
            buffer, at = memory.view(ring.infos + slot * info_size, info_size)
            ns, length, facility, packed, caller = (
                *struct.unpack_from(memory._word.format[0] + "Q", buffer, at + ns_at),
                *struct.unpack_from(memory._word.format[0] + "HBB", buffer, at + len_at),
                _u32(kernel, buffer, at + caller_at),
            )
            body = text.block(number, begin, following, length)
        except ReadError as e:
            missing.append(e)
            continue
        if body is None:
            lost += 1
            continue
        taken += length
        if taken > 2 * ring.data_size:
            kernel.problems.add(
                "log", f"its records overlap: their texts are longer than the ring; no more after {index}"
            )
            break
        yield Record(index, ns, packed >> 5, facility, _caller(caller), body)
        index += 1
    del seq_at
    if missing:
        first = missing[0]
        kernel.problems.add("log", f"{len(missing)} of {span + 1} records cannot be read: {first}", first.address)
    if lost:
        kernel.problems.add("log", f"{lost} records have no text: it was overwritten, or they were never finished")


def _u32(kernel: Kernel, buffer: bytes, at: int) -> int:
    value: int = struct.unpack_from(kernel.endian + "I", buffer, at)[0]
    return value


class _TextRing:
    """The data ring: blocks of an id word and text, the last of which may wrap to the start."""

    def __init__(self, kernel: Kernel, ring: _Ring) -> None:
        self._memory, self._ring, self._lost = kernel.memory, ring, False
        self._word = kernel.memory.word_size

    def block(self, number: int, begin: int, following: int, length: int) -> str | None:
        """Return a record's text; None where its block was lost or now belongs to another record."""
        if begin & 1:
            return "" if begin & 3 == NO_TEXT_EMPTY else None
        size, word = self._ring.data_size, self._word
        start, room = begin % size, following - begin - word
        if begin // size != (following - 1) // size:  # wrapped: the id is written again at the ring's start
            start, room = 0, following % size - word
        if not 0 <= room <= size or start + word + room > size:
            return None
        if self._memory.word(self._ring.data + start) != number:
            return None
        raw = self._memory.read(self._ring.data + start + word, min(length, room)) if room and length else b""
        return decode(raw)


def _caller(caller: int) -> str:
    """Who printed: bit 31 set is a CPU, clear a task. The ring buffer records it whatever PRINTK_CALLER says."""
    return f"C{caller & 0x7FFFFFFF}" if caller >> 31 else f"T{caller}"


def decode(raw: bytes) -> str:
    """Turn log bytes into text; bytes that are not UTF-8 become \\x escapes, as the kernel itself prints them."""
    return decoded(raw)


def _record_buffer(kernel: Kernel) -> Iterator[Record]:
    """Walk the record buffer of 3.5 to 5.9: headers of 16 bytes or more, each with its own length."""
    info, memory = kernel.info, kernel.memory
    name = "printk_log" if info.size("printk_log") else "log"
    header = info.size(name) or 16
    ns_at, len_at, text_at = _need(kernel, f"{name}.ts_nsec", f"{name}.len", f"{name}.text_len")
    caller_at = info.offset(f"{name}.caller_id")
    base = memory.word(kernel.symbol("log_buf"))
    size = memory.u32(_exported(kernel, "log_buf_len"))
    first, following = memory.u32(_exported(kernel, "log_first_idx")), memory.u32(_exported(kernel, "log_next_idx"))
    if not 0 < size <= MAX_BUFFER or first > size or following > size:
        raise Implausible(f"a log buffer of {size} bytes, from {first} to {following}", base)
    data, at, index, wrapped = memory.read(base, size), first, 0, first <= following
    while at != following or not wrapped:
        if at + header > size:
            break
        (length,) = struct.unpack_from(kernel.endian + "H", data, at + len_at)
        if length == 0:
            if wrapped:
                break
            at, wrapped = 0, True
            continue
        if length < header:
            kernel.problems.add("log", f"a record of {length} bytes: the log is damaged from there on", base + at)
            break
        (ns,) = struct.unpack_from(kernel.endian + "Q", data, at + ns_at)
        (text_len,) = struct.unpack_from(kernel.endian + "H", data, at + text_at)
        facility, packed = data[at + 14], data[at + 15]
        caller = _caller(_u32(kernel, data, at + caller_at)) if caller_at is not None else None
        body = decode(data[at + header : at + header + min(text_len, length)])
        yield Record(index, ns, packed >> 5, facility, caller, body)
        index, at = index + 1, at + length


def _exported(kernel: Kernel, name: str) -> int:
    address = kernel.info.symbol(name)
    return address if address is not None else kernel.symbol(name)
