"""The settings file: what is in it counts, and what is wrong in it is one line and costs only itself."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from oopscope_tui.settings import keymap, keys
from oopscope_tui.settings.example import example
from oopscope_tui.settings.keymap import Keymap, understood, written
from oopscope_tui.settings.settings import LARGEST, MOST_TROUBLE, Settings, load, place


def read(tmp_path: Path, text: Any) -> Any:
    path = tmp_path / "config.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path)


def told(settings: Any) -> Any:
    """The lines of trouble, without the file's own name."""
    return [line.removeprefix(str(settings.path)).removeprefix(":").strip() for line in settings.trouble]


def test_everything_set(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        """
time = "utc"
[keys]
quit = "x"
goto = [":", "Ctrl-T"]
tree = "T"
[columns]
tasks = ["comm", "pid", "pid"]
""",
    )
    assert got.time == "UTC"
    assert got.keys == {"quit": ("x",), "goto": ("colon", "ctrl+t"), "tree": ("T",)}
    assert got.columns == {"tasks": ("comm", "pid")}


def test_no_file_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OOPSCOPE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert load() == Settings(tmp_path / "oopscope" / "config.toml")
    monkeypatch.setenv("OOPSCOPE_CONFIG", "off")
    assert load() == Settings(None)
    monkeypatch.setenv("OOPSCOPE_CONFIG", str(tmp_path / "named"))
    assert told(load()) == ["no such file"]


def test_a_relative_folder_of_settings_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OOPSCOPE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", "here")
    monkeypatch.setenv("HOME", "/no/where")
    assert str(place()) == "/no/where/.config/oopscope/config.toml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('theme = "puce"', "1: no theme 'puce'; there are "),
        ("\ntheme = 3", "2: no theme 3; there are "),
        ('time = "noon"', "1: no time 'noon'; there are boot, UTC, crash"),
        ("colour = 1", "1: there is no setting 'colour'; there are theme, time, known, keys, columns"),
        ("keys = 3", "1: keys is a table: [keys]"),
        ("[keys]\nfly = 'x'", "2: there is no action 'fly'"),
        ("[keys]\nquit = 'hyper+x'", "2: there is no key 'hyper+x'"),
        ("[keys]\nquit = 3", "2: quit wants a word or a list of words, not 3"),
        ("[keys]\nquit = ['x', 3]", "2: quit wants a word or a list of words, not ['x', 3]"),
        ("[keys]\ncopy = 'x'\nquit = 'x'", "3: x is copy already, and not quit too"),
        ("[keys]\nblocked = 'x'\ncopy = 'x'", "3: x is blocked already, and not copy too"),
        ("[keys]\ncopy = 'q'", "2: quit has no key now: q is copy"),
        ("[columns]\ntasks = []", "2: tasks has no column left"),
        ("[columns]\ntasks = [[]]", "2: tasks wants a word or a list of words, not [[]]"),
        ("[columns\ntasks = 'x'", "1: expected ']' at the end of a table declaration"),
        ("theme = 'x", "1: "),
        (b"\xff\xfe", "not UTF-8 text, at byte 0"),
        (b"#" * (LARGEST + 1), "65,537 bytes are more than settings can be"),
        ("x = " + "[" * 5000, "nested too deeply"),
    ],
)
def test_an_error_is_one_line_and_the_rest_counts(tmp_path: Path, text: bytes | str, said: str) -> None:
    got = read(tmp_path, text)
    assert told(got)[0].startswith(said)
    assert all("\n" not in line for line in got.trouble)
    if isinstance(text, str) and "x = [" not in text:
        both = read(tmp_path, f'time = "crash"\n{text}')
        assert both.time == "crash" or "time" in text
        assert len(both.trouble) == len(got.trouble) or "time" in text


def test_many_errors_are_not_all_told(tmp_path: Path) -> None:
    got = read(tmp_path, "\n".join(f"a{at} = 1" for at in range(100)))
    assert len(got.trouble) == MOST_TROUBLE + 1
    assert got.trouble[-1].endswith("80 more like this")


