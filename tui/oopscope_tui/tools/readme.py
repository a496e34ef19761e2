"""The lists of the README, made from the code: `python -m oopscope_tui.tools.readme` in a clone writes them anew.

Each stands between `<!-- made: NAME -->` and `<!-- end -->`; a test holds that they are what the code says.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import fill

ROOT = Path(__file__).parents[3]
CORE = ROOT / "core" / "oopscope"
BLOCK = re.compile(r"(<!-- made: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)
LIMITED = ("dumps", "sources", "memory", "fleet", "report")  # rooms whose limits a person may meet
LIMIT = re.compile(r"^((?:[A-Z]+_)*(?:MAX|MOST|LONGEST)(?:_[A-Z]+)*) = ([^#\n]+?) +# (.+)$", re.MULTILINE)


def summary(path: Path) -> str:
    """Return the first sentence of a file's docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.split(r"\.\s|\.$|\n\n", " ".join(text.split("\n\n")[0].split()))[0]


def rooms() -> Iterator[str]:
    """Yield the picture of the rooms, from the top: each imports only what stands below it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(c["layers"] for c in contracts if c["name"] == "each layer imports only what stands below it")
    for layer in layers:
        for name in layer.split(" | "):
            room = name.removeprefix("oopscope.")
            folder = ROOT / "tui" / name if name == "oopscope_tui" else CORE / room
            path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
            yield f"- `{room}`: {summary(path)}"


def formats() -> Iterator[str]:
    """Yield the containers, in the order in which they are tried."""
    from oopscope.codecs import CODECS
    from oopscope.dumps import FORMATS
    from oopscope.sources.packed import PACKINGS

    yield from (f"- `{line.key}`: {line.title}" for line in FORMATS)
    yield ""
    packed = ", ".join(line.key for line in PACKINGS)
    pages = ", ".join(name for _, name, _ in CODECS)
    yield fill(f"Pages packed by {pages}; whole files by {packed}.", 120)


def tables() -> Iterator[str]:
    """Yield the tables: key, title, columns."""
    from oopscope.subsystems import TABLES, table

    yield "| table | what | columns |"
    yield "| --- | --- | --- |"
    for key, _ in TABLES:
        found = table(key)
        yield f"| `{key}` | {found.title} | {', '.join(column.key for column in found.columns)} |"


def causes() -> Iterator[str]:
    """Yield the causes that a verdict may name."""
    from oopscope.explain.causes import TEXTS

    names = ", ".join(f"`{name}`" for name in TEXTS)
    yield fill(names, 120, break_on_hyphens=False, break_long_words=False)


def rules() -> Iterator[str]:
    """Yield the rules, in the order in which they are asked."""
    from oopscope.triage.rules import RULES

    yield from (f"- `{name}`: {summary(CORE / 'triage' / 'rules' / f'{name}.py')}" for name in RULES)


def limits() -> Iterator[str]:
    """Yield the bounds of what is read and shown, each with its comment."""
    yield "| where | limit | of what |"
    yield "| --- | --- | --- |"
    for room in LIMITED:
        for path in sorted((CORE / room).rglob("*.py")):
            module = path.relative_to(CORE).with_suffix("").as_posix().removesuffix("/__init__")
            for name, value, what in LIMIT.findall(path.read_text(encoding="utf-8")):
                yield f"| `{module}.{name}` | {value.replace('_', ',')} | {what.replace('|', '/')} |"


LISTS: dict[str, Callable[[], Iterator[str]]] = {
    "rooms": rooms,
    "formats": formats,
    "tables": tables,
    "causes": causes,
    "rules": rules,
    "limits": limits,
}


def renewed(text: str) -> str:
    """Return a README with its lists as the code has them; KeyError for a list of another name."""

    def made(match: re.Match[str]) -> str:
        lines = "\n".join(LISTS[match[2]]())
        return f"{match[1]}\n{lines}\n\n{match[3]}"

    return BLOCK.sub(made, text)


def main() -> None:
    """Write the README of this clone anew."""
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(renewed(text), encoding="utf-8")
    sys.stdout.write("README.md: as it was\n" if renewed(text) == text else "README.md: written\n")


if __name__ == "__main__":
    main()
