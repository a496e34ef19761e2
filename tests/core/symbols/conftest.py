"""Synthetic kernel images for the tests of symbols: kallsyms tables as scripts/kallsyms.c writes them, and BTF."""

import os
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import stored
from builders.btf import BtfBuilder
from oopscope.errors import NotMapped
from oopscope.symbols.vmcoreinfo import VmcoreInfo

DUMPS = Path(os.environ.get("OOPSCOPE_TEST_DUMPS") or stored.DUMPS)


class Image:
    """Memory that is mapped from `base` on; reads outside it fail, and so do holes."""

    def __init__(self, base: BtfBuilder | int | None, data: bytearray) -> None:
        self.base, self.data, self.holes, self.reads = base, bytearray(data), set(), 0  # type: ignore[var-annotated]

    def read(self, address: int, size: int) -> bytes:
        self.reads += 1
        at = address - self.base
        if at < 0 or at + size > len(self.data):
            raise NotMapped(address)
        for page in range(address >> 12, (address + size - 1 >> 12) + 1):
            if page in self.holes:
                raise NotMapped(page << 12)
        return bytes(self.data[at : at + size])


@cache
def compress(texts: tuple[bytes, ...]) -> tuple[list[bytes], list[bytes]]:
    """Compress as optimize_result() in scripts/kallsyms.c does; return (compressed, the 256 tokens' texts)."""
    apart = "\u0100"  # which is no code: all names are one text, and are counted and replaced in at once
    text = apart.join(t.decode("latin-1") for t in texts)
    used = set(text)
    pairs = {c: c for c in used}
    for code in map(chr, range(255, -1, -1)):
        if code in used:
            continue
        counts = Counter(pairwise(text))
        best = max((pair for pair in counts if apart not in pair), key=counts.__getitem__, default=None)
        if best is None or counts[best] < 2:
            break
        pairs[code] = pairs[best[0]] + pairs[best[1]]
        text = text.replace("".join(best), code)
    found = [t.encode("latin-1") for t in text.split(apart)]
    return found, [pairs.get(chr(c), "").encode("latin-1") for c in range(256)]


@dataclass
class Made:
    image: Image
    info: VmcoreInfo
    stext: int
    places: dict[str, int]
    symbols: list[tuple[int, str, str]] = field(default_factory=list)


def example_symbols(stext: int, percpu: bool = True) -> Any:
    """Symbols in the order of their addresses, as the kernel's build sorts them."""
    symbols = (
        [(0, "A", "fixed_percpu_data"), (0x1000, "A", "runqueues"), (0x2000, "A", "__per_cpu_end")] if percpu else []
    )
    symbols += [(stext, "T", "startup_64"), (stext, "T", "_stext"), (stext, "T", "_text")]
    at = stext + 0x40
    for i in range(1500):
        symbols.append(
            (at, "tT"[i % 2], f"{'do_sys_vfs_'[: 3 + i % 8]}{i * 7919 % 1500}_open{'.isra.0' * (i % 5 == 0)}")
        )
        at += 16 + i * 37 % 900
    symbols += [(at, "t", "twice"), (at + 64, "t", "twice"), (at + 128, "T", "_etext")]
    symbols += [(at + 0x8000, "d", "prb"), (at + 0x8000, "D", "init_task"), (at + 0x9000, "B", "_end")]
    return symbols


