"""Rules of the house that no other tool holds: what an import costs, docstrings, sizes, traces of a machine."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from core.cli.runner import environment

ROOT = Path(__file__).parents[1]
MAX_LINES = 500
MAX_DUMP = 8 << 20
MAX_TREE = 150 << 20
LEFT_OUT = {".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".whole", "dist", "build"}


def tracked() -> list[Path]:
    """The files under version control; of a source tree without it, all files."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return [p for p in ROOT.rglob("*") if p.is_file() and not LEFT_OUT & set(p.relative_to(ROOT).parts)]
    return [p for name in listed.split(b"\0") if name and (p := ROOT / name.decode()).is_file()]


FILES = tracked()
PYTHON = [p for p in FILES if p.suffix == ".py"]
SOURCES = [p for p in PYTHON if p.relative_to(ROOT).parts[0] in ("core", "tui")]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def trees() -> dict[Path, ast.Module]:
    """The sources, each parsed once."""
    return {path: ast.parse(path.read_text()) for path in SOURCES}


def modules_after(statement: Any) -> Any:
    code = f"import sys; {statement}; print(*(name.split('.')[0] for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    return set(done.stdout.split())


HEAVY = {"textual", "rich", "json", "zstandard", "cramjam", "lzallright", "elftools", "asyncio", "argparse", "fsspec"}


@pytest.mark.parametrize(
    "statement, not_loaded",
    [
        ("import oopscope", HEAVY),
        ("import oopscope_tui", HEAVY),
        ("import oopscope_tui.__main__", HEAVY),
        ("import oopscope.cli", HEAVY - {"argparse", "json"}),
        ("import oopscope.boot.attach", HEAVY - {"json"}),
        ("import oopscope.report.build", {"textual", "rich", "asyncio", "argparse"}),
    ],
)
def test_imports_stay_light(statement: str, not_loaded: Any) -> None:
    assert modules_after(statement) & not_loaded == set()


TABLES = {
    "oopscope.dumps": lambda m: {line.module for line in m.FORMATS},
    "oopscope.codecs": lambda m: {module for _bit, _name, module in m.CODECS},
    "oopscope.machine": lambda m: {line.folder for line in m.MACHINES} | {"oopscope.machine.common"},
    "oopscope.triage.rules": lambda m: {f"oopscope.triage.rules.{name}" for name in m.RULES},
}


@pytest.mark.parametrize("package", TABLES)
def test_every_file_has_its_line_in_its_table(package: str) -> None:
    """A file that no table names is never imported; a line without its file fails when somebody needs it."""
    module = import_module(package)
    folder = Path(module.__file__).parent
    entries = {p.stem for p in folder.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()} - {"__init__"}
    assert {f"{package}.{name}" for name in entries} == TABLES[package](module)


