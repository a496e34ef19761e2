"""The list of dumps: all that lie under a folder, what the triage finds of them, what it does in the meantime."""

import asyncio
import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from textual.pilot import Pilot

from builders import noise_page
from builders.kdump import Kdump
from oopscope.errors import NotADump
from oopscope.fleet import listing as folders
from oopscope.fleet.brief import Brief, brief
from oopscope.fleet.finding import are_one, log_beside  # type: ignore[attr-defined]
from oopscope.fleet.listing import DumpFile, Listing
from oopscope.sources.file import FileSource
from oopscope.sources.remote import shown
from oopscope_tui.app import OopscopeApp
from stored import DUMPS
from tui.driving import LARGE, SMALL, enter, press, settle, text

NULL, SYSRQ = DUMPS / "6.1-null.kdump", DUMPS / "6.12-sysrq.kdump"
DONE = {"complete", "incomplete", "unreadable", "gone"}
OLD = 1_700_000_000

pytestmark = pytest.mark.skipif(not NULL.exists() or not SYSRQ.exists(), reason="the dumps are not here")


def age(path: Any, seconds: int = 0) -> Path:
    os.utime(path, (OLD + seconds, OLD + seconds))
    return path


BRIEFS: dict[bytes, Brief] = {}


def known(path: Path | str, *more: Any) -> Brief:
    """Return what a dump says, of one with the same bytes as an earlier one what that said."""
    if not isinstance(path, Path):  # an address
        return brief(path, *more)
    key = hashlib.sha256(path.read_bytes()).digest()
    if key not in BRIEFS:
        BRIEFS[key] = brief(path, *more)
    return BRIEFS[key]


@pytest.fixture
def crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as kdump leaves it: two dumps, a text file with a dump's name, a dump that was cut."""
    monkeypatch.setattr(folders, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(folders, "brief", known)
    for name, source in (("one/a", NULL), ("two", SYSRQ)):
        (tmp_path / name).mkdir(parents=True)
        age(shutil.copy(source, tmp_path / name / "vmcore"))
        age(shutil.copy(source.with_suffix(".dmesg.txt"), tmp_path / name / "vmcore-dmesg.txt"))
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "vmcore").write_text("[red]not a dump[/red]\n" * 100)
    age(tmp_path / "text" / "vmcore")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "vmcore").write_bytes(NULL.read_bytes()[:200_000])
    age(tmp_path / "cut" / "vmcore")
    (tmp_path / "notes.txt").write_text("no dump, and no dump's name\n")
    return tmp_path


@asynccontextmanager
async def listed(paths: Any, size: tuple[int, int] = LARGE, listing: Any = None) -> AsyncIterator[Any]:
    app = OopscopeApp(paths, listing=listing)
    async with app.run_test(size=size) as pilot:
        yield app, pilot


async def until(app: OopscopeApp, pilot: Pilot[int], holds: Callable[..., Any]) -> dict[str, DumpFile]:
    for _ in range(3000):
        await asyncio.sleep(0.01)
        if holds({row.name: row for row in app.store.feed("dumps").rows}):
            await settle(app, pilot)
            return {row.name: row for row in app.store.feed("dumps").rows}
    raise AssertionError(app.store.feed("dumps").rows)


def all_read(count: int) -> Callable[..., Any]:
    return lambda rows: len(rows) == count and all(row.state in DONE for row in rows.values())


async def test_every_dump_is_listed_with_what_is_known_of_it(crash: Path) -> None:
    async with listed([crash]) as (app, pilot):
        rows = await until(app, pilot, all_read(4))
        null, sysrq, cut, words = (rows[f"{name}/vmcore"] for name in ("one/a", "two", "cut", "text"))
        assert (null.title, null.state, null.nodename) == ("NULL pointer dereference", "complete", "lab-node-1")
        assert "NULL pointer" in null.panic
        assert sysrq.title == "Crash on request (SysRq-c)"
        assert sysrq.release.startswith("6.12")
        assert null.log == crash / "one/a/vmcore-dmesg.txt"
        assert cut.state in ("incomplete", "unreadable")
        assert cut.why
        assert words.state == "unreadable"
        assert "text" in words.why
        shown = text(app)
        assert "NULL pointer dereference" in shown
        assert words.why[:20] in shown
        assert "4 dumps" in shown
        order = [app.pane.main.view.row(at).when for at in range(4)]
        assert order == sorted(order, reverse=True)
        await pilot.resize_terminal(*SMALL)
        await settle(app, pilot)
        assert "one/a " in text(app)  # without the name that all dumps bear


