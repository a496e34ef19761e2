"""What one dump says in brief: why its machine died, for `oopscope triage` and for the list of dumps alike.

Nothing of the dump is held afterwards. Core is imported inside functions only.
"""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from oopscope.dumps import Dump, Facts
    from oopscope.linux.system import System
    from oopscope.triage.finding import Verdict

KEYS = (
    "cause",
    "category",
    "title",
    "summary",
    "confidence",
    "panic_message",
    "comm",
    "symbol",
    "module",
    "signature",
    "lacks",
)


class Brief(NamedTuple):
    """A dump's container, its machine, and why that died."""

    facts: "Facts"
    system: "System"
    verdict: "Verdict"


def brief(
    path: str | Path,
    say: Callable[[str], None] | None = None,
    through: "Callable[[Dump], Dump] | None" = None,
) -> Brief:
    """Read one dump, or the log in its place; an OopscopeError says why that is not possible. See open_kernel."""
    from oopscope.boot.attach import open_kernel
    from oopscope.linux.system import the_system
    from oopscope.triage import verdict

    kernel = None
    try:
        kernel = open_kernel([path], say, through)
        system, found = the_system(kernel), verdict(kernel)
        kernel.remember()
        kernel.facts.look_again()
        return Brief(kernel.facts, system, found)
    finally:
        kernel = None
        gc.collect()  # a kernel and what is kept of it refer to each other; a few of them are a hundred MB


def line_of(path: str | Path) -> dict[str, Any]:
    """Return one dump's line: path, host, kernel, time, cause and signature, or `error`."""
    from oopscope.errors import OopscopeError
    from oopscope.report.build import known_data, verdict_data
    from oopscope.sources.remote import shown

    try:
        found = brief(path)
        verdict = verdict_data(found.verdict)
    except OopscopeError as e:
        return {"path": shown(path), "error": str(e)}
    except MemoryError:  # who bounds it says so
        raise
    except Exception as e:  # noqa: BLE001 - the boundary of one dump: the fleet's others go on
        return {"path": shown(path), "error": f"a fault of oopscope's own: {type(e).__name__}: {e}"}
    return {
        "path": shown(path),
        "nodename": found.system.nodename,
        "release": found.system.release,
        "crash_time": found.system.crash_time,
        "complete": found.facts.complete,
        **{key: verdict[key] for key in KEYS},
        "known": [known_data(bug) for bug in found.verdict.known],
    }