def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")  # reading it would wait for ever
    assert told(load(tmp_path / "fifo")) == ["not a plain file"]
    assert told(load(tmp_path)) == ["not a plain file"]


def test_columns_are_chosen_and_ordered(tmp_path: Path) -> None:
    known = [SimpleNamespace(key=key) for key in ("pid", "comm", "state")]
    got = read(tmp_path, "[columns]\ntasks = ['state', 'wait', 'pid']\nlog = ['none']")
    chosen, why = got.choose("tasks", known)
    assert [column.key for column in chosen] == ["state", "pid"]
    assert why.endswith("no column 'wait' in tasks; there are pid, comm, state")
    assert got.choose("log", known)[0] == known
    assert got.choose("cpus", known) == (known, "")


@pytest.mark.parametrize(
    ("word", "key", "shown"),
    [("?", "question_mark", "?"),
     ("Ctrl-X", "ctrl+x", "Ctrl-X"), ("^x", "ctrl+x", "Ctrl-X"), ("C-x", "ctrl+x", "Ctrl-X"),
     ("F5", "f5", "F5"), ("PgDn", "pagedown", "PgDn"), ("space", "space", "Space"), (" ", "space", "Space"),
     ("slash", "slash", "/"), (",", "comma", ","), ("Q", "Q", "Q"), ("shift-q", "Q", "Q"), ("Alt-a", "alt+a", "Alt-A"),
     ("shift+tab", "shift+tab", "Shift-Tab"), ("Esc", "escape", "Esc"), ("ctrl+i", "tab", "Tab"), ("down", "down", "↓"),
     ("+", "plus", "+"), ("-", "minus", "-"), ("ctrl++", "ctrl+plus", "Ctrl-+")],
)  # fmt: skip
def test_keys_as_people_write_them(word: str, key: str, shown: str) -> None:
    assert understood(word) == key
    assert written(key) == shown


@pytest.mark.parametrize("word", ["", "nokey", "hyper+x", "ctrl+", "f99", "\x1b", "ctrl+nokey", "[red]", "a,b"])
def test_what_is_no_key(word: str) -> None:
    assert understood(word) is None


def test_a_chosen_key_is_taken_from_what_had_it() -> None:
    got = Keymap({"search": ("s",), "blocked": ("x",)})
    assert got.changed == {"search": ("s",), "sort": ("greater_than_sign",), "blocked": ("x",)}
    assert got.trouble == []


def test_two_actions_may_swap_their_keys() -> None:
    got = Keymap({"copy": ("w",), "write": ("y",)})
    assert got.changed == {"copy": ("w",), "write": ("y",)}
    assert got.trouble == []


def test_of_two_with_one_key_the_second_has_its_own_again() -> None:
    got = Keymap({"copy": ("x",), "quit": ("x",)})
    assert got.changed == {"copy": ("x",), "quit": ("q",)}


def test_keys_of_different_panes_may_be_the_same() -> None:
    assert Keymap({"blocked": ("x",), "oops": ("x",)}).trouble == []
    assert Keymap({"page-down": ("space",)}).changed == {"page-down": ("space",)}  # in the tree it folds, by design


def test_a_changed_line_of_the_table_shows_its_keys() -> None:
    got = Keymap({"quit": ("x", "f10"), "copy": ()})
    lines = {key.name: got.of(key) for key in keys.EVERYWHERE}
    assert (lines["quit"].keys, lines["quit"].shown) == ("x,f10", "x F10")
    assert (lines["copy"].keys, lines["copy"].shown) == (keymap.NO_KEY, "(no key)")
    assert lines["help"] in keys.EVERYWHERE


def test_every_table_of_keys_can_be_changed_and_no_name_means_two_things() -> None:
    tables = [
        value
        for value in vars(keys).values()
        if isinstance(value, tuple) and value and isinstance(value[0], keys.Key) and value is not keys.PALETTE
    ]
    assert all(any(table is known for known in keys.TABLES.values()) for table in tables)
    meanings: dict[Any, Any] = {}
    for table in tables:
        names = [key.name for key in table if key.name]
        assert len(names) == len(set(names))
        for key in table:
            assert key.name or not key.action
            assert meanings.setdefault(key.name, key.action) == key.action


