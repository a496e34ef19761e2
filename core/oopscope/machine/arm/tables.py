"""ARM's unwind tables: what undoes a function's frame, by instructions of one and two bytes.

Follows the Exception Handling ABI for the Arm Architecture (EHABI32), sections 6 and 10, and arch/arm/kernel/unwind.c.
An index has two words for each function, sorted by address: where it begins, and what undoes it or where that is.
Distances in it are of 31 bits, from where they stand. It knows no stack that is walked.
"""

from collections.abc import Callable, Iterator, Mapping

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel

CANNOT_UNWIND = 1
MAX_WORDS = 64  # of instructions for one function
MAX_TABLES = 4096
PC, LR, SP = 15, 14, 13
FINISH = 0xB0
BOUNDS = ("start", "stop", "begin_addr", "end_addr")  # of struct unwind_table
ReadWord = Callable[[int], int]


class NoUnwindError(Exception):
    """The tables do not tell how to undo a frame."""


def prel31(place: int, word: int) -> int:
    """Return the address that a distance leads to."""
    distance = word & 0x7FFFFFFF
    return (place + distance - ((distance & 0x40000000) << 1)) & 0xFFFFFFFF


def find(read: ReadWord, start: int, end: int, pc: int) -> int | None:
    """Return the place of the index's entry for a program counter; None where it begins behind that."""
    low, high = 0, (end - start) // 8
    while low < high:
        middle = (low + high) // 2
        place = start + 8 * middle
        if prel31(place, read(place)) <= pc:
            low = middle + 1
        else:
            high = middle
    return start + 8 * (low - 1) if low else None


def instructions(read: ReadWord, place: int) -> bytes:
    """Return what undoes a function's frame, given its entry in the index; NoUnwindError where that is not told."""
    word = read(place + 4)
    if word == CANNOT_UNWIND:
        raise NoUnwindError
    if word >> 31:
        words = [word]
    else:
        at = prel31(place + 4, word)
        first = read(at)
        more = first >> 16 & 0xFF if first >> 24 == 0x81 else 0
        if more > MAX_WORDS:
            raise NoUnwindError
        words = [first, *(read(at + 4 * n) for n in range(1, more + 1))]
    kind = words[0] >> 24
    if kind not in (0x80, 0x81):
        raise NoUnwindError
    return b"".join(word.to_bytes(4, "big") for word in words)[1 if kind == 0x80 else 2 :]


def undone(code: bytes, registers: Mapping[int, int], read: ReadWord) -> dict[int, int]:
    """Undo a function's frame: return the caller's registers by number, PC among them; of others nothing is known.

    NoUnwindError where an instruction cannot be followed.
    """
    known = dict(registers)
    known.pop(PC, None)
    sp = known[SP]
    stream = iter(code)
    for byte in stream:
        if byte == FINISH:
            break
        if byte < 0x80:
            sp += ((byte & 0x3F) * 4 + 4) * (-1 if byte & 0x40 else 1)
        elif byte == 0xB2:
            sp += 0x204 + (_uleb128(stream) << 2)
        elif byte & 0xF0 == 0x90 and byte & 15 not in (SP, PC):
            if byte & 15 not in known:
                raise NoUnwindError
            sp = known[byte & 15]
        else:
            saved = _popped(byte, stream)
            for number in saved:
                known[number] = read(sp)
                sp += 4
            sp = known[SP] if SP in saved else sp
    known[SP] = sp & 0xFFFFFFFF
    return {PC: known.get(LR, 0), **known}


def _popped(byte: int, stream: Iterator[int]) -> list[int]:
    """Return the registers that an instruction pops, the lowest first."""
    if byte & 0xF0 == 0x80:
        mask = (byte & 15) << 8 | next(stream, 0)
        if mask:
            return [number for number in range(4, 16) if mask >> number - 4 & 1]
    elif byte & 0xF0 == 0xA0:
        return [*range(4, 5 + (byte & 7)), *([LR] if byte & 8 else [])]
    elif byte == 0xB1:
        mask = next(stream, 0)
        if mask and not mask & 0xF0:
            return [number for number in range(4) if mask >> number & 1]
    raise NoUnwindError


def _uleb128(stream: Iterator[int]) -> int:
    value = 0
    for n, byte in zip(range(4), stream, strict=False):
        value |= (byte & 0x7F) << 7 * n
        if not byte & 0x80:
            break
    return value


def index_of_kernel(kernel: Kernel) -> tuple[int, int] | None:
    """Return the bounds of the kernel's own index; None where no symbols tell them."""
    start, end = kernel.find_symbol("__start_unwind_idx"), kernel.find_symbol("__stop_unwind_idx")
    return (start, end) if start and end and start < end else None


def indexes(kernel: Kernel) -> list[tuple[range, int, int]]:
    """Return the indexes of modules' sections: the code that they are for, and their bounds."""
    found: list[tuple[range, int, int]] = []
    head = kernel.find_symbol("unwind_tables")
    try:
        if head is None:
            return found
        types = kernel.types
        at = {name: types.member("unwind_table", name).offset for name in ("list", *BOUNDS)}
        node = kernel.memory.word(head)
        while node != head and len(found) < MAX_TABLES:
            one = node - at["list"]
            start, stop, first, last = (kernel.memory.word(one + at[name]) for name in BOUNDS)
            found.append((range(first, last), start, stop))
            node = kernel.memory.word(node)
    except OopscopeError as e:
        kernel.problems.lost("stacks", "a module's unwind tables")(e)
    return found
