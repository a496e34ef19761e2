"""What no table of symbols names, found by what it holds: the ORC tables, the head of the list of modules.

Follows include/asm-generic/vmlinux.lds.h (ORC_UNWIND_TABLE) and kernel/module/main.c. Only a kernel without
CONFIG_KALLSYMS_ALL needs it. Each search is bounded by the image, and what it finds is checked before it is believed.
"""

import struct
from functools import cached_property

from oopscope.boot.image import image
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.symbols.orc import FORMS, MAX_COUNT
from oopscope.symbols.search import CHUNK, IMAGE, read_lenient

FEWEST = 20_000  # entries of a kernel's own ORC table
SAMPLE = 2048  # entries that are looked at
FRAME = 1024  # bytes of a function's frame, but for few
HEADER = 20  # bytes of .orc_header (6.4), a hash
MAX_NAME = 56
MAX_MODULES = 4096


class OrcTables:
    """The kernel's ORC tables: .orc_unwind_ip begins with the place of the first function, and ascends."""

    what = "a search for the ORC tables"

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    @cached_property
    def places(self) -> dict[str, int]:
        """Return the addresses by the names that the linker gave them; empty where there are no such tables."""
        kernel = self._kernel
        if not kernel.arch.orc:
            return {}
        shape = FORMS[kernel.arch.orc]
        stext = kernel.info.symbol("_stext") or 0
        with kernel.memory.physical.searching():
            for place in kernel.cached(image).starts():
                count = self._ascending(place, stext)
                if count >= FEWEST and self._has_entries(place + 4 * count, count, shape):
                    return _named(place, count, shape)
        return {}

    def _ascending(self, place: int, stext: int) -> int:
        """Return how many entries of a table of places follow each other upwards from an address."""
        raw = read_lenient(self._kernel.memory.read, place, 4 * 64) or b""
        if not _is_ascending(raw, place, stext, self._kernel.endian):
            return 0
        count, last = 0, stext - 1
        for at in range(place, place + 4 * MAX_COUNT, CHUNK):
            words = struct.iter_unpack(
                self._kernel.endian + "i", read_lenient(self._kernel.memory.read, at, CHUNK) or b""
            )
            for index, (word,) in enumerate(words):
                code = at + 4 * index + word
                if not last <= code < stext + IMAGE:
                    return count
                count, last = count + 1, code
        return count

    def _has_entries(self, start: int, count: int, shape: struct.Struct) -> bool:
        """Tell whether what follows are ORC's entries: offsets that are of whole words, nearly all of them small."""
        raw = read_lenient(self._kernel.memory.read, start, shape.size * min(count, SAMPLE)) or b""
        offsets = [sp for sp, *_rest in shape.iter_unpack(raw[: len(raw) // shape.size * shape.size])]
        good = sum(sp % 8 == 0 and 0 <= sp <= FRAME for sp in offsets)
        return bool(offsets) and good * 10 >= len(offsets) * 9

    def lookup(self, name: str) -> int | None:
        """Return where a table begins or ends; None for another name."""
        return self.places.get(name) if "_orc_" in name else None


def _is_ascending(raw: bytes, place: int, first: int, endian: str) -> bool:
    last = first
    for index, (word,) in enumerate(struct.iter_unpack(endian + "i", raw[: len(raw) & -4])):
        code = place + 4 * index + word
        if not last <= code < first + IMAGE:
            return False
        last = code
    return len(raw) >= 4 * 64


def _named(place: int, count: int, shape: struct.Struct) -> dict[str, int]:
    stop = place + 4 * count
    return {
        "__start_orc_unwind_ip": place,
        "__stop_orc_unwind_ip": stop,
        "__start_orc_unwind": stop,
        "__stop_orc_unwind": stop + shape.size * count,
        "__start_orc_header": place - HEADER,
    }


class ModuleList:
    """`modules`, the head of the list of modules: a node in the image of a ring whose others are modules' links."""

    what = "a search for the list of modules"

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    @cached_property
    def head(self) -> int | None:
        """Return the list's head; None where none is found."""
        kernel = self._kernel
        try:
            link, name = kernel.types.member("module", "list").offset, kernel.types.member("module", "name").offset
        except OopscopeError:
            return None
        with kernel.memory.physical.searching():
            for place, word in kernel.cached(image).pointers_to_modules():
                if not self._is_image(word) and self._is_ring(place, word, link, name):
                    return place
        return None

    def _is_image(self, address: int) -> bool:
        """Tell whether an address lies in the image, which is one piece of physical memory; modules are not."""
        stext, translate = self._kernel.info.symbol("_stext") or 0, self._kernel.memory.translate
        try:
            return stext <= address < stext + IMAGE and translate(address) - translate(stext) == address - stext
        except OopscopeError:
            return True

    def _is_ring(self, head: int, node: int, link: int, name: int) -> bool:
        """Tell whether a list from a head goes round through modules that have names, each linked both ways."""
        before = head
        for _ in range(MAX_MODULES):
            if node == head:
                return True
            if self._is_image(node) or not self._is_module(before, node, link, name):
                return False
            before, node = node, self._kernel.memory.word(node)
        return False

    def _is_module(self, before: int, node: int, link: int, name: int) -> bool:
        """Tell whether a node's `prev` is the one before and a module with a name is around it."""
        try:
            if self._kernel.memory.word(node + self._kernel.memory.word_size) != before:
                return False
            text = self._kernel.memory.cstring(node - link + name, MAX_NAME)
        except OopscopeError:
            return False
        return bool(text) and all(byte < 0x80 and (chr(byte).isalnum() or byte in b"_-") for byte in text)

    def lookup(self, name: str) -> int | None:
        """Return the head's address; None for another name."""
        return self.head if name == "modules" else None
