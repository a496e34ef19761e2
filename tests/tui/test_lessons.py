"""The lessons that ship, played on their own dumps: what a step asks is where it sends one, in a small terminal."""

from pathlib import Path

import pytest

from oopscope.lessons import lessons, progress, read_lesson
from oopscope_tui.panes.base import Pane
from oopscope_tui.reading.provider import Core
from tui.driving import SMALL, enter, running, text

# Questions about what a place means; their answers are learnt from the text and from `explain`, not read off a pane.
UNDERSTOOD = {
    ("2-crash-on-request", 2), ("2-crash-on-request", 3), ("2-crash-on-request", 4), ("3-deadlock", 1),
    ("4-soft-lockup", 1), ("4-soft-lockup", 3), ("5-slab-leak", 1),
    ("5-slab-leak", 4), ("6-silent-disk", 4),
}  # fmt: skip


def everything(pane: Pane) -> str:
    """All rows of a pane's views, seen and to be scrolled to."""
    views = [view for view in (pane.main, pane.side) if view is not None]
    return "\n".join(view.written(view.view.row(n)) for view in views for n in range(len(view.view)))


@pytest.mark.thorough
@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
async def test_every_step_shows_what_it_asks(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OOPSCOPE_LESSON", str(path))
    monkeypatch.setenv("OOPSCOPE_STATE", str(tmp_path))
    lesson = read_lesson(path)
    async with running(Core(), SMALL, [lesson.path]) as (app, pilot):
        for number, step in enumerate(lesson.steps, 1):
            assert f"step {number} of {len(lesson.steps)}" in text(app)
            pane = app.pane
            assert pane.main.size.height > 3 or not pane.main.display, "the lesson leaves the place no room"
            if step.point:
                assert step.point in text(app)
            if (path.stem, number) not in UNDERSTOOD:
                assert any(answer.lower() in everything(pane).lower() for answer in step.answer)
            await enter(app, pilot, "a", step.answer[0])
        assert lesson.steps[-1].right in " ".join(text(app).split())
        assert progress() == {lesson.name: len(lesson.steps)}
