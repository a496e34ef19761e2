"""Modules that taint the kernel: who was loaded when, and whether one stands on the stack that was died on."""

from collections.abc import Iterator

from oopscope.errors import OopscopeError
from oopscope.lazy_re import lazy_re
from oopscope.linux.module_list import all_modules
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Finding
from oopscope.triage.findings.of_log import age, by_rows, marked

WORDS = ("taints kernel", "tainting kernel", "taints the kernel")
TAINTS = lazy_re(
    r"(?P<module>[\w-]+): (?:(?P<why>module license '.*?'|loading [\w-]+ module|module)|.*verification failed)"
)
LETTERS = {"P": "proprietary", "O": "out-of-tree", "C": "staging", "F": "force-loaded"}


def find(death: Death) -> Iterator[Finding]:
    """Yield when the kernel was first tainted by modules, and the tainting module on the stack."""
    rows: list[int] = []
    names: dict[str, int] = {}
    for row, text in marked(death, *WORDS):
        found = TAINTS.match(text)
        if found:
            rows.append(row)
            names.setdefault(found["module"], row)
    if rows:
        who = ", ".join(list(names)[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        yield Finding(
            "taint",
            "note",
            f"the kernel was tainted by a module: {who}",
            age(death, death.log.ns(rows[0])),
            by_rows(death, rows),
        )
    yield from _on_stack(death)


def _on_stack(death: Death) -> Iterator[Finding]:
    kinds = _tainting(death)
    for frame in death.frames:
        if frame.module in kinds and death.panic is not None:
            text = f"the {kinds[frame.module or '']} module {frame.module} stands on the stack that was died on"
            evidence: tuple[Evidence, ...] = (death.from_frame(frame, "{frame}"),)
            yield Finding("tainting-module-on-stack", "note", text, 0.0, evidence)
            return


def _tainting(death: Death) -> dict[str, str]:
    """Return the modules that are not the kernel's own, and what they are."""
    found: dict[str, str] = {}
    report = death.oops or death.cause
    for loaded in (report.modules if report else None) or ():
        found |= _kind(loaded.name, loaded.flags)
    if not death.only_log:
        try:
            for module in all_modules(death.kernel):
                found |= _kind(module.name, module.taint or "")
        except OopscopeError:
            pass
    return found


def _kind(name: str, letters: str) -> dict[str, str]:
    word = next((word for letter, word in LETTERS.items() if letter in letters), None)
    return {name: word} if word else {}
