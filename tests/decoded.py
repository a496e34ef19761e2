"""The types of a kernel, gone through once a process: hundreds of tests open dumps, and changed copies, of few kernels.

What is kept is told by all the bytes that it was made of, so that a copy with one byte changed there is gone through
anew. Going through them has tests of its own.
"""

from collections.abc import Callable
from typing import Any

from pytest import MonkeyPatch

from oopscope.symbols.btf_table import BtfTable

LEAST = 1 << 18  # bytes; what tests make up is smaller
KERNELS = 4

Made = tuple[bytes, Any]


def _once(kept: list[Made], data: bytes, make: Callable[[], Any]) -> Any:
    """Return what was made of the same bytes before; of the least recently asked for nothing is kept."""
    found = next((one for one in kept if one[0] == data), None)
    if found is None:
        found = (data, make())
    else:
        kept.remove(found)
    kept.insert(0, found)
    del kept[KERNELS:]
    return found[1]


def decode_once(patch: MonkeyPatch) -> None:
    """Keep the index of types and the names of types of whole kernels."""
    index, by_name = BtfTable._index, BtfTable._by_name
    indices: list[Made] = []
    names: list[Made] = []

    def index_once(self: BtfTable) -> None:
        self._load_types()

        def make() -> Any:
            index(self)
            return self._offsets, self._named, self.problem

        if self._types_size < LEAST:
            make()
        else:
            self._offsets, self._named, self.problem = _once(indices, self._words.tobytes(), make)

    def names_once(self: BtfTable) -> dict[bytes, int]:
        if self._names is None and self.base is None and self._whole and self._strings_size >= LEAST:
            self._blob.need(self._strings, self._strings + self._strings_size)
            text = bytes(self._blob.data[self._strings : self._strings + self._strings_size])
            found = _once(names, self._named[1].tobytes() + text, lambda: (by_name(self), self._same))
            self._names, self._same = found
            self._whole_strings = True
        return by_name(self)

    patch.setattr(BtfTable, "_index", index_once)
    patch.setattr(BtfTable, "_by_name", names_once)
