"""The user's settings: a TOML file with keys, theme, time format and columns. What is wrong in it costs only itself.

`$XDG_CONFIG_HOME/oopscope/config.toml`, by default under ~/.config; OOPSCOPE_CONFIG names another file, or `off`.
It knows the names of actions, themes and times, and no widget; each error is one line, for the screen to show.
"""

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from oopscope_tui.look import palette
from oopscope_tui.settings import keymap, keys

TIMES = ("boot", "UTC", "crash")  # the log's names: since boot, of the wall clock, before the crash
LARGEST = 64 << 10  # bytes of a file that is read
MOST_TROUBLE = 20  # lines told; each line that is no TOML is left out, up to as many
MOST_KEYS = 8  # for one action


class Column(Protocol):
    """What a column must have to be chosen: its name."""

    @property
    def key(self) -> str:
        """The name."""


AnyColumn = TypeVar("AnyColumn", bound=Column)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chose; without a file the defaults."""

    path: Path | None = None  # where the file is, or would be; None where there is to be none
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the action's name: Textual's names of keys
    theme: str = palette.DEFAULT
    time: str = TIMES[0]  # one of TIMES
    known: str = ""  # a file of known bugs; empty for none
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the pane's key: its columns, in order
    trouble: tuple[str, ...] = ()  # what is wrong in the file, a line each

    def choose(self, pane: str, known: Sequence[AnyColumn]) -> tuple[list[AnyColumn], str]:
        """Return a pane's columns as the user wants them, and one line of what is wrong with that; all by default."""
        wanted = self.columns.get(pane)
        if wanted is None:
            return list(known), ""
        names = {column.key: column for column in known}
        found = [names[name] for name in wanted if name in names]
        missing = [name for name in wanted if name not in names]
        why = f"{self.path}: no column {missing[0]!r} in {pane}; there are {', '.join(names)}" if missing else ""
        return found or list(known), why

    def told(self, why: str = "") -> str:
        """Return one line of trouble, by default the first, for the screen: the file by its name alone."""
        count = len(self.trouble)
        line = why or self.trouble[0]
        if self.path is not None:
            line = line.replace(str(self.path), self.path.name, 1)
        return f"settings: {line}" if why or count == 1 else f"settings, 1 of {count} (? shows all): {line}"

    def unknown_pane(self, known: Iterable[str]) -> str:
        """Return one line for columns of a pane that there is not; empty where there is none such."""
        there = list(known)
        missing = next((pane for pane in self.columns if pane not in there), None)
        return f"{self.path}: no pane {missing!r} for columns; there are {', '.join(there)}" if missing else ""


def place() -> Path | None:
    """Return where the settings are, or would be; None where there are to be none."""
    named = os.environ.get("OOPSCOPE_CONFIG", "")
    if named:
        return None if named == "off" else Path(named).expanduser()
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        base = Path(folder) if folder.startswith("/") else Path.home() / ".config"
    except RuntimeError:  # no home
        return None
    return base / "oopscope" / "config.toml"


def load(path: Path | None = None) -> Settings:
    """Read the settings; whatever is wrong is in `trouble`, and the rest counts."""
    path = path if path is not None else place()
    if path is None:
        return Settings()
    try:
        text = _read(path)
    except FileNotFoundError:
        missing = "no such file" if os.environ.get("OOPSCOPE_CONFIG") else ""
        return Settings(path, trouble=(f"{path}: {missing}",) if missing else ())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Settings(path, trouble=(f"{path}: {why}",))
    return _Reading(path, text).settings()


def _read(path: Path) -> str:
    """Return the file's text; OSError or ValueError for what is no plain small text."""
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise ValueError("not a plain file")
    if about.st_size > LARGEST:
        raise ValueError(f"{about.st_size:,} bytes are more than settings can be")
    with path.open("rb") as file:
        raw = file.read(LARGEST + 1)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text, at byte {error.start:,}") from error


