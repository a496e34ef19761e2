"""Tables that sort by a click on a heading and filter as one types; whole and readable without scripts."""

from collections.abc import Mapping, Sequence
from typing import Any

from oopscope.report.cells import RIGHT, cell
from oopscope.report.facts import by_absence, how_many
from oopscope.report.page.kit import Data, evidence, folded, safe, section, tip
from oopscope.subsystems import TABLES, Column, table

MAX_ROWS = 3000  # a page stays small enough for a ticket and a phone
PLACED = ("system", "cpus", "meminfo", "zones", "log")  # shown elsewhere on the page, not as tables


def render(report: Data) -> str:
    """Return every table of the report."""
    there = [key for key, _ in TABLES if key not in PLACED and isinstance(report.get(key), list)]
    body = "".join(_table(key, report, evidence(report, "task")) for key in there)
    gone = [key for key, _ in TABLES if key not in PLACED and key in report and report[key] is None]
    for said, keys in by_absence(report, gone).items():
        why = safe(said) or 'not in the dump, or not readable; see <a href="#problems">Problems</a>'
        body += f'<p class="none">{safe(", ".join(table(key).title for key in keys))}: {why}</p>'
    return section("tables", "Tables", body) if body else ""


def _table(key: str, report: Data, linked: set[str]) -> str:
    found, rows = table(key), report[key]
    columns = [c for c in found.columns if c.kind not in ("frames", "registers") and c.brief]
    ordered = found.ordered(rows, Mapping.get)
    tips = [tip("column", f"{found.key}.{c.key}") for c in columns]
    head = "".join(f'<th scope="col"{_right(c)}{t}>{safe(c.title)}</th>' for c, t in zip(columns, tips, strict=True))
    shown = [r for i, r in enumerate(ordered) if i < MAX_ROWS or (key == "tasks" and str(r["pid"]) in linked)]
    body = "".join(_row(key, r, columns) for r in shown)
    more = len(rows) - len(shown)
    note = f'<p class="note">{more} more rows: oopscope show {key}</p>' if more > 0 else ""
    tools = (
        f'<p class="tools"><input type="search" placeholder="filter" aria-label="filter {safe(found.title)}" '
        f'data-for="t-{key}"><output></output></p>'
    )
    drawn = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{safe(found.title)}"><table id="t-{key}"><thead>'
        f"<tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    return folded(f"{safe(found.title)} <i>{how_many(report, key)}</i>", tools + drawn + note)


def _right(column: Column) -> str:
    return ' class="n"' if column.kind in RIGHT else ""


def _row(key: str, row: Data, columns: Sequence[Column]) -> str:
    name = f' id="pid-{row["pid"]}"' if key == "tasks" and row["pid"] else ""
    kind = f' class="s-{row["state"]}"' if key == "tasks" and row["state"] in ("D", "R", "Z") else ""
    return f"<tr{name}{kind}>{''.join(_cell(row[c.key], c) for c in columns)}</tr>\n"


def _cell(value: Any, column: Column) -> str:
    text = cell(value, column.kind)
    sort = f' data-v="{value}"' if column.kind in ("bytes", "seconds") and isinstance(value, int | float) else ""
    return f"<td{_right(column)}{sort}>{safe(text)}</td>"
