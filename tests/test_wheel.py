"""The wheel holds both packages whole, with what is no Python in them, and runs from where it is unpacked."""

import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

from core.cli.runner import environment

ROOT = Path(__file__).parents[1]
ROOTS = {"oopscope": ROOT / "core" / "oopscope", "oopscope_tui": ROOT / "tui" / "oopscope_tui"}
# What somebody's own ignore file may say, and hatchling believes.
IGNORED = "core\n*.kdump\n*.css\ndata\n"


def build(tree: Any, out: Any) -> Any:
    """Build the wheel of a source tree, without a network and without an environment of its own."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = out.glob("*.whl")
    return wheel


def expected() -> Any:
    """Every file of the two packages."""
    found = {}
    for package, folder in ROOTS.items():
        for path in folder.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix not in (".pyc", ".pyo"):
                found[f"{package}/{path.relative_to(folder).as_posix()}"] = path
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def names(wheel: Any) -> Any:
    return {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}


def test_holds_both_packages_whole(names: Any) -> None:
    assert names == set(expected())
    assert len(names) > 150


def test_holds_what_is_no_python(names: Any) -> None:
    assert {"oopscope/py.typed", "oopscope_tui/py.typed", "oopscope_tui/oopscope.tcss"} <= names
    demos = [n for n in names if n.startswith("oopscope/data/") and n.endswith(".kdump")]
    assert demos
    assert "oopscope/data/README.md" in names  # whose memory it is, and under which licence
    assert {"oopscope/data/report.css", "oopscope/data/report.js"} <= names


def test_files_are_what_they_are_in_the_tree(wheel: Any) -> None:
    archive = zipfile.ZipFile(wheel)
    for name, path in expected().items():
        assert archive.read(name) == path.read_bytes(), name


def test_metadata(wheel: Any) -> None:
    archive = zipfile.ZipFile(wheel)
    info = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
    meta = Parser().parsestr(archive.read(info).decode())
    assert (meta["Name"], meta["Requires-Python"], meta["License-Expression"]) == ("oopscope", ">=3.11", "MIT")
    assert "# oopscope" in meta.get_payload()
    needed = {r.split(";")[0].split(">")[0].split("<")[0].split("=")[0].strip() for r in meta.get_all("Requires-Dist")}
    assert {"textual", "rich", "pyelftools", "zstandard", "cramjam", "lzallright"} <= needed
    entry = archive.read(info.replace("METADATA", "entry_points.txt")).decode()
    assert "oopscope = oopscope_tui.__main__:main" in entry
    assert any(n.endswith("/licenses/LICENSE") for n in archive.namelist())


def test_an_ignore_file_takes_nothing_out(tmp_path: Path) -> None:
    """A line `core` or `*.kdump` in an ignore file would empty the wheel without a word."""
    tree = tmp_path / "tree"
    for name in ("core", "tui"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    (tree / ".gitignore").write_text(IGNORED)
    found = zipfile.ZipFile(build(tree, tmp_path / "out")).namelist()
    assert {n for n in found if ".dist-info/" not in n} == set(expected())


def test_runs_from_where_it_is_unpacked(wheel: Any, tmp_path: Path) -> None:
    """Nothing is read from the source tree: the demo is in the wheel, and gives its verdict."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    env = environment(PYTHONPATH=str(tmp_path))
    command = [sys.executable, "-m", "oopscope_tui"]
    name = subprocess.run([*command, "demo", "--list"], capture_output=True, text=True, env=env, check=True).stdout
    demo = tmp_path / "oopscope" / "data" / f"{name.split()[0]}.kdump"
    code = "import oopscope, oopscope_tui; print(oopscope.__file__, oopscope_tui.__file__)"
    where = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True).stdout
    assert all(path.startswith(str(tmp_path)) for path in where.split())
    done = subprocess.run([*command, "report", demo], capture_output=True, text=True, env=env, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "null-pointer-dereference" in done.stdout
