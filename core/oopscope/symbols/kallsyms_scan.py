"""Finding kallsyms in a kernel's image where VMCOREINFO does not name it (before 6.0, or without a note).

The token table betrays itself: the ten digits are nearly always tokens of their own, one after the other, and the
token index must repeat the offsets of its 256 strings. Everything else follows from the order in which
scripts/kallsyms.c writes the tables (see kallsyms_tables). The method of vmlinux-to-elf, without its guesses: every
step is proved by the next. Most of an image is text, so a page here and there is looked at first, for one that holds a
piece of a sorted table of addresses.
"""

from array import array
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from oopscope.errors import Implausible, ReadError
from oopscope.symbols.blob import NATIVE, PAGE, Code, Endian, Read
from oopscope.symbols.kallsyms_names import RUN, Tokens
from oopscope.symbols.kallsyms_tables import Core, Tables, derive
from oopscope.symbols.search import CHUNK, HOLE, IMAGE, occurrences, read_lenient

DIGITS = b"".join(b"%d\0" % n for n in range(10))
STRIDE = 128 << 10  # the table of addresses is longer than that on all but the smallest kernels
NEAR = 16 << 20
MAX_TABLE = 1 << 16
MAX_RUN = RUN * 514  # bytes that one run of names may take
_ORDER: dict[Endian, Literal["little", "big"]] = {"<": "little", ">": "big"}
WINDOW = 4  # ascending words that make a piece of the markers


def scan(read: Read, stext: int, bits: int = 64, endian: Endian = "<") -> Tables:
    """Find the tables in the image that begins at _stext; Implausible when they are not there."""
    hint = _sample(read, stext, bits, endian)
    ranges = [(hint, hint + NEAR)] if hint else []
    for start, end in [*ranges, (stext, stext + IMAGE)]:
        for digits in occurrences(read, DIGITS, start, end):
            tables = _tables_at(read, digits, stext, bits, endian)
            if tables:
                return tables
    raise Implausible("kallsyms: no token table in the kernel's image", stext)


def _words(raw: bytes, code: Code, endian: Endian) -> list[int]:
    words = array(code, raw)
    if endian != NATIVE:
        words.byteswap()
    return words.tolist()


def _sample(read: Read, stext: int, bits: int, endian: Endian) -> int:
    """Return the address of a page of sorted addresses or offsets, 0 if none was met."""
    unreadable = 0
    for page in range(stext & -PAGE, stext + IMAGE, STRIDE):
        raw = read_lenient(read, page, PAGE)
        unreadable = unreadable + STRIDE if raw is None else 0
        if unreadable > HOLE:
            break
        if raw and _is_sorted(raw, stext, bits, endian):
            return page
    return 0


