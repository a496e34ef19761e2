"""The recorded session: what was typed is seen in it, and each part of the moving picture has its time."""

import json
import re
from pathlib import Path

import pytest
from rich.segment import Segment

from oopscope_tui.look.picture import moving
from oopscope_tui.tools import recording
from oopscope_tui.tools.recording import record, write_cast


@pytest.mark.thorough
def test_a_session_is_recorded_as_an_asciicast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "PATIENCE", 60.0)
    monkeypatch.setattr(recording, "QUIET", 2.0)  # on a machine with much else to do
    script = (("", 0.5), ("3", 1.0))
    events = list(record(["demo"], (100, 30), script))
    assert [event.rest for event in events if event.rest] == [0.5, 1.0]
    write_cast(events, (100, 30), tmp_path / "session.cast")
    head, *lines = [json.loads(line) for line in (tmp_path / "session.cast").read_text().splitlines()]
    assert (head["version"], head["width"], head["height"]) == (2, 100, 30)
    times = [time for time, _, _ in lines]
    assert times == sorted(times) and times[-1] == 1.5
    before, after = (
        "".join(text for time, _, text in lines if chosen(time)) for chosen in (lambda t: t < 0.5, lambda t: t >= 0.5)
    )
    assert "Overview" in before and "Last ran" not in before and "Last ran" in after


def test_a_line_of_the_moving_picture_is_drawn_once_for_as_long_as_it_stays() -> None:
    frames = [([[Segment("head")], [Segment("one")]], 1.0), ([[Segment("head")], [Segment("two")]], 3.0)]
    drawn = moving(frames, 10)
    assert drawn.count(">head<") == drawn.count(">one<") == drawn.count(">two<") == 1
    assert re.findall(r'keyTimes="([^"]*)" values="([^"]*)"', drawn) == [
        ("0;0.25000", "inline;none"), ("0;0.25000", "none;inline"),
    ]  # fmt: skip
    assert drawn.count('dur="4.00s"') == 2
