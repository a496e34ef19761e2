"""Who waits for whom, drawn as in the text: circles first, then what is waited for, the widest first."""

from oopscope.report.page.kit import Data, safe, section
from oopscope.report.waits import graph_of, picture

COLUMNS = 100


def render(report: Data) -> str:
    """Return the wait-for graph; nothing where nobody waits for what could be told."""
    lines = [line.text.rstrip() for line in picture(graph_of(report["waits"]), COLUMNS)]
    if not lines:
        return ""
    circles = len(report["waits"]["circles"])
    note = f"{circles} circles" if circles > 1 else "1 circle" if circles else ""
    return section("waits", "Who waits for whom", f"<pre>{safe(chr(10).join(lines), keep=chr(10))}</pre>", note)