@pytest.mark.parametrize("damage", [b"", b"KDUMP   ", b"\x1f\x8bnot gzip at all"])
def test_the_log_beside_a_dump_speaks_where_it_cannot_be_read(crash: Path, damage: bytes) -> None:
    age(shutil.copy(NULL.with_suffix(".dmesg.txt"), crash / "text" / "vmcore-dmesg.txt"))
    words = crash / "text" / "vmcore"
    words.write_bytes(damage)
    age(words)
    listing = Listing([words])
    read(listing.steps(lambda: False))
    row = listing.rows[words]
    assert row.state == "unreadable"
    assert "NULL pointer dereference" in row.panic
    assert row.release.startswith("6.1.")


async def test_the_list_is_filtered_and_written(
    crash: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path_factory.mktemp("out")
    monkeypatch.chdir(out)
    async with listed([crash]) as (app, pilot):
        await until(app, pilot, all_read(4))
        await enter(app, pilot, "f", "state=complete")
        for ending in ("txt", "csv", "json"):
            await enter(app, pilot, "w", f"list.{ending}")
            await until(app, pilot, lambda _, name=f"list.{ending}": (out / name).exists())
        await enter(app, pilot, "f", "crashed~2026-11 title~NULL")
        assert len(app.pane.main.view) == 1
    titles, *rows = (out / "list.txt").read_text().splitlines()
    assert titles.split()[:2] == ["Dump", "Crashed"]
    assert {row.split()[0] for row in rows} == {"one/a", "two"}
    data = {row["name"]: row for row in json.loads((out / "list.json").read_text())}
    null = data["one/a/vmcore"]
    assert null["title"] == "NULL pointer dereference"
    assert null["crashed"].startswith("2026-11-2")
    assert (null["written"], null["bytes"]) == ("2023-11-14T22:13:20Z", NULL.stat().st_size)
    header, first, *_ = (out / "list.csv").read_text().splitlines()
    assert header.split(",")[:5] == ["name", "crashed", "written", "bytes", "state"]
    assert "complete" in first


async def test_a_split_set_is_one_row_and_tells_when_a_part_is_gone(tmp_path: Path) -> None:
    memory = {n: noise_page(n) for n in range(200)}
    one, two = (tmp_path / f"vmcore.{part}" for part in (0, 1))
    for path, bounds in ((one, (0, 100)), (two, (100, 200))):
        path.write_bytes(Kdump(memory, split=bounds).build())
        age(path)
    listing = Listing([tmp_path])
    steps = listing.steps(lambda: False)
    read(steps)
    assert listing.rows[two].state == "part"
    assert (listing.rows[one].parts, listing.rows[one].bytes) == (2, one.stat().st_size + two.stat().st_size)
    two.unlink()
    read(steps)
    assert listing.rows[two].state == "gone"
    assert listing.rows[one].parts == 1
    async with listed([tmp_path]) as (app, pilot):
        await until(app, pilot, all_read(1))
        assert "1 dump" in text(app).splitlines()[-2]


def read(steps: Iterator[Any]) -> None:
    """Let a listing go on until it rests."""
    for rest in steps:
        if isinstance(rest, float) and rest:
            return


def test_an_image_of_memory_without_a_signature_is_found_by_its_name(crash: Path) -> None:
    for name in ("guest.vmem", "disk.raw", "small.raw", "picture.bin"):
        with (crash / name).open("wb") as file:
            file.write(bytes([1]) * 4096)
            if name == "guest.vmem":
                file.seek(5 << 20)
                file.write(b"VMCOREINFO\0\0\0\0OSRELEASE=6.1.0\n")
            file.truncate(4096 if name == "small.raw" else 9 << 20)
        age(crash / name)
    listing = Listing([crash])
    read(listing.steps(lambda: False))
    rows = {path.name: row for path, row in listing.rows.items()}
    assert "small.raw" not in rows
    assert "picture.bin" not in rows
    assert "not a dump" in rows["disk.raw"].why
    assert rows["guest.vmem"].why != rows["disk.raw"].why  # taken for memory; there is no kernel in it


async def test_several_urls_are_a_list(crash: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetched(url: str) -> FileSource:
        if "absent" in url:
            raise NotADump(shown(url), "404, Not Found")
        return FileSource(crash / ("two" if "two" in url else "one/a") / "vmcore")

    for place in ("oopscope.dumps", "oopscope.sources.remote"):
        monkeypatch.setattr(f"{place}.open_remote", fetched)
    urls = [f"https://me:secret@example.com/{name}/vmcore?key=1" for name in ("one", "two", "absent")]
    async with listed(urls) as (app, pilot):
        rows = await until(app, pilot, all_read(3))
        one, two, absent = (rows[f"{name}/vmcore"] for name in ("one", "two", "absent"))
        assert (one.title, one.bytes) == ("NULL pointer dereference", NULL.stat().st_size)
        assert two.title == "Crash on request (SysRq-c)"
        assert absent.why == "404, Not Found"
        assert "secret" not in text(app)
        await press(app, pilot, "enter")
        assert app.next in urls
    assert app.follower().paths == (app.next,)


async def test_keys_work_during_the_triage_and_opening_interrupts_it(
    crash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, reached = threading.Event(), threading.Event()
    page = folders._Interruptible.page

    def slow(self: Any, pfn: int) -> bytes:
        reached.set()
        held.wait(20)
        return page(self, pfn)

    monkeypatch.setattr(folders, "brief", brief)
    monkeypatch.setattr(folders._Interruptible, "page", slow)
    async with listed([crash]) as (app, pilot):
        await until(app, pilot, lambda rows: len(rows) == 4 and any(row.state == "reading" for row in rows.values()))
        assert await_thread(reached)
        await press(app, pilot, "j")
        assert app.pane.main.cursor == 1
        chosen = app.pane.main.row.path
        await press(app, pilot, "enter")
        assert app.next == chosen
        thread, listing = app.reader._thread, app.listing
    held.set()
    thread.join(10)
    assert not thread.is_alive()
    assert not any(row.state == "reading" for row in listing.rows.values())
    assert any(row.state == "waiting" for row in listing.rows.values())
    again = app.follower()
    assert again.back is listing
    async with again.run_test(size=SMALL) as pilot:
        await settle(again, pilot)
        await press(again, pilot, "escape")
        assert again.next is listing
    back = again.follower()
    async with back.run_test(size=SMALL) as pilot:
        await until(back, pilot, all_read(4))
        assert back.pane.main.row.path == chosen
        assert back.follower() is None


def await_thread(event: Event) -> bool:
    return event.wait(10)


async def test_what_is_known_is_not_read_again(crash: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = Listing([crash])
    async with listed([crash], listing=listing) as (app, pilot):
        await until(app, pilot, all_read(4))
    monkeypatch.setattr(Listing, "_triage", None)
    monkeypatch.setattr(Listing, "_header", None)
    async with listed([crash], listing=listing) as (app, pilot):
        rows = await until(app, pilot, all_read(4))
        assert rows["two/vmcore"].title == "Crash on request (SysRq-c)"


async def test_a_dump_that_grows_is_marked_and_read_when_it_is_whole(
    crash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "QUIET", 1e9)
    async with listed([crash]) as (app, pilot):
        await until(app, pilot, all_read(4))
        data = SYSRQ.read_bytes()
        new = crash / "new-vmcore.kdump"
        with new.open("wb") as file:
            file.write(data[:100_000])
            file.flush()
            await until(app, pilot, lambda rows: "new-vmcore.kdump" in rows)
            file.write(data[100_000:])
        rows = await until(app, pilot, lambda rows: rows["new-vmcore.kdump"].state == "written to")
        assert rows["new-vmcore.kdump"].title is None
        assert "written to" in text(app)
        monkeypatch.setattr(folders, "QUIET", 0.0)
        rows = await until(app, pilot, all_read(5))
        assert rows["new-vmcore.kdump"].title == "Crash on request (SysRq-c)"
        new.unlink()
        await until(app, pilot, lambda rows: rows["new-vmcore.kdump"].state == "gone")
        assert "new-vmcore" not in text(app)


async def test_several_dumps_that_are_no_split_set_are_listed(crash: Path) -> None:
    paths = [crash / f"{name}/vmcore" for name in ("one/a", "two", "text")]
    paths.append(crash / "two/vmcore-dmesg.txt")  # as two/* gives it: the log of its dump, no dump
    async with listed(paths) as (app, pilot):
        rows = await until(app, pilot, all_read(3))
        assert app.folder
        assert app.pane.key == "dumps"
        assert "4 files" in text(app).splitlines()[0]
        assert rows["one/a/vmcore"].title == "NULL pointer dereference"
        await press(app, pilot, "enter")
        assert app.next in paths
    again = app.follower()
    again.leave_for(again.back)
    assert again.follower().folder


def test_one_dump_of_several_files_is_no_list(crash: Path, tmp_path: Path) -> None:
    one, two, words = crash / "one/a/vmcore", crash / "two/vmcore", crash / "text/vmcore"
    assert are_one([one])
    assert not are_one([one, two])
    assert not are_one([one, words])
    assert not are_one([words, one])
    assert are_one([words, tmp_path / "absent"])  # opening them says what they are
    assert are_one(["https://example.com/a", "https://example.com/b"])


async def test_a_dump_that_cannot_be_opened_leads_back_to_the_list(crash: Path) -> None:
    listing = Listing([crash])
    words = crash / "text/vmcore"
    app = OopscopeApp([words], listing=listing)
    async with app.run_test(size=SMALL) as pilot:
        for _ in range(500):
            await pilot.pause(0.01)
            if app.next is not None:
                break
    assert app.next is listing
    assert not app.failure
    back = app.follower()
    async with back.run_test(size=LARGE) as pilot:
        await settle(back, pilot)
        assert str(words)[-12:] in text(back)


def test_only_one_dump_is_open_at_a_time(crash: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    most = count = 0
    take = Listing._triage

    def counted(self: Any, row: Any, stopped: Any) -> Any:
        nonlocal most, count
        count += 1
        most = max(most, count)
        assert self._lock.locked()
        done = take(self, row, stopped)
        count -= 1
        return done

    monkeypatch.setattr(Listing, "_triage", counted)
    listing = Listing([crash])
    until = time.monotonic() + 30
    for rest in listing.steps(lambda: False):
        if (isinstance(rest, float) and rest) or time.monotonic() > until:
            break
    assert most == 1
    assert not listing._lock.locked()
    assert all(row.state in DONE for row in listing.rows.values())


def test_logs_beside_a_dump_have_several_names(tmp_path: Path) -> None:
    for dump, log in (
        ("vmcore", "vmcore-dmesg.txt"),
        ("dump.202611230320", "dmesg.202611230320"),
        ("dump-incomplete", f"dmesg.{tmp_path.name}"),
        ("a.kdump", "a.dmesg.txt"),
        ("b.kdump", "b.kdump.dmesg.txt"),
    ):
        (tmp_path / log).touch()
        assert log_beside(tmp_path / dump) == tmp_path / log
        (tmp_path / log).unlink()
    (tmp_path / "dmesg.txt").touch()  # as SUSE writes it
    assert log_beside(tmp_path / "vmcore") == tmp_path / "dmesg.txt"
    assert log_beside(tmp_path / "other") is None


def test_a_large_packed_dump_is_not_unpacked_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    monkeypatch.setattr(folders, "PACKED_MOST", 100)
    packed = tmp_path / "vmcore.gz"
    packed.write_bytes(gzip.compress(NULL.read_bytes()[:100_000]))
    age(packed)
    listing = Listing([tmp_path])
    for rest in listing.steps(lambda: False):
        if isinstance(rest, float) and rest:
            break
    assert "packed" in listing.rows[packed].why


async def test_a_hostile_file_name_is_text(crash: Path) -> None:
    name = "\x1b[31m[red]\udcff\n.kdump"
    age(shutil.copy(NULL, crash / name))
    (crash / f"{name}.dmesg.txt").write_text("\x1b[2J\n[    1.0] BUG: [bold]\x1b[31mx\n")
    async with listed([crash]) as (app, pilot):
        rows = await until(app, pilot, all_read(5))
        assert rows[name].title == "NULL pointer dereference"
        shown = text(app)
        assert "[red]" in shown
        assert "\x1b" not in shown
        shown.encode()
