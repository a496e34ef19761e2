"""Lessons: a TOML file each, of steps over a dump that open a place, explain, ask and check the answer.

Reading one says everything that is wrong with it, in plain lines; it knows no screen. Progress is kept by title.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, NamedTuple

from oopscope.bundled import bundled
from oopscope.commands.command import Say
from oopscope.commands.register import request
from oopscope.errors import OopscopeError
from oopscope.explain import named
from oopscope.subsystems import TABLES
from oopscope.whole_file import whole_file

LARGEST = 1 << 18  # bytes of a lesson
MOST_STEPS = 50
TEXT = 1200  # characters of a step
# What a lesson and a step may hold: the key, its type, whether it must be there.
LESSON: dict[str, tuple[type, bool]] = {
    "title": (str, True), "dump": (str, True), "about": (str, False), "words": (list, False), "step": (list, True),
}  # fmt: skip
STEP: dict[str, tuple[type, bool]] = {
    "text": (str, True), "open": (str, False), "point": (str, False), "ask": (str, False), "answer": (list, False),
    "hint": (str, False), "right": (str, False), "words": (list, False),
}  # fmt: skip
PANES = {"overview", "cpus", "tasks", "memory", "log", "problems"} | {key for key, _ in TABLES}


class LessonError(OopscopeError):
    """A lesson that cannot be used; the message says where and what, a line for each fault."""


class Step(NamedTuple):
    """One step: what is said, the `:` line that is opened, the text that is pointed at, a question with its answers."""

    text: str
    open: str = ""
    point: str = ""
    ask: str = ""
    answer: tuple[str, ...] = ()
    hint: str = ""
    right: str = ""  # what is said to a right answer
    words: tuple[str, ...] = ()

    def accepts(self, said: str) -> bool:
        """Tell whether an answer is right: one of those that count, without case, blanks and a full stop at the end."""
        plain = _plain(said)
        return bool(plain) and any(plain == _plain(one) for one in self.answer)


class Lesson(NamedTuple):
    """A lesson: its title, the dump's name or path, its steps."""

    name: str
    title: str
    dump: str
    about: str
    words: tuple[str, ...]
    steps: tuple[Step, ...]
    folder: Path

    @property
    def path(self) -> Path:
        """The dump's file: a bundled one by its name, else a path, from the lesson's folder on."""
        from oopscope.bundled import bundled_path

        return bundled_path(self.dump) if self.dump in bundled() else self.folder / Path(self.dump).expanduser()


def _plain(text: str) -> str:
    return "".join(text.lower().split()).rstrip(".").removesuffix("()")


def lessons() -> list[Path]:
    """Return the lessons that ship with oopscope, in their order."""
    with as_file(files("oopscope").joinpath("lessons")) as folder:
        return sorted(folder.glob("*.toml"))


def read_lesson(path: Path) -> Lesson:
    """Read a lesson; LessonError with a line for all that is wrong with it."""
    try:
        raw = path.read_bytes()[: LARGEST + 1]
    except OSError as error:
        raise LessonError(f"{path}: {error.strerror}") from None
    if len(raw) > LARGEST:
        raise LessonError(f"{path}: larger than {LARGEST >> 10} KiB is no lesson")
    try:
        data = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LessonError(f"{path}: no TOML: {error}") from None
    faults = _lesson_faults(path, data)
    if faults:
        raise LessonError("\n".join(f"{path}: {fault}" for fault in faults))
    steps = tuple(_step(step) for step in data["step"])
    about, words = data.get("about", ""), tuple(data.get("words", ()))
    return Lesson(path.stem, data["title"], data["dump"], about, words, steps, path.parent)


def _step(data: Mapping[str, Any]) -> Step:
    """Return a step of keys that were checked."""
    made: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value.strip() for key, value in data.items()
    }
    return Step(**made)


def _lesson_faults(path: Path, data: Mapping[str, Any]) -> list[str]:
    """Return all that is wrong with a lesson."""
    faults = _faults("", data, LESSON)
    found = data.get("step")
    steps: list[Any] = found if isinstance(found, list) else []
    for number, step in enumerate(steps[:MOST_STEPS], 1):
        faults += _faults(f"step {number}: ", step, STEP) or _step_faults(f"step {number}: ", step)
    if len(steps) > MOST_STEPS:
        faults.append(f"{len(steps)} steps are too many: at most {MOST_STEPS}")
    if not steps and not faults:
        faults.append("it has no [[step]]")
    name = data.get("dump")
    if isinstance(name, str) and name not in bundled() and not (path.parent / Path(name).expanduser()).exists():
        faults.append(f"dump: no file {path.parent / Path(name)}, and none that ships: {', '.join(bundled())}")
    return faults


def _faults(where: str, data: Any, wanted: Mapping[str, tuple[type, bool]]) -> list[str]:
    """Return what is wrong with the keys of a table."""
    if not isinstance(data, dict):
        return [f'{where}wants keys, such as text = "..."']
    faults = [f"{where}{key} is not known; there are {', '.join(wanted)}" for key in data if key not in wanted]
    for key, (kind, needed) in wanted.items():
        value: Any = data.get(key)
        if value is None:
            faults += [f"{where}{key} is missing"] if needed else []
        elif not isinstance(value, kind) or (isinstance(value, str) and not value.strip()):
            faults.append(f"{where}{key} wants {'a text' if kind is str else 'a list'}")
        elif (
            isinstance(value, list) and key != "step" and not all(isinstance(one, str) and one.strip() for one in value)
        ):
            faults.append(f"{where}{key} wants a list of texts")
    return faults


def _step_faults(where: str, step: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a step whose keys are right."""
    faults = []
    if len(step["text"]) > TEXT:
        faults.append(f"{where}text has {len(step['text'])} characters: at most {TEXT}, so that it fits a screen")
    if ("ask" in step) != ("answer" in step):
        faults.append(f"{where}ask and answer belong together")
    line = step.get("open", "")
    if line:
        asked = request(line)
        if isinstance(asked, Say):
            faults.append(f"{where}open: {asked.text}")
        elif asked is None and line.split()[0] not in PANES:
            faults.append(f"{where}open: {line.split()[0]} is neither a place nor a command")
    faults += [f"{where}words: nothing is said of {word}: oopscope explain --list" for word in step.get("words", ())
               if not named(word)]  # fmt: skip
    return faults


# Progress.


def _file() -> Path | None:
    chosen = os.environ.get("OOPSCOPE_STATE")
    if chosen == "off":
        return None
    base = os.environ.get("XDG_STATE_HOME") or (os.environ.get("HOME") and f"{os.environ['HOME']}/.local/state")
    folder = Path(chosen) if chosen else Path(base) / "oopscope" if base else None
    return folder / "lessons.json" if folder is not None else None


def progress() -> dict[str, int]:
    """Return how many steps of each lesson were done, by its name; nothing where that is not kept."""
    file = _file()
    try:
        data = json.loads(file.read_bytes()[:LARGEST]) if file is not None else {}
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in data.items() if isinstance(v, int)} if isinstance(data, dict) else {}


def keep(name: str, steps: int) -> None:
    """Remember how far a lesson was done; what cannot be written is not kept."""
    file = _file()
    if file is None or progress().get(name, 0) >= steps:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as out:
            out.write(json.dumps({**progress(), name: steps}, indent=1).encode())
    except OSError:
        return