def _is_sorted(raw: bytes, stext: int, bits: int, endian: Endian) -> bool:
    """Tell whether a page is a piece of kallsyms_offsets (rising from 0, or falling below it) or _addresses."""
    first, middle, last = (int.from_bytes(raw[at : at + 4], _ORDER[endian], signed=True) for at in (0, 2048, 4092))
    if (first > middle > last and first < 0) or 0 <= first < middle < last:
        words = _words(raw, "i", endian)
        rises = words == sorted(words, reverse=first < 0)
        if rises and abs(last - first) < IMAGE and len({*words}) > 256:
            return True
    first, last = (int.from_bytes(raw[at : at + bits // 8], _ORDER[endian]) for at in (0, PAGE - bits // 8))
    if stext <= first < last < stext + IMAGE:
        words = _words(raw, "Q" if bits == 64 else "I", endian)
        return words == sorted(words)
    return False


def _tables_at(read: Read, digits: int, stext: int, bits: int, endian: Endian) -> Tables | None:
    """Follow the tables from the digits in the token table; None when this is no token table."""
    try:
        token_table, token_index = _token_table(read, digits, endian)
        for core in _cores(read, token_table, token_index, bits, endian):
            try:
                return derive(read, core, _places(core, bits), stext, bits, endian)
            except (Implausible, ReadError):
                continue
    except (Implausible, ReadError):
        pass
    return None


def _token_table(read: Read, digits: int, endian: Endian) -> tuple[int, int]:
    """Return the addresses of the token table and its index; Implausible when they do not prove each other."""
    after = read_lenient(read, digits, MAX_TABLE) or b""
    end = 0
    for _ in range(256 - ord("0")):
        end = after.find(b"\0", end) + 1
        if not end:
            raise Implausible("kallsyms: no end of the token table", digits)
    for align in (8, 4):
        token_index = digits + end + align - 1 & -align
        index = _words(read(token_index, 512), "H", endian)
        table = digits - index[ord("0")]
        try:
            strings = Tokens.parse(read(table, digits + end - table), index).strings
        except Implausible:
            continue
        if table + index[255] + len(strings[255]) + 1 == digits + end and strings[48:58] == DIGITS.split(b"\0")[:10]:
            return table, token_index
    raise Implausible("kallsyms: the token index does not fit", digits)


def _cores(read: Read, token_table: int, token_index: int, bits: int, endian: Endian) -> Iterator[Core]:
    """Yield what num_syms and names may be: a count, just before the names, that agrees with the markers."""
    for markers, values in _markers(read, token_table, endian):
        runs = len(values)
        low = max(markers - values[-1] - MAX_RUN - 16, 0) & -8
        raw = read_lenient(read, low, markers - values[-1] - low & -8) or b""
        for i, word in enumerate(_words(raw, "I", endian)):
            if (runs - 2) * RUN < word <= runs * RUN:
                at = low + 4 * i
                if endian == ">" and bits == 64:  # the low half of an unsigned long (up to 4.20), or 32 bits
                    yield Core(word, at - 4, at + 4, token_table, token_index)
                yield Core(word, at, at + 8, token_table, token_index)
                yield Core(word, at, at + 4, token_table, token_index)


def _markers(read: Read, token_table: int, endian: Endian) -> Iterator[tuple[int, list[int]]]:
    """Yield (address, values) of what may be the markers, going back from the token table."""
    widths: tuple[tuple[int, Code], ...] = ((4, "I"), (8, "Q"))
    for size, code in widths:
        end = token_table & -8
        for low in range(end - CHUNK, end - NEAR, -CHUNK):
            raw = read_lenient(read, low, CHUNK)
            if raw is None:
                break
            words = _words(raw, code, endian)
            for i in range(len(words) - WINDOW, -1, -WINDOW):
                if RUN < words[i + 1] - words[i] <= MAX_RUN and _ascends(words[i : i + WINDOW]):
                    yield from _whole(read, low + i * size, size, code, endian)
                    break  # the rest of this stretch is the same table, or none
            else:
                continue
            break


def _ascends(words: list[int]) -> bool:
    return all(RUN < b - a <= MAX_RUN for a, b in pairwise(words)) and words[-1] < 1 << 26


def _whole(read: Read, inside: int, size: int, code: Code, endian: Endian) -> Iterator[tuple[int, list[int]]]:
    """Extend a piece of the markers both ways: down to 0, up while they ascend."""
    low = inside - MAX_TABLE
    words = _words(read_lenient(read, low, 2 * MAX_TABLE) or b"", code, endian)
    first = last = MAX_TABLE // size
    while first > 0 and words[first] and RUN < words[first] - words[first - 1] <= MAX_RUN:
        first -= 1
    while last + 1 < len(words) and RUN < words[last + 1] - words[last] <= MAX_RUN:
        last += 1
    if words and words[first] == 0:
        for end in range(last + 1, max(last - 2, first), -1):  # what follows the table may seem to go on with it
            yield low + first * size, words[first:end]


def _places(core: Core, bits: int) -> list[tuple[int, int]]:
    """Return where offsets (and relative_base) or addresses may be: before num_syms, or after the token index."""
    word = bits // 8
    base = core.num_syms - word
    after = core.token_index + 512
    behind = [(after, (after + 4 * core.count + align - 1) & -align) for align in (8, 4)]
    return [
        (base - 4 * core.count & -word, base),
        (core.num_syms - word * core.count, 0),
        *behind,
        (after, 0),
    ]