class _Reading:
    """One file as it is gone through."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.text = path, text
        self.trouble: list[str] = []

    def settings(self) -> Settings:
        """Return what the file says, as far as it can be understood."""
        data = self._parsed()
        takers: dict[str, Callable[[Any], Any]] = {
            "theme": lambda value: self._one_of("theme", value, palette.NAMES),
            "time": lambda value: self._one_of("time", value, TIMES),
            "known": self._file,
            "keys": self._keys,
            "columns": self._columns,
        }
        found: dict[str, Any] = {}
        for name, value in data.items():
            if name in takers:
                taken = takers[name](value)
                if taken is not None:
                    found[name] = taken
            else:
                self._say(f"there is no setting {name!r}; there are {', '.join(takers)}", name)
        more = len(self.trouble) - MOST_TROUBLE
        told = [*self.trouble[:MOST_TROUBLE], *([f"{self.path}: {more:,} more like this"] if more > 0 else [])]
        return Settings(self.path, trouble=tuple(told), **found)

    def _parsed(self) -> dict[str, Any]:
        """Return the file's tables; lines that are no TOML are told and left out."""
        import tomllib  # only where there is a file

        lines = self.text.split("\n")
        cut = False
        for _ in range(MOST_TROUBLE):
            try:
                return tomllib.loads("\n".join(lines))
            except RecursionError:
                self.trouble.append(f"{self.path}: nested too deeply")
                return {}
            except ValueError as error:
                at = re.search(r"\(at line (\d+), column \d+\)", str(error))
                what = str(error).partition(" (at ")[0]
                number = int(at[1]) if at else max((n for n, line in enumerate(lines, 1) if line.strip()), default=0)
                if at or not cut:
                    self.trouble.append(f"{self.path}:{number}: {what[:1].lower()}{what[1:]}")
                cut = cut or not at  # something that the end leaves open: where it begins is not known
                if not number:
                    return {}
                lines[number - 1] = ""
        return {}

    def _say(self, what: str, name: str, table: str = "") -> None:
        at = line_of(self.text, name, table)
        self.trouble.append(f"{self.path}:{at}: {what}" if at else f"{self.path}: {what}")

    def _one_of(self, name: str, value: Any, known: Sequence[str]) -> str | None:
        for one in known:
            if isinstance(value, str) and value.lower() == one.lower():
                return one
        self._say(f"no {name} {value!r:.60}; there are {', '.join(known)}", name)
        return None

    def _file(self, value: Any) -> str | None:
        if isinstance(value, str) and (not value or Path(value).expanduser().is_file()):
            return value
        self._say(f"known wants the path of a file of known bugs, not {value!r:.60}", "known")
        return None

    def _table(self, name: str, value: Any) -> Iterable[tuple[str, list[str]]]:
        """Yield the lines of a table, each a name and one word or several."""
        if not isinstance(value, dict):
            self._say(f"{name} is a table: [{name}]", name)
            return
        for key, words in value.items():
            several = [words] if isinstance(words, str) else words
            if isinstance(several, list) and all(isinstance(word, str) for word in several):
                yield key, several
            else:
                self._say(f"{key} wants a word or a list of words, not {words!r:.60}", key, name)

    def _columns(self, value: Any) -> dict[str, tuple[str, ...]]:
        out: dict[str, tuple[str, ...]] = {}
        for pane, names in self._table("columns", value):
            if names:
                out[pane] = tuple(dict.fromkeys(names))
            else:
                self._say(f"{pane} has no column left", pane, "columns")
        return out

    def _keys(self, value: Any) -> dict[str, tuple[str, ...]]:
        known = {key.name for table in keys.TABLES.values() for key in table if key.name}
        out: dict[str, tuple[str, ...]] = {}
        for action, words in self._table("keys", value):
            if action not in known:
                self._say(f"there is no action {action!r:.60}", action, "keys")
                continue
            named = [(word, keymap.understood(word)) for word in words[:MOST_KEYS]]
            for word, key in named:
                if key is None:
                    self._say(f"there is no key {word!r:.60}", action, "keys")
            good = tuple(dict.fromkeys(key for _, key in named if key is not None))
            if good or not words:
                out[action] = good
        for action, why in keymap.Keymap(out).trouble:
            self._say(why, action, "keys")
        return out


def line_of(text: str, name: str, table: str = "") -> int:
    """Return the line on which a name is set, in a table or before all; 0 where it is not to be found."""
    inside = ""
    wanted = re.compile(rf"""\s*(?:\[\s*)?["']?{re.escape(name)}["']?\s*[=\].]""")
    for number, line in enumerate(text.split("\n"), 1):
        head = re.match(r"\s*\[\s*([\w.-]+)\s*\]", line)
        if head and (table or head[1] != name):
            inside = head[1]
        elif (inside == table or not table) and wanted.match(line):
            return number
    return 0