def public(tree: Any) -> Iterator[Any]:
    """Every public class and function of a module, and the public methods of its public classes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (m for m in node.body if isinstance(m, ast.FunctionDef) and not m.name.startswith("_"))


def test_every_file_says_what_it_knows() -> None:
    assert [name_of(path) for path, tree in trees().items() if not ast.get_docstring(tree)] == []


def test_docstrings() -> None:
    """Of all that is public in core."""
    without = [
        f"{name_of(path)}:{node.lineno}: {node.name}"
        for path, tree in trees().items()
        if path.relative_to(ROOT).parts[0] == "core"
        for node in public(tree)
        if not ast.get_docstring(node)
    ]
    assert not without, "\n".join(without)


def test_docstrings_are_really_looked_for() -> None:
    tree = ast.parse('def f(): pass\nclass C:\n  "d"\n  def g(self): pass\n  def _h(self): pass\ndef _i(): pass')
    assert [n.name for n in public(tree) if not ast.get_docstring(n)] == ["f", "g"]


NAMES = {"x86_64", "amd64", "i386", "i686", "aarch64", "arm64", "s390x", "ppc64", "ppc64le", "powerpc", "riscv64"}
NAMES |= {"loongarch64"}


def compared_names(tree: Any) -> Iterator[Any]:
    """The lines on which code asks which machine it is: a machine's name that is compared, or looked up by."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            parts = [inner for part in (node.left, *node.comparators) for inner in ast.walk(part)]
        elif isinstance(node, ast.MatchValue):
            parts = [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
            parts = list(ast.walk(node))
        else:
            continue
        texts = {part.value for part in parts if isinstance(part, ast.Constant)} & NAMES
        arch = any(isinstance(p, ast.Attribute) and ast.unparse(p).endswith("arch.name") for p in parts)
        if texts or arch:
            yield node.lineno


def test_no_machine_is_asked_for_by_name_outside_its_folder() -> None:
    """Whatever differs by machine is in kernel.machine; containers keep what they know of machines as data."""
    machines = ROOT / "core" / "oopscope" / "machine"
    found = {name_of(p): list(compared_names(tree)) for p, tree in trees().items() if machines not in p.parents}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_asking_by_name_is_really_looked_for() -> None:
    for code in (
        'kernel.arch.name != "x86_64"',
        'machine in ("arm64", other)',
        "kernel.arch.name == usual",
        'name.startswith("ppc64")',
    ):
        assert list(compared_names(ast.parse(code))) == [1]
    assert not list(compared_names(ast.parse('machine in KNOWN; KNOWN = ("x86_64",); print(kernel.arch.name)')))


def test_files_are_of_a_size_to_be_read() -> None:
    assert len(PYTHON) > 150
    assert {name_of(p): n for p in PYTHON if (n := len(p.read_text().splitlines())) > MAX_LINES} == {}


# Folders that every Linux machine has, and names that stand for a place in examples; any other is somebody's own.
ANYWHERE = {
    *(
        "proc",
        "sys",
        "dev",
        "var",
        "etc",
        "usr",
        "bin",
        "sbin",
        "lib",
        "boot",
        "run",
        "tmp",
        "mnt",
        "srv",
        "devices",
        "soc",
    ),
    *("cg", "shop.slice", "kubepods.slice"),  # control groups of guests
    *("no", "some", "data", "dist", "build", "objects", "static", "download", "licenses", "x", "h"),
}
ABSOLUTE = re.compile(r"""(?<![\w./)}\]>*~:-])/([A-Za-z][\w.-]*)/""")
INDEX = re.compile(r"-?index-url|/simple/|\b(registry|files|proxy|mirror)\.[a-z]+\.(org|com|io)\b", re.I)


def text_of(path: Path) -> Any:
    """A file's text; None for what is binary."""
    raw = path.read_bytes()
    return None if b"\0" in raw[:65536] else raw.decode("utf-8", "replace")


def test_no_trace_of_the_machine_that_it_was_made_on() -> None:
    """No absolute path of somebody's own folder, no host of a package index."""
    found = {}
    for path in FILES:
        text = text_of(path)
        if text is None or path == Path(__file__):
            continue
        hits = {m[0] for m in ABSOLUTE.finditer(text) if m[1] not in ANYWHERE} | set(INDEX.findall(text))
        if hits:
            found[name_of(path)] = hits
    assert found == {}


def test_traces_are_really_looked_for() -> None:
    assert [m[1] for m in ABSOLUTE.finditer("at /home/me/x.py, see '/opt/thing/bin', not a/b/c or http://h/x/y")] == [
        "home",
        "opt",
    ]
    assert INDEX.search("https://" + "files." + "example.org/x")


def test_the_tree_stays_small() -> None:
    dumps = {name_of(p): p.stat().st_size for p in FILES if "dumps" in p.parts and p.suffix in (".kdump", ".patch")}
    assert len(dumps) >= 17
    assert {name: size for name, size in dumps.items() if size > MAX_DUMP} == {}
    assert sum(p.stat().st_size for p in FILES) <= MAX_TREE


def test_every_dump_has_its_truth() -> None:
    files = [p for p in FILES if p.parent.name in ("dumps", "machines")]
    deaths = {p for p in files if p.parent.name == "machines" and p.suffix == ".patch"}  # for their verdict alone
    dumps = {p.stem for p in files if p.suffix in (".kdump", ".patch") and p not in deaths}
    told = {p.name.removesuffix(".account.txt") for p in files if p.name.endswith(".account.txt")}  # in other words
    for suffix in (".truth", ".dmesg.txt"):
        assert {p.name.removesuffix(suffix) for p in files if p.name.endswith(suffix)} == dumps - told


def first_words(node: ast.AST) -> Iterator[str]:
    """The strings by which a display is keyed: a dictionary's keys, of a list of tuples each one's first."""
    parts: Iterator[ast.expr | None] = iter(())
    if isinstance(node, ast.Dict):
        parts = iter(node.keys)
    elif isinstance(node, ast.Tuple | ast.List):
        parts = (part.elts[0] for part in node.elts if isinstance(part, ast.Tuple) and part.elts)
    return (part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))


# What is named as a table is, and is no table: places of keys, kinds of parts of a log, pictures that are made.
NO_TABLES = {"settings/keys.py", "tools/screenshots.py"}


def test_what_the_screen_knows_of_a_table_stands_in_its_own_file() -> None:
    from oopscope.subsystems import TABLES

    known = dict(TABLES)
    for path, tree in trees().items():
        name = name_of(path).removeprefix("tui/oopscope_tui/")
        if name == name_of(path) or name in NO_TABLES:
            continue
        for node in ast.walk(tree):
            named = [word for word in first_words(node) if word in known]
            assert len(named) < 2, f"{name}:{getattr(node, 'lineno', 0)}: keyed by tables: {named}"
