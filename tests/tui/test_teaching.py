"""A lesson on the screen: it opens its places, takes answers, helps, and remembers how far it came."""

from pathlib import Path

import pytest

from oopscope.lessons import lessons, progress, read_lesson
from tui.driving import SMALL, enter, press, running, text


async def test_a_lesson_is_walked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OOPSCOPE_LESSON", str(lessons()[0]))
    monkeypatch.setenv("OOPSCOPE_STATE", str(tmp_path))
    lesson = read_lesson(lessons()[0])
    async with running(size=SMALL) as (app, pilot):
        assert "step 1 of 6" in text(app) and app.teaching.box.size.height <= 12
        await enter(app, pilot, "a", "no idea")
        assert "Not no idea." in text(app)
        assert "step 1 of 6" in text(app)
        await enter(app, pilot, "a", lesson.steps[0].answer[0])
        assert app.pane.key == "log"
        assert "step 2 of 6" in text(app) and "Right." in text(app)
        assert progress() == {"1-null-pointer": 1}
        await press(app, pilot, "ctrl+n")
        assert app.pane.key == "cpus"
        await press(app, pilot, "ctrl+o", "ctrl+o")
        assert app.pane.key == "overview"
        app.teaching.at = 5
        await enter(app, pilot, "a", lesson.steps[5].answer[0])
        assert "Well done" in text(app)
        assert progress() == {"1-null-pointer": 6}
