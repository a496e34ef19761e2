"""A dump as CONFIG_RANDSTRUCT's kernel would have left it, made from another: members in another order, by hand.

`PYTHONPATH=core:tests python tests/bench/shuffled.py WHOLE.kdump [SEED]`: the members of some structs change places
with others of their size, in BTF, in every such struct that is found, and in every pointer into one; then both dumps
are read, and whatever the reports differ in is printed. The dump must hold all pages: one that QEMU wrote, whole.
"""

import struct
import sys
from bisect import bisect
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from builders.altered import Altered
from oopscope.boot.attach import attach
from oopscope.dumps import open_path
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.report.build import build, sections
from oopscope.subsystems import TABLES

PAGE = 4096
FIXED = ("thread", "thread_info", "rcu_users")  # first, last, or known to the kernel's own assembly
OF_A_TASK = {"cred": ("cred", "real_cred"), "signal_struct": ("signal",), "sighand_struct": ("sighand",),
             "fs_struct": ("fs",), "files_struct": ("files",), "nsproxy": ("nsproxy",)}  # fmt: skip
EXTRA, EACH = {1: 4, 3: 12, 14: 4, 17: 4}, {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}  # bytes of BTF's kinds
LEFT_OUT = ("coverage", "slabpointers")  # an altered dump does not tell what it holds; stale words of stacks
Moves = list[tuple[int, int, int]]  # (old offset, size, new offset)


class Shuffled:
    """The pages of a dump that differ once its structs' members are in another order."""

    def __init__(self, path: Path, seed: int) -> None:
        self.dump, self.random, self.pages = open_path(path), Random(seed), dict[int, bytearray]()
        self.kernel = attach(self.dump, lambda _text: None)
        start, stop = self.kernel.symbol("__start_BTF"), self.kernel.symbol("__stop_BTF")
        self.btf = bytearray(self.kernel.memory.read(start, stop - start))
        self.places = dict(self._structs())
        self.found = {address: name for name, address in self._objects()}
        self.moves = {name: self._shuffle(name) for name in sorted(set(self.found.values()))}
        self.starts = sorted(self.found)
        self._pointers()
        moved = self.changed()
        for address in self.starts:
            self._write(address, self._members(moved, address))
        self._write(start, bytes(self.btf))

    def changed(self) -> Kernel:
        """Return the kernel of the dump as it is by now."""
        return attach(Altered(self.dump, pages={n: bytes(p) for n, p in self.pages.items()}), lambda _text: None)

    def _text(self, at: int) -> str:
        return self.btf[at : self.btf.index(0, at)].decode()

    def _structs(self) -> Iterator[tuple[str, tuple[int, int, bool]]]:
        """Yield each struct's name with where its members are, how many, and whether offsets carry bit sizes."""
        length, types, size, strings, _ = struct.unpack_from("<5I", self.btf, 4)
        self.strings, at = length + strings, length + types
        while at < length + types + size:
            name, info, _ = struct.unpack_from("<3I", self.btf, at)
            kind, count = info >> 24 & 31, info & 0xFFFF
            if kind == 4:
                yield self._text(self.strings + name), (at + 12, count, bool(info >> 31))
            at += 12 + EXTRA.get(kind, 0) + EACH.get(kind, 0) * count

    def _objects(self) -> Iterator[tuple[str, int]]:
        """Yield (struct, address): every task, and what tasks point to."""
        for row in build(self.kernel, ["tasks"])["tasks"]:
            task = int(row["address"], 16)
            yield "task_struct", task
            for name, members in OF_A_TASK.items():
                for member in members:
                    pointer = self.kernel.view("task_struct", task)[member]
                    if isinstance(pointer, int) and pointer:
                        yield name, pointer

    def _shuffle(self, name: str) -> Moves:
        """Let members of one size change places in BTF; what is no whole bytes, or stands first, stays."""
        first, count, flagged = self.places[name]
        alike: dict[int, list[tuple[int, int]]] = {}
        for n in range(count):
            text, kind, bits = struct.unpack_from("<3I", self.btf, first + 12 * n)
            offset, size = (bits & 0xFFFFFF if flagged else bits) // 8, self.kernel.types.btf.size(kind)
            bit_field = flagged and bits >> 24
            if offset and size and not bit_field and self._text(self.strings + text) not in FIXED:
                alike.setdefault(size, []).append((n, offset))
        moves: Moves = []
        for size, members in alike.items():
            olds = [offset for _, offset in members]
            for (n, old), new in zip(members, self.random.sample(olds, len(olds)), strict=True):
                struct.pack_into("<I", self.btf, first + 12 * n + 8, 8 * new)
                moves.append((old, size, new))
        return sorted(moves)

    def _pointers(self) -> None:
        """Let every word of memory that points into one of the structs point to where the member will be."""
        sizes = {name: self.kernel.types.sizeof(name) for name in self.moves}
        for base, data in self.dump.blocks():
            for n, word in enumerate(struct.unpack(f"<{len(data) // 8}Q", data)):
                at = bisect(self.starts, word) - 1
                if at >= 0 and (past := word - self.starts[at]) < sizes[self.found[self.starts[at]]]:
                    moves = self.moves[self.found[self.starts[at]]]
                    new = next((new + past - old for old, size, new in moves if old <= past < old + size), past)
                    struct.pack_into("<Q", self._page(base // PAGE), 8 * n, self.starts[at] + new)

    def _members(self, kernel: Kernel, address: int) -> bytes:
        name = self.found[address]
        held = kernel.memory.read(address, kernel.types.sizeof(name))
        out = bytearray(held)
        for old, size, new in self.moves[name]:
            out[new : new + size] = held[old : old + size]
        return bytes(out)

    def _page(self, number: int) -> bytearray:
        return self.pages.setdefault(number, bytearray(self.pages.get(number) or self.dump.page(number)))

    def _write(self, address: int, data: bytes) -> None:
        while data:
            length, at = min(len(data), PAGE - address % PAGE), self.kernel.memory.translate(address)
            self._page(at // PAGE)[at % PAGE : at % PAGE + length] = data[:length]
            address, data = address + length, data[length:]


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Yield where two reports differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from differences(one.get(key), other.get(key), f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for n, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{path}[{n}]")
    elif one != other:
        yield f"{path}: {str(one)[:100]} | {str(other)[:100]}"


def main() -> int:
    """Shuffle one dump and hold both reports against each other."""
    path, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    made = Shuffled(path, seed)
    keys = sections(["system", "verdict", "findings", *(k for k, _ in TABLES if k not in ("system", *LEFT_OUT))])
    whole, other = (
        build(kernel, keys, stacks=True) for kernel in (attach(open_path(path), lambda _text: None), made.changed())
    )
    found = list(differences(whole, other))
    counts = {name: len(moves) for name, moves in made.moves.items()}
    print(
        f"{len(made.found)} structs, members that may have moved: {counts}; {len(found)} differences", *found, sep="\n"
    )
    return bool(found)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OopscopeError as error:
        sys.exit(str(error))
