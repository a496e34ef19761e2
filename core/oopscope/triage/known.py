"""Known bugs: what a file of one's own says of verdicts that fit: a text, a link, the release that mends it.

The file is TOML, an array of tables `bug`. An entry fits by a verdict's signature, or by all that it names of cause,
symbol (a function, `*` and `?` understood), module and a range of releases (`since`, `before`: numbers of uname -r).
A bad file or entry costs one line, never a verdict.
"""

import os
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from oopscope.triage.finding import Bug, Verdict

VARIABLE = "OOPSCOPE_KNOWN"
MAX_BYTES = 4 << 20
MAX_BUGS = 10_000
FIELDS = ("text", "link", "fixed_in", "signature", "cause", "symbol", "module", "since", "before")
TELLING = ("signature", "cause", "symbol", "module")  # an entry with none of these would fit every dump


class Bugs(NamedTuple):
    """The entries of a file, and a line for each thing in it that could not be used."""

    bugs: tuple[Bug, ...]
    problems: tuple[str, ...]


def known_bugs(environ: Mapping[str, str] = os.environ) -> Bugs:
    """Return the entries of the file that OOPSCOPE_KNOWN names; none where it names none."""
    name = environ.get(VARIABLE)
    return read(Path(name).expanduser()) if name else Bugs((), ())


def read(path: Path) -> Bugs:
    """Read a file of known bugs."""
    import tomllib

    try:
        raw = path.read_bytes()
        if len(raw) > MAX_BYTES:
            return Bugs((), (f"{path}: larger than {MAX_BYTES >> 20} MiB",))
        entries = tomllib.loads(raw.decode("utf-8")).get("bug", [])
    except OSError as e:
        return Bugs((), (f"{path}: {e.strerror or e}",))
    except (ValueError, RecursionError) as e:
        return Bugs((), (f"{path}: not TOML: {e}",))
    if not isinstance(entries, list):
        return Bugs((), (f"{path}: `bug` has to be an array of tables: [[bug]]",))
    found: list[Bug] = []
    problems: list[str] = []
    for number, entry in enumerate(entries[:MAX_BUGS], 1):
        why = _refused(entry)
        if why:
            problems.append(f"{path}: bug {number}: {why}")
        else:
            found.append(Bug(**entry))
    return Bugs(tuple(found), tuple(problems))


def _refused(entry: Any) -> str:
    """Say what is wrong with an entry; empty for nothing."""
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        return "every field has to be a string"
    unknown = sorted(set(entry) - set(FIELDS))
    if unknown:
        return f"no field {', '.join(unknown)}; there are {', '.join(FIELDS)}"
    if not entry.get("text"):
        return "no text"
    if not any(entry.get(name) for name in TELLING):
        return f"it would fit every dump: give one of {', '.join(TELLING)}"
    bad = next((name for name in ("since", "before") if entry.get(name) and not release_of(entry[name])), None)
    return f"{bad} has to be a release, such as 6.1.50" if bad else ""


def words(bug: Mapping[str, str | None]) -> str:
    """Return a known bug (text, link, fixed_in) as one line for a person."""
    return " · ".join(filter(None, (bug["text"], bug["fixed_in"] and f"fixed in {bug['fixed_in']}", bug["link"])))


def matching(bugs: Bugs, verdict: Verdict, release: str | None) -> tuple[Bug, ...]:
    """Return the entries that fit a verdict of a kernel of a release."""
    return tuple(bug for bug in bugs.bugs if _fits(bug, verdict, release))


def _fits(bug: Bug, verdict: Verdict, release: str | None) -> bool:
    if bug.signature and bug.signature != verdict.signature:
        return False
    if bug.cause and bug.cause != verdict.cause:
        return False
    function = (verdict.symbol or "").partition("+")[0].partition(".")[0]
    if bug.symbol and not fnmatchcase(function, bug.symbol):
        return False
    if bug.module and bug.module.replace("-", "_") != (verdict.module or "").replace("-", "_"):
        return False
    return _in_range(bug, release)


def _in_range(bug: Bug, release: str | None) -> bool:
    """Tell whether a release lies in an entry's range; one that is not known lies in none that is stated."""
    if not bug.since and not bug.before:
        return True
    own = release_of(release or "")
    if not own:
        return False
    return (not bug.since or own >= release_of(bug.since)) and (not bug.before or own < release_of(bug.before))


def release_of(text: str) -> tuple[int, ...]:
    """Return the numbers that a release begins with, `6.1.176-1` as (6, 1, 176, 1); empty for what has none."""
    found = re.match(r"\d{1,9}(?:[.-]\d{1,9})*", text)
    return tuple(int(part) for part in re.split(r"[.-]", found[0])) if found else ()
