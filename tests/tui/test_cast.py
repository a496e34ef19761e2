"""A recorded session is an asciicast, whatever screen of the session wrote it."""

import json
from pathlib import Path

from textual.geometry import Size

from oopscope_tui.terminal.cast import close, tee


class Driver:
    """A driver that keeps what it is given."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, data: str) -> None:
        self.written.append(data)


def test_what_is_written_is_recorded(tmp_path: Path) -> None:
    file, first, second = tmp_path / "a.cast", Driver(), Driver()
    tee(first, str(file), Size(80, 24))
    first.write("one\x1b[0m")
    tee(second, str(file), Size(80, 24))
    second.write("zwei ü")
    close()
    head, *events = map(json.loads, file.read_text().splitlines())
    assert (head["version"], head["width"], head["height"]) == (2, 80, 24)
    assert [event[1:] for event in events[1:]] == [["o", "one\x1b[0m"], ["o", "zwei ü"]]
    assert [event[0] for event in events] == sorted(event[0] for event in events)
    assert (first.written, second.written) == (["one\x1b[0m"], ["zwei ü"])
