"""The table of containers and the files that read them: each has the other."""

from importlib import import_module
from pathlib import Path

from oopscope import dumps
from oopscope.dumps import FORMATS


def test_every_file_has_its_line_and_every_line_its_file() -> None:
    folder = Path(dumps.__file__).parent
    modules = {f"oopscope.dumps.{p.stem}" for p in folder.iterdir() if p.stem != "__init__" and p.suffix in ("", ".py")}
    modules.discard("oopscope.dumps.__pycache__")
    assert modules == {f.module for f in FORMATS}


def test_every_module_has_what_the_table_calls() -> None:
    for line in FORMATS:
        module = import_module(line.module)
        assert callable(module.probe)
        assert callable(module.open)


def test_what_is_guessed_comes_last() -> None:
    assert [f.guess for f in FORMATS] == sorted(f.guess for f in FORMATS)