async def test_changed_keys_work_and_are_shown(tmp_path: Path) -> None:
    from tui.driving import enter, lines, press, running, text

    chosen = read(tmp_path, "[keys]\nquit = 'x'\ncopy = 'q'\nblocked = 'F5'\nsort = 'Ctrl-O'\ntree = []")
    assert chosen.trouble == ()
    async with running(settings=chosen, size=(200, 24)) as (app, pilot):
        copied: list[Any] = []
        app.copy_to_clipboard = copied.append  # type: ignore[assignment, method-assign]
        await press(app, pilot, "3", "q")
        assert copied
        await press(app, pilot, "f5")
        assert "blocked only" in lines(app)[2]
        await press(app, pilot, "f5", "D", "t")
        assert "blocked only" not in lines(app)[2]
        assert "tree" not in lines(app)[2]
        await press(app, pilot, "ctrl+o")
        assert "by PID" in lines(app)[2]
        assert "F5 blocked" in lines(app)[-1]
        assert "x quit" in lines(app)[-1]
        await press(app, pilot, "question_mark")
        await enter(app, pilot, "/", "blocked tasks, longest")
        assert "F5" in text(app)
        await press(app, pilot, "x", "x")  # from the keys, and from the tasks
        assert app.return_value == 0


async def test_trouble_is_told_at_the_start_and_under_the_keys(tmp_path: Path) -> None:
    from tui.driving import LARGE, enter, lines, running, text

    chosen = read(tmp_path, "theme = '[red]\\u001b[2Jx'\ntime = 'noon'")
    async with running(settings=chosen, size=LARGE) as (app, pilot):
        assert "settings, 1 of 2 (? shows all): config.toml:1: no theme '[red]" in lines(app)[-2]
        await enter(app, pilot, ":", "help")
        await enter(app, pilot, "/", "no time")
        assert "no time 'noon'; there are boot, UTC, crash" in text(app)
        assert str(chosen.path) in text(app)


async def test_a_file_to_begin_with_is_written_once_and_is_no_trouble(tmp_path: Path) -> None:
    from tui.driving import enter, running, text

    path = tmp_path / "new" / "config.toml"
    async with running(settings=Settings(path)) as (app, pilot):
        await enter(app, pilot, ":", "settings")
        assert "written, to be edited" in text(app)
        path.write_text(path.read_text().replace("#", "", 1))
        await enter(app, pilot, ":", "settings")
        assert "written" not in text(app)
    uncommented = "\n".join(
        line[1:] if line[:1] == "#" and line[1:2].isalpha() else line for line in example().splitlines()
    )
    assert read(tmp_path, uncommented).trouble == ()
    assert read(tmp_path, example()) == Settings(tmp_path / "config.toml")
    names = {key.name for table in keys.TABLES.values() for key in table if key.name}
    assert set(read(tmp_path, uncommented).keys) == names


def test_the_example_of_the_readme_is_right(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    got = read(tmp_path, readme.split("```toml\n")[1].split("```")[0])
    assert got.trouble == ()
    assert (got.theme, got.time, got.keys["quit"]) == ("light", "UTC", ("Q",))


async def test_columns_that_are_not_there_are_told_where_they_are_missed(tmp_path: Path) -> None:
    from tui.driving import lines, press, running

    chosen = read(tmp_path, "[columns]\ntaks = ['pid']\ntasks = ['wait', 'nonsense', 'pid']")
    assert chosen.trouble == ()
    async with running(settings=chosen, size=(160, 24)) as (app, pilot):
        assert "config.toml: no pane 'taks' for columns; there are dumps, overview" in lines(app)[-2]
        await press(app, pilot, "3")
        assert "config.toml: no column 'nonsense' in tasks; there are pid" in lines(app)[-2]
        assert lines(app)[3].split()[:3] == ["Waits", "in", "PID"]
