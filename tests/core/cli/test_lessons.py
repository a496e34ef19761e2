"""Lessons: those that ship are whole and their dumps say what they ask for; a faulty file is told all its faults."""

from pathlib import Path

import pytest

from core.cli.runner import Run
from oopscope.bundled import bundled, bundled_path
from oopscope.cli import DONE, USAGE
from oopscope.lessons import Lesson, LessonError, keep, lessons, progress, read_lesson

MOST = 25 << 20  # bytes of all bundled dumps


def test_all_bundled_dumps_together_are_small_and_one_is_whole() -> None:
    files = bundled()
    assert sum(path.stat().st_size for path in files.values()) < MOST
    assert [name for name, path in files.items() if path.suffix == ".kdump"] == ["null-pointer"]
    assert next(iter(files)) == "null-pointer"


@pytest.mark.parametrize("name", bundled())
def test_a_bundled_dump_is_put_together_once(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OOPSCOPE_CACHE", str(tmp_path))
    path = bundled_path(name)
    assert path.read_bytes()[:7] == b"KDUMP  "
    before = path.stat().st_mtime_ns
    assert bundled_path(name) == path
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_each_lesson_is_whole(path: Path) -> None:
    lesson = read_lesson(path)
    assert lesson.dump in bundled()
    assert len(lesson.steps) >= 3
    for step in lesson.steps:
        assert step.ask and all(step.accepts(one) for one in step.answer)
        assert not step.accepts("no idea") and not step.accepts("")
    assert lesson.steps[-1].right


def test_the_deck_is_walked() -> None:
    words = {word for path in lessons() for step in read_lesson(path).steps for word in step.words}
    assert {"four causes", "kexec", "dump level", "hung task", "OOM", "coverage"} <= words


@pytest.mark.parametrize(("text", "says"), [
    ("", "title is missing"),
    ("title = ", "no TOML"),
    ('title = "x"\ndump = "null-pointer"\n', "step is missing"),
    ('title = "x"\ndump = "nowhere"\n[[step]]\ntext = "t"\n', "dump: no file"),
    ('title = "x"\ndump = "null-pointer"\nhue = 1\n[[step]]\ntext = "t"\n', "hue is not known; there are title, dump"),
    ('title = "x"\ndump = "null-pointer"\n[[step]]\nopen = "tasks"\n', "step 1: text is missing"),
    ('title = "x"\ndump = "null-pointer"\n[[step]]\ntext = "t"\nask = "?"\n', "step 1: ask and answer belong together"),
    ('title = "x"\ndump = "null-pointer"\n[[step]]\ntext = "t"\nopen = "nonsense"\n', "neither a place nor a command"),
    ('title = "x"\ndump = "null-pointer"\n[[step]]\ntext = "t"\nopen = "gdb x"\n', "step 1: open: gdb is not there"),
    ('title = "x"\ndump = "null-pointer"\n[[step]]\ntext = "t"\nwords = ["qqq"]\n', "nothing is said of qqq"),
    ('title = "x"\ndump = "null-pointer"\n[[step]]\ntext = "t"\nanswer = "one"\n', "step 1: answer wants a list"),
    ('title = "x"\ndump = "null-pointer"\nstep = 3\n', "step wants a list"),
    ('title = "x"\ndump = "null-pointer"\nstep = [1]\n', "step 1: wants keys"),
])  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(LessonError) as caught:
        read_lesson(path)
    assert says in str(caught.value)
    assert all(line.startswith(f"{path}: ") for line in str(caught.value).split("\n"))


def test_a_trainers_own_dump_stands_beside_the_lesson(tmp_path: Path) -> None:
    (tmp_path / "mine.kdump").write_bytes(b"")
    path = tmp_path / "mine.toml"
    path.write_text('title = "x"\ndump = "mine.kdump"\n[[step]]\ntext = "t"\nask = "?"\nanswer = ["Lab read()."]\n')
    lesson: Lesson = read_lesson(path)
    assert lesson.path == tmp_path / "mine.kdump"
    assert lesson.steps[0].accepts("labread")


def test_progress_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OOPSCOPE_STATE", str(tmp_path / "state"))
    assert progress() == {}
    keep("1-null-pointer", 3)
    keep("1-null-pointer", 2)
    assert progress() == {"1-null-pointer": 3}
    (tmp_path / "state" / "lessons.json").write_text("[nonsense")
    assert progress() == {}


class TestCommand:
    def test_list_print_and_check(self, command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OOPSCOPE_STATE", str(tmp_path))
        keep("1-null-pointer", 6)
        listed = command("learn", "--list").out.splitlines()
        assert len(listed) == len(lessons()) and "done" in listed[0] and "0 of " in listed[1]
        assert "= rdi | %rdi" in command("learn", "--print", "1").out
        assert command("learn", "--check", "deadlock").out.endswith("nothing wrong\n")

    def test_what_is_none_is_said(self, command: Run, tmp_path: Path) -> None:
        done = command("learn", "77")
        assert (done.status, done.out) == (USAGE, "")
        (tmp_path / "mine.toml").write_text('title = "x"\n[[step]]\n')
        done = command("learn", "--check", tmp_path / "mine.toml")
        assert done.status == USAGE and len(done.err.splitlines()) == 2
        assert command("learn").status == USAGE  # no terminal here
        assert command("learn", "--list").status == DONE
