"""The report as one self-contained HTML file: no script, style, font or picture from outside, light and dark.

The page's policy lets through one style sheet and one script, by their hashes, and nothing else: should any text of a
dump come to be taken for markup, it could still not run or fetch anything. All of it can be read with scripts off.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from oopscope.report.facts import absence, told
from oopscope.report.page import log, machine, stacks, tables, verdict, waits
from oopscope.report.page.kit import Data, safe, section
from oopscope.subsystems import TABLES, table

# What shows a part of the page, the sections of the report that it needs, and its line in the table of contents.
Part = tuple[str, Callable[[Data], str], str]
PARTS: tuple[Part, ...] = (
    ("verdict", verdict.render, ""),
    ("findings", verdict.render_findings, "findings"),
    ("waits", waits.render, "waits"),
    ("cpus", stacks.render_cpus, "stack"),
    ("tasks", stacks.render_tasks, "blocked"),
    ("system", machine.render_system, "system"),
    ("dump", machine.render_dump, "dump"),
    ("meminfo", machine.render_memory, "memory"),
    ("", tables.render, "tables"),
    ("log", log.render, "log"),
)
SWITCH = (
    '<fieldset class="theme"><legend>Colours</legend>'
    '<label><input type="radio" name="theme" id="auto" checked><span>Auto</span></label>'
    '<label><input type="radio" name="theme" id="light"><span>Light</span></label>'
    '<label><input type="radio" name="theme" id="dark"><span>Dark</span></label></fieldset>'
)


def render(report: Mapping[str, Any]) -> str:
    """Return the report as one HTML file."""
    report = told(report)
    style, script = _asset("report.css"), _asset("report.js")
    body = machine.warning(report) + "".join(_part(key, show, report) for key, show, _ in PARTS) + _problems(report)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
        f'<meta name="generator" content="oopscope {safe(report["oopscope"])}">'
        f"<title>{_title(report)}</title><style>{style}</style></head>\n"
        f'<body class="{_category(report)}"><header><b>oopscope</b><nav>{_contents(report)}</nav>{SWITCH}</header>'
        f"\n<main>{body}</main>\n"
        f"<footer>Made by oopscope {safe(report['oopscope'])} from the dump alone, without debug symbols.</footer>"
        f"<script>{script}</script></body></html>\n"
    )


def _asset(name: str) -> str:
    return files("oopscope").joinpath("data", name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    def allowed(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    ours = f"style-src {allowed(style)}; script-src {allowed(script)}"
    return f"default-src 'none'; {ours}; base-uri 'none'; form-action 'none'"


def _title(report: Data) -> str:
    v, s = report.get("verdict"), report.get("system")
    host = f" on {s['nodename']}" if s and s["nodename"] else ""
    return safe((v["title"] if v else "Kernel crash dump") + host)


def _category(report: Data) -> str:
    v = report.get("verdict")
    known = ("software", "storage", "hardware", "firmware", "manual", "hang", "memory")
    return str(v["category"]) if v and v["category"] in known else "unknown"


def _part(key: str, show: Callable[[Data], str], report: Data) -> str:
    """A part, where the report has its section; where that could not be read, a line that says so."""
    if key and key not in report:
        return ""
    if key and report[key] is None:
        why = safe(absence(report, key)) or 'could not be read; see <a href="#problems">Problems</a>'
        return section(key, _name(key), f'<p class="none">{why}</p>')
    return show(report) if not key or report[key] else ""


def _name(key: str) -> str:
    return table(key).title if key in dict(TABLES) else key.capitalize()


def _contents(report: Data) -> str:
    names = [name for key, _, name in PARTS if name and (not key or report.get(key))]
    names += ["problems"] if report.get("problems") else []
    return "".join(f'<a href="#{name}">{name.capitalize()}</a>' for name in names)


def _problems(report: Data) -> str:
    found = report.get("problems") or []
    if not found:
        return ""
    items = "".join(f"<li><b>{safe(p['section'])}</b> {safe(p['message'])}{_at(p)}</li>" for p in found)
    note = "what could not be read, or disagrees"
    return section("problems", "Problems", f'<ul class="problems">{items}</ul>', note)


def _at(problem: Data) -> str:
    address = problem.get("address")
    return f" <code>{safe(address)}</code>" if address and str(address)[2:] not in problem["message"] else ""
