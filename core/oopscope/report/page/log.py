"""The kernel log: levels coloured, the verdict's evidence marked, searchable with its hits counted."""

from oopscope.kernel.clock import seconds
from oopscope.report.page.kit import Data, evidence, safe, section

MAX_RECORDS = 6000  # the last ones: what came before the end
LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
TOOLS = (
    '<div class="tools" id="log-tools"><input type="search" placeholder="search the log" aria-label="search the log">'
    '<button type="button" data-step="-1" aria-label="previous hit">↑</button>'
    '<button type="button" data-step="1" aria-label="next hit">↓</button>'
    '<label><input type="checkbox"> only hits</label>'
    '<select aria-label="levels"><option value="7">all levels</option><option value="5">notice and worse</option>'
    '<option value="4">warnings and worse</option><option value="3">errors</option></select>'
    '<output aria-live="polite"></output></div>'
)


def render(report: Data) -> str:
    """Return the log."""
    records = report["log"]
    first = max(len(records) - MAX_RECORDS, 0)
    marked = evidence(report, "log")
    lines = "".join(_line(i, r, str(i) in marked) for i, r in enumerate(records) if i >= first or str(i) in marked)
    note = f'<p class="note">{first} earlier records, but for the evidence: oopscope log</p>' if first else ""
    body = f'{TOOLS}{note}<div class="log" id="log-lines" tabindex="0" role="region" aria-label="log">{lines}</div>'
    return section("log", "Kernel log", body, f"{len(records)} records")


def _line(index: int, record: Data, evidence: bool) -> str:
    level = record["level"] if record["level"] in range(8) else 6
    mark = " ev" if evidence else ""
    stamp = seconds(record["ns"])
    text = safe(record["text"], keep="\n\t")
    return f'<p id="L{index}" class="l{level}{mark}" title="{LEVELS[level]}"><time>{stamp}</time> {text}</p>\n'
