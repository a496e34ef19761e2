"""The index cache: a second run reads next to nothing, and nothing that a file of it holds is believed blindly."""

import json
import os
import zlib
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from oopscope.symbols import cache
from oopscope.symbols.cache import IndexCache, cache_directory, kernel_key
from oopscope.symbols.kallsyms import open_kallsyms
from oopscope.symbols.vmcoreinfo import VmcoreInfo

KEY = "ab" * 20


@pytest.fixture
def kernel(make_kallsyms: Callable[..., Any], btf_builder: type[Any]) -> Callable[..., Any]:
    """Two boots of one kernel with its BTF behind the tables: (memory, VMCOREINFO, start and end of BTF)."""
    b = btf_builder()
    number = b.int("int", 4, 1)
    for i in range(500):
        b.struct(f"struct_{i}", 8, ("first", number, 0))
    data = b.bytes()

    def boot(stext: int) -> tuple[Any, int, int]:
        made = make_kallsyms("6.1", stext=stext)
        start = stext + len(made.image.data)
        made.image.data += data + bytes(8192)
        return made, start, start + len(data)

    return boot


def first_run(directory: Path, boot: Callable[..., Any], stext: int = 0xFFFFFFFFA1000000) -> Any:
    made, start, stop = boot(stext)
    index = IndexCache(directory, KEY)
    assert index.symbols(made.image.read, stext) is None
    assert index.types(made.image.read, stext) is None
    symbols = open_kallsyms(made.image.read, made.info)
    symbols.lookup("init_task")
    symbols.lookup("runqueues")
    symbols.name_at(stext + 0x9999)
    btf = index.open_btf(made.image.read, start, stop)
    index.save(made.image.read, stext, symbols, btf, {"members": {}})
    return made


def test_the_second_run_reads_two_places(tmp_path: Path, kernel: Callable[..., Any]) -> None:
    first = first_run(tmp_path, kernel)
    stext = 0xFFFFFFFFB7200000
    made, start, stop = kernel(stext)
    index = IndexCache(tmp_path, KEY)
    made.image.reads = 0
    symbols = index.symbols(made.image.read, stext)
    by = stext - first.stext
    assert symbols.lookup("init_task") == open_kallsyms(first.image.read, first.info).lookup("init_task") + by
    assert symbols.lookup("runqueues") == 0x1000
    name, offset = symbols.name_at(stext + 0x9999)  # type: ignore[misc]
    assert symbols.name_at(stext + 0x9990) == (name, offset - 9)
    assert index.types(made.image.read, stext) == {"members": {}}
    assert made.image.reads == 2
    assert not symbols.changed
    assert symbols.lookup("twice") is not None  # not asked for before: the tables are read
    assert symbols.changed
    btf = index.open_btf(made.image.read, start, stop)
    assert not btf._whole
    assert btf.fields(btf.get("struct_300"))[0].name == "first"


def test_what_a_run_does_not_use_is_kept(tmp_path: Path, kernel: Callable[..., Any]) -> None:
    made = first_run(tmp_path, kernel)
    index = IndexCache(tmp_path, KEY)
    symbols = index.symbols(made.image.read, made.stext)
    before = (tmp_path / f"{KEY}.index").stat().st_mtime_ns
    index.save(made.image.read, made.stext, symbols, None, None)
    assert (tmp_path / f"{KEY}.index").stat().st_mtime_ns == before
    symbols.lookup("twice")
    index.save(made.image.read, made.stext, symbols, None, None)
    again = IndexCache(tmp_path, KEY)
    assert again.types(made.image.read, made.stext) == {"members": {}}
    assert set(again.sections["kallsyms"]["found"]) == {"init_task", "runqueues", "twice"}
    assert not list(tmp_path.glob(".new-*"))


def test_another_kernel_at_that_place_is_noticed(tmp_path: Path, kernel: Callable[..., Any]) -> None:
    made = first_run(tmp_path, kernel)
    other = kernel(made.stext)[0]
    at = made.places["token_table"] - made.stext
    other.image.data[at + 5] ^= 1
    assert IndexCache(tmp_path, KEY).symbols(other.image.read, made.stext) is None
    _, start, _ = kernel(made.stext)
    other.image.data[start - made.stext + 12] ^= 1
    assert IndexCache(tmp_path, KEY).types(other.image.read, made.stext) is None
    other.image.holes.update(range(made.stext >> 12, made.stext + (8 << 20) >> 12))
    assert IndexCache(tmp_path, KEY).symbols(other.image.read, made.stext) is None
    assert IndexCache(tmp_path, KEY).types(other.image.read, made.stext) is None


