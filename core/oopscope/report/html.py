"""The report as one self-contained HTML file: no script, style or picture from outside, light and dark."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from oopscope.report.cells import cell, printable
from oopscope.report.text import _section, frames_text
from oopscope.subsystems import TABLES, Column, table

Data = Mapping[str, Any]
STYLE = """
:root{color-scheme:light dark;--fg:#1c2128;--bg:#fff;--dim:#667;--line:#d8dce2;--bad:#b3261e;--card:#f5f6f8}
@media(prefers-color-scheme:dark){:root{--fg:#e4e7eb;--bg:#14171b;--dim:#99a;--line:#333a44;--bad:#ff7b72;--card:#1c2127}}
body{font:15px/1.45 system-ui,sans-serif;color:var(--fg);background:var(--bg);margin:0 auto;max-width:72rem;
padding:1rem}
h1{font-size:1.4rem;color:var(--bad);margin:.2rem 0}h2{font-size:1.05rem;margin:1.4rem 0 .4rem}
pre,td,code{font:13px/1.4 ui-monospace,monospace}
pre{background:var(--card);padding:.7rem;overflow-x:auto;border-radius:6px}
table{border-collapse:collapse}th,td{padding:.15rem .7rem .15rem 0;border-bottom:1px solid var(--line);text-align:left}
th{cursor:pointer;position:sticky;top:0;background:var(--bg)}td.n{text-align:right}.dim{color:var(--dim)}
.scroll{overflow:auto;max-height:70vh}summary{cursor:pointer;font-weight:600;margin:.8rem 0 .3rem}
input{font:inherit;padding:.25rem .5rem;margin:.3rem 0;width:min(24rem,90%);border:1px solid var(--line);
border-radius:5px;background:var(--card);color:var(--fg)}mark{background:#ffd54a;color:#000}
"""
SCRIPT = """
document.querySelectorAll('table').forEach(t=>{t.querySelectorAll('th').forEach((h,i)=>h.onclick=()=>{
const b=t.tBodies[0],d=h.dataset.d=h.dataset.d==='1'?'-1':'1';[...b.rows].sort((x,y)=>{
const p=x.cells[i].dataset.v??x.cells[i].textContent,q=y.cells[i].dataset.v??y.cells[i].textContent;
const n=parseFloat(p),m=parseFloat(q);return d*((isNaN(n)||isNaN(m))?p.localeCompare(q):n-m)})
.forEach(r=>b.append(r))})});
document.querySelectorAll('input').forEach(f=>f.oninput=()=>{const q=f.value.toLowerCase();
document.getElementById(f.dataset.for).querySelectorAll('tbody tr,.line').forEach(
r=>r.hidden=!r.textContent.toLowerCase().includes(q))});
"""


def render(report: Data) -> str:
    """Return the report as one HTML file."""
    body = "".join(_part(key, data) for key, data in report.items() if key not in ("schema", "oopscope") and data)
    verdict = report.get("verdict")
    title = _safe(verdict["title"] if verdict else "Kernel crash dump")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{STYLE}</style></head><body>{body}"
        f'<p class="dim">Made by oopscope {_safe(report["oopscope"])}.</p><script>{SCRIPT}</script></body></html>\n'
    )


def _safe(text: object) -> str:
    return escape(printable(str(text)))


def _pre(text: str) -> str:
    return f"<pre>{escape(printable(text, keep=chr(10)))}</pre>"


def _part(key: str, data: Any) -> str:
    if key == "verdict":
        return _verdict(data)
    if key == "cpus":
        return "".join(_cpu(c, i == 0) for i, c in enumerate(data))
    if key == "log":
        lines = "".join(f'<div class="line">{_safe(_log_line(r))}</div>' for r in data)
        return _folded("Log", f'<input placeholder="search" data-for="log"><pre id="log" class="scroll">{lines}</pre>')
    if key == "problems":
        return (
            "<h2>Problems</h2><ul>"
            + "".join(f"<li>{_safe(p['section'])}: {_safe(p['message'])}</li>" for p in data)
            + "</ul>"
        )
    if key in dict(TABLES) and isinstance(data, list):
        return _table(key, data)
    return f"<h2>{_safe(key.capitalize())}</h2>{_pre(_section(key, data))}"


def _log_line(record: Data) -> str:
    return f"[{record['ns'] / 1e9:13.6f}] {record['text']}"


def _verdict(v: Data) -> str:
    evidence = "".join(f"<li>{_safe(e['text'])}</li>" for e in v["evidence"])
    steps = "".join(f"<li>{_safe(s)}</li>" for s in v["next_steps"])
    message = f"<pre>{_safe(v['panic_message'])}</pre>" if v["panic_message"] else ""
    return (
        f"<h1>{_safe(v['title'])}</h1><p><b>{_safe(v['summary'])}</b> "
        f'<span class="dim">{_safe(v["cause"])}, {_safe(v["confidence"])}</span></p>{message}'
        f"<h2>Evidence</h2><ul>{evidence}</ul><h2>Next</h2><ul>{steps}</ul>"
        f'<p class="dim">{_safe(v["signature"])}</p>'
    )


def _cpu(c: Data, first: bool) -> str:
    head = f"CPU {c['cpu']}, {c['state'] or 'unknown'}: PID {cell(c['pid'])} {cell(c['comm'])}"
    body = _pre("".join(frames_text(c["frames"], "")) or "no stack")
    return f"<h2>{_safe(head)}</h2>{body}" if first else _folded(head, body)


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{_safe(title)}</summary>{body}</details>"


def _table(key: str, rows: Sequence[Data]) -> str:
    found = table(key)
    columns = [c for c in found.columns if c.kind not in ("frames", "registers")]
    head = "".join(f"<th>{_safe(c.title)}</th>" for c in columns)
    body = "".join("<tr>" + "".join(_cell(r[c.key], c) for c in columns) + "</tr>" for r in rows)
    table_ = f'<div class="scroll"><table id="{key}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    return _folded(f"{found.title} ({len(rows)})", f'<input placeholder="filter" data-for="{key}">{table_}')


def _cell(value: Any, column: Column) -> str:
    text = value if column.kind == "address" and isinstance(value, str) else cell(value, column.kind)
    number = f' class="n" data-v="{value}"' if isinstance(value, int | float) and not isinstance(value, bool) else ""
    return f"<td{number}>{_safe(text)}</td>"
