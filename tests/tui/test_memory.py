"""Memory: shares that add up and the one that stands out, links, the strip, and swap."""

from typing import Any

import pytest

from oopscope.errors import Implausible
from oopscope.memory.coverage import Cell
from oopscope.subsystems import Column
from oopscope_tui.app import OopscopeApp
from oopscope_tui.look import theme
from oopscope_tui.panes.memory_strip import strip_lines
from tui.driving import LARGE, SMALL, press, running, text
from tui.fake import ANSWERS, TABLES, Fake, Named
from tui.fake_details import shares


def rows(app: OopscopeApp) -> Any:
    view = app.pane.main.view
    return [view.row(at) for at in range(len(view))]


def line_of(app: OopscopeApp, begin: Any, side: bool = False) -> Any:
    view = (app.pane.side if side else app.pane.main).view
    return next(row for row in (view.row(at) for at in range(len(view))) if row.text.strip("► ").startswith(begin))


async def test_the_share_that_is_more_than_half_is_marked() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "4")
        much = line_of(app, "Shared, tmpfs")
        assert much.text.startswith(" ► Shared, tmpfs       200M   52.1 %  ■■■")
        assert much.parts[0][1] == theme.DOUBT
        assert "►" not in line_of(app, "Anonymous").text
        assert "–" in line_of(app, "Page tables").text  # noqa: RUF001
        assert line_of(app, "Swap").text.split() == ["Swap", "none"]


async def test_free_memory_is_never_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    found = shares(0)
    mostly_free = (found.shares[0]._replace(bytes=380 << 20),)
    monkeypatch.setitem(ANSWERS, "memory-shares", lambda key: found._replace(shares=mostly_free, over=3 << 20))
    async with running() as (app, pilot):
        await press(app, pilot, "4")
        assert "►" not in line_of(app, "Free").text
        assert "the counters exceed the total by 3.0M" in text(app)


async def test_every_line_leads_to_its_row() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "4")
        leads = [(line_of(app, begin).link.pane, line_of(app, begin).link.key)
                 for begin in ("Shared, tmpfs", "Memory", "0 DMA32", "In the dump")]  # fmt: skip
        assert leads == [("meminfo", "Shmem"), ("meminfo", "MemAvailable"), ("zones", "0 DMA32"), ("coverage", None)]
        assert line_of(app, "cache-0", side=True).link.key == "cache-0"
        zone = line_of(app, "0 DMA32").link
        await app.go(zone)
        await press(app, pilot)
        assert app.pane.key == "zones"
        assert (app.pane.main.row.node, app.pane.main.row.name) == (0, "DMA32")


async def test_the_strip_and_its_legend() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "4")
        assert "0x0 ████" in text(app)
        assert "▒▒▒▒" in text(app)
        assert "····" in text(app)
        assert "a cell is 3.9M: █ all of it is in the dump, ▓▒░ part, · nothing" in text(app)


def test_nothing_and_all_are_only_what_they_say() -> None:
    held = [0, 1, 333, 334, 667, 999, 1000]
    (line,) = strip_lines([Cell(at, at + 1, count, 1000) for at, count in enumerate(held)], 4096, 80)
    assert line.text.split() == ["0x0", "·░░▒▓▓█"]


@pytest.mark.parametrize("width", [30, 80, 160])
def test_no_line_of_the_strip_is_wider_than_its_place(width: int) -> None:
    lines = strip_lines([Cell(at << 30, at + 1 << 30, 1, 1) for at in range(192)], 4096, width)
    assert all(len(line.text) <= max(width, 34) for line in lines)
    assert sum(line.text.count("█") for line in lines) == 192


async def test_a_dump_that_cannot_say_what_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    for found, words in (([], "where RAM is"), ([Cell(0, 1, None, 1)], "does not say which pages it holds")):
        monkeypatch.setitem(ANSWERS, "strip", lambda count, found=found: found)  # type: ignore[misc]
        async with running(size=LARGE) as (app, pilot):
            await press(app, pilot, "4")
            assert words in text(app)


async def test_kinds_of_page_and_what_fails() -> None:
    class Kind(Named):
        what, size, saved = "slab pages", 8 << 20, 4 << 20

    columns = {"coverage": (Column("what", "What"), Column("size", "Size", "bytes"))}
    fake = Fake(rows={"coverage": lambda: [Kind("x", 1)]}, columns=columns,
                fails={"memory-shares": Implausible("the counters are gone")})  # fmt: skip
    async with running(fake, size=LARGE) as (app, pilot):
        await press(app, pilot, "4")
        assert "the counters are gone" in text(app)
        kind = line_of(app, "slab")
        assert "8.0M    50 % held" in kind.text
        assert (kind.link.pane, kind.link.key) == ("coverage", "slab pages")


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_swap_of_the_largest_processes(size: tuple[int, int]) -> None:
    counters = [row for row in TABLES["meminfo"][2]() if not row.name.startswith("Swap")]
    counters += [Named("SwapTotal", 100 << 20), Named("SwapFree", 5 << 20)]
    async with running(Fake(rows={"meminfo": lambda: counters}), size=size) as (app, pilot):
        await press(app, pilot, "4")
        swap = line_of(app, "Swap of 100M")
        assert swap.text.startswith(" ► Swap of 100M")
        whole = app.pane.side.view if size == LARGE else app.pane.main.view
        assert sum("+5.0M swap" in whole.row(at).text for at in range(len(whole))) == 1
