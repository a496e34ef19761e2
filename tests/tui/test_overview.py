"""Overview: of a hang the task that waited, of memory that ran out what held most of it."""

from typing import Any

import pytest

from oopscope.bundled import bundled_path
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.triage.finding import Evidence, Finding, Source
from oopscope_tui.app import OopscopeApp
from oopscope_tui.panes.wide import code_key
from tui.driving import LARGE, SMALL, Opened, running, settle, text
from tui.fake import VERDICT, Fake


def rows(app: OopscopeApp) -> Any:
    view = app.pane.main.view
    return [view.row(at) for at in range(len(view))]


def starting(app: OopscopeApp, words: Any) -> Any:
    return next((row for row in rows(app) if row.text.strip().startswith(words)), None)


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_a_hang_shows_the_stack_of_the_task_that_waited(size: tuple[int, int]) -> None:
    hang = VERDICT._replace(category="hang", pid=18, comm="kworker/1:17", cpu=0)
    async with running(Fake(found=hang), size=size) as (app, _):
        title = starting(app, "Stack of 18 kworker/1:17")
        assert (title.link.pane, title.link.key, title.link.open) == ("tasks", 18, True)
        assert starting(app, "Stack of CPU") is None
        assert any("worker_thread+0xb0" in row.text for row in rows(app))


async def test_a_hang_of_a_task_that_runs_shows_its_cpu() -> None:
    hang = VERDICT._replace(category="hang")
    async with running(Fake(found=hang)) as (app, _):
        assert starting(app, "Stack of CPU 1") is not None
        assert starting(app, "Stack of 241") is None


async def test_what_held_most_of_the_memory_that_ran_out() -> None:
    out = VERDICT._replace(category="memory")
    async with running(Fake(found=out)) as (app, _):
        most = starting(app, "Memory     mostly")
        assert most.text.strip() == "Memory     mostly Shared, tmpfs: 200M of 384M, 52 %"
        assert most.link.pane == "memory"
    async with running() as (app, _):
        assert starting(app, "Memory     mostly") is None


async def test_what_else_was_wrong_stands_behind_the_verdict_but_for_notes() -> None:
    class WithMore(Fake):
        def findings(self, kernel: Kernel) -> Any:  # type: ignore[override]
            piece = Evidence("INFO: task tar:52 blocked", Source("log", "3"))
            return [
                Finding("hung-task", "error", "tar (PID 52) was blocked", 12.5, (piece,)),
                Finding("firmware-bug", "note", "the firmware has bugs", 90.0),
            ]

    async with running(WithMore(found=VERDICT)) as (app, _):
        row = starting(app, "• 12s before: tar (PID 52) was blocked")
        assert row is not None
        assert row.link.pane == "log"
        assert starting(app, "Also wrong") is not None
        assert not any("firmware" in row.text for row in rows(app))


def test_beside_the_verdict_stands_the_code_that_it_is_about_and_no_other() -> None:
    panic = [Frame(0x10, "vpanic", 0, None, "task", True), Frame(0x20, "watchdog", 0, None, "task", True)]
    assert code_key(panic, "lab_thread_writer+0x21") == ""  # the panic's own says nothing of a task that waited
    own = Frame(0x30, "lab_thread_writer", 0x21, "labcrash", "task", True)
    assert code_key([*panic, own], "lab_thread_writer+0x21") == "0x30"
    assert code_key(panic, None) == "0x10"


async def test_the_instruction_leads_to_its_code() -> None:
    async with running(Opened(), LARGE, [bundled_path()]) as (app, pilot):
        row = starting(app, "Instruction")
        assert row is not None and row.link is not None and row.link.pane == "code"
        await app.go(row.link)
        await settle(app, pilot)
        assert "0x28(%rdi)" in text(app)