def rewrite(path: Path, change: Callable[..., Any]) -> None:
    """Rewrite a file of the cache with a right checksum."""
    sections = json.loads(zlib.decompress(path.read_bytes()[24:]))
    change(sections)
    cache._store(path, json.dumps(sections).encode())


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.clear(),
        lambda s: s["kallsyms"].pop("tables"),
        lambda s: s["kallsyms"]["tables"].update(count=1 << 40),
        lambda s: s["kallsyms"]["tables"].update(names=-(1 << 70)),
        lambda s: s["kallsyms"]["tables"].update(names="x"),
        lambda s: s["kallsyms"]["tables"].update(encoding="none"),
        lambda s: s["kallsyms"]["tables"].update(surprise=1),
        lambda s: s["kallsyms"].update(found=[1, 2]),
        lambda s: s["kallsyms"].update(found={"init_task": [[None, 1]]}),
        lambda s: s["kallsyms"].update(spans=[[0, 100, "a"], [50, 100, "b"]]),
        lambda s: s["kallsyms"].update(spans=7),
        lambda s: s["kallsyms"].update(head="00"),
        lambda s: s.update(kallsyms=[]),
        lambda s: s.update(kallsyms=5),
    ],
)
def test_lies_with_a_right_checksum(tmp_path: Path, kernel: Callable[..., Any], change: Callable[..., Any]) -> None:
    made = first_run(tmp_path, kernel)
    rewrite(tmp_path / f"{KEY}.index", change)
    assert IndexCache(tmp_path, KEY).symbols(made.image.read, made.stext) is None


@pytest.mark.parametrize("btf", [None, [], [1, 2], ["a", "b", "c"], [0, 0, ""], {"a": 1}, [1 << 70, 4096, ""]])
def test_lies_about_the_types(
    tmp_path: Path, kernel: Callable[..., Any], btf: dict[str, int] | list[int | str] | None
) -> None:
    made = first_run(tmp_path, kernel)
    rewrite(tmp_path / f"{KEY}.index", lambda s: s.update(btf=btf))
    index = IndexCache(tmp_path, KEY)
    assert index.types(made.image.read, made.stext) is None
    _, start, stop = kernel(made.stext)
    assert index.open_btf(made.image.read, start, stop).get("struct_4")


@pytest.mark.thorough
def test_damaged_files_are_as_good_as_none(tmp_path: Path, kernel: Callable[..., Any]) -> None:
    made = first_run(tmp_path, kernel)
    path = tmp_path / f"{KEY}.index"
    good = path.read_bytes()
    bomb = zlib.compress(bytes(200 << 20), 9)
    cases = [b"", good[:20], good[:-1], good + b"x", b"oopsidx0" + good[8:], good[:30] + b"\0\0" + good[32:]]
    cases += [
        cache.MAGIC + blake2b(p, digest_size=16).digest() + p for p in (b"", b"junk", bomb, zlib.compress(b"[1]"))
    ]
    for case in cases:
        path.write_bytes(case)
        index = IndexCache(tmp_path, KEY)
        assert index.sections == {}
        assert index.symbols(made.image.read, made.stext) is None
    path.unlink()
    path.mkdir()
    assert IndexCache(tmp_path, KEY).sections == {}
    first_run(tmp_path, kernel)  # cannot be written, and does not mind


def test_no_cache(tmp_path: Path, kernel: Callable[..., Any]) -> None:
    for index in (IndexCache(None, KEY), IndexCache(tmp_path, None), IndexCache(Path("/proc/nowhere"), KEY)):
        made, start, stop = kernel(0xFFFFFFFFA1000000)
        symbols = open_kallsyms(made.image.read, made.info)
        symbols.lookup("init_task")
        btf = index.open_btf(made.image.read, start, stop)
        index.save(made.image.read, made.stext, symbols, btf, {})
        assert index.sections == {}
    assert not list(tmp_path.iterdir())


def test_old_kernels_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_KERNELS", 3)
    for i in range(6):
        for kind in ("btf", "index"):
            cache._store(tmp_path / f"{i}.{kind}", b"{}")
            os.utime(tmp_path / f"{i}.{kind}", (i, i))
    cache._prune(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"{i}.{k}" for i in (3, 4, 5) for k in ("btf", "index")]


def test_the_directory() -> None:
    assert cache_directory({"OOPSCOPE_CACHE": "off", "HOME": "/h"}) is None
    assert cache_directory({"OOPSCOPE_CACHE": "/c", "XDG_CACHE_HOME": "/x"}) == Path("/c")
    assert cache_directory({"XDG_CACHE_HOME": "/x", "HOME": "/h"}) == Path("/x/oopscope")
    assert cache_directory({"HOME": "/h"}) == Path("/h/.cache/oopscope")
    assert cache_directory({}) is None


def test_the_key() -> None:
    assert kernel_key(VmcoreInfo({"BUILD-ID": KEY})) == KEY
    assert kernel_key(VmcoreInfo({"BUILD-ID": "../../etc/passwd"})) is None
    old = VmcoreInfo({"OSRELEASE": "5.4.0"})
    assert kernel_key(old) is None
    assert kernel_key(old, "#1 SMP") not in (None, kernel_key(old, "#2 SMP"))