def make(
    era: str,
    *,
    bits: int = 64,
    endian: str = "<",
    stext: int = 0xFFFFFFFFA1000000,
    symbols: Any = None,
    long_names: bool = False,
    scramble: int = 0,
    text: int = 1 << 20,
) -> Made:
    """Build an image: `text` bytes of filler at _stext, then the tables of an era in their order."""
    symbols = symbols or example_symbols(stext, percpu=era in ("4.6", "6.1", "6.4"))
    if long_names:
        symbols[700:700] = [(symbols[700][0], "t", "rust_" + "".join(chr(97 + i * i % 23 + i % 3) for i in range(400)))]
    count, word = len(symbols), bits // 8
    raws, tokens = compress(tuple((t + n).encode() for _, t, n in symbols))
    align = 4 if era == "7.0" else word
    order = "little" if endian == "<" else "big"
    wide = era in ("4.5", "4.6")
    names, markers = b"", []
    for i, raw in enumerate(raws):
        if i % 256 == 0:
            markers.append(len(names))
        names += bytes([len(raw)] if len(raw) < 128 else [len(raw) & 127 | 128, len(raw) >> 7]) + raw
    index = [sum(len(t) + 1 for t in tokens[:i]) for i in range(256)]
    ranks = sorted(range(count), key=lambda i: (symbols[i][2], i))
    data, places, at0 = bytearray(bytes(range(256)) * (text // 256)), {}, stext
    percpu, base = era in ("4.6", "6.1", "6.4"), stext

    def put(label: str, piece: bytes) -> None:
        data.extend(bytes(-len(data) % align))
        places[label] = at0 + len(data)
        data.extend(piece)

    def offsets() -> Iterator[bytes]:
        at = at0 + len(data) + -len(data) % align
        for i, (a, _, _) in enumerate(symbols):
            if era == "7.0":
                yield struct.pack(endian + "i", a - at - 4 * i)
            elif percpu:
                yield struct.pack(endian + "i", a if a < 1 << 31 <= stext else base - 1 - a)
            else:
                yield struct.pack(endian + "I", a - base)

    pieces = {
        "addresses": lambda: b"".join(a.to_bytes(word, order) for a, _, _ in symbols),
        "offsets": lambda: b"".join(offsets()),
        "relative_base": lambda: base.to_bytes(word, order),
        "num_syms": lambda: count.to_bytes(word if wide else 4, order),
        "names": lambda: names,
        "markers": lambda: b"".join(m.to_bytes(word if wide else 4, order) for m in markers),
        "seqs_of_names": lambda: b"".join(i.to_bytes(3, "big") for i in ranks),
        "token_table": lambda: b"".join(t + b"\0" for t in tokens),
        "token_index": lambda: struct.pack(endian + "256H", *index),
    }
    for label in ORDERS[era]:
        put(label, pieces[label]())
    data.extend(bytes(1 << 16))
    exported = ("num_syms", "names", "token_table", "token_index", "offsets", "addresses", "relative_base")
    raw = {f"SYMBOL(kallsyms_{p})": f"{places[p]:x}" for p in exported if p in places} | {  # type: ignore[assignment]
        "SYMBOL(_stext)": f"{stext:x}"
    }
    return Made(Image(at0, data), VmcoreInfo(raw), stext, places, symbols)


kept = cache(make)

_TOKENS = ["token_table", "token_index"]
_CORE = ["num_syms", "names", "markers"]
ORDERS = {
    "4.5": ["addresses", *_CORE, *_TOKENS],
    "4.6": ["offsets", "relative_base", *_CORE, *_TOKENS],
    "4.6-nopercpu": ["offsets", "relative_base", *_CORE, *_TOKENS],
    "6.1": ["offsets", "relative_base", *_CORE, "seqs_of_names", *_TOKENS],
    "6.4": [*_CORE, *_TOKENS, "offsets", "relative_base", "seqs_of_names"],
    "6.4-absolute": [*_CORE, *_TOKENS, "addresses", "seqs_of_names"],
    "6.15": [*_CORE, *_TOKENS, "offsets", "relative_base", "seqs_of_names"],
    "7.0": [*_CORE, *_TOKENS, "offsets", "seqs_of_names"],
}


@pytest.fixture
def btf_builder() -> type[BtfBuilder]:
    """The class that writes BTF."""
    return BtfBuilder


@pytest.fixture
def make_kallsyms() -> Callable[..., Any]:
    """A function that builds an image with kallsyms tables of an era; what is built of words is built once."""

    def made(era: str, **more: Any) -> Made:
        if "symbols" in more:
            return make(era, **more)
        found = kept(era, **more)
        image, info = Image(found.image.base, found.image.data), VmcoreInfo(dict(found.info.raw))
        return Made(image, info, found.stext, dict(found.places), list(found.symbols))

    return made


@pytest.fixture
def symbols_of() -> Any:
    """A function that gives the example's symbols."""
    return example_symbols


def pytest_generate_tests(metafunc: Any) -> None:
    """Run a test that asks for `real_kernel` on each of the stored dumps; say why where there are none."""
    if "real_kernel" in metafunc.fixturenames:
        found = [pytest.param(p, id=p.stem) for p in sorted(DUMPS.glob("*.kdump"))]
        none = pytest.param(None, marks=pytest.mark.skip(reason=f"no dumps in {DUMPS}"), id="none")
        metafunc.parametrize("real_kernel", found or [none], indirect=True)


@pytest.fixture
def real_kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stored dump, opened without the index cache. Distilled: it holds the pages that a report reads."""
    monkeypatch.setenv("OOPSCOPE_CACHE", "off")
    from oopscope.boot.attach import open_kernel

    return open_kernel([request.param])
