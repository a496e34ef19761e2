"""The few pieces that every part of the page is made of. Text comes in here, and only here becomes HTML.

Nothing has a `style` attribute: the page's policy allows one style sheet, by its hash. Bars are SVG for that reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from oopscope.explain import Topic, text_of
from oopscope.report.cells import printable

Data = Mapping[str, Any]


def safe(text: object, keep: str = "") -> str:
    """Return text of a dump as HTML text: no markup and no control character in it takes effect."""
    return escape(printable(str(text), keep))


def evidence(report: Data, kind: str) -> set[str]:
    """Return the keys of the verdict's evidence of a kind: what links lead to has to be on the page."""
    found = (report.get("verdict") or {}).get("evidence") or ()
    return {str(e["source"]["key"]) for e in found if e["source"]["kind"] == kind}


def section(key: str, title: str, body: str, note: str = "") -> str:
    """Return a part of the page under a heading; the title and the note are text, the body is HTML."""
    aside = f' <span class="note">{safe(note)}</span>' if note else ""
    return f'<section id="{key}"><h2>{safe(title)}{aside}</h2>{body}</section>\n'


def folded(summary: str, body: str, opened: bool = False, key: str = "") -> str:
    """Return what opens on a click; both are HTML."""
    name = f' id="{key}"' if key else ""
    return f"<details{name}{' open' if opened else ''}><summary>{summary}</summary>{body}</details>\n"


def tip(kind: str, name: str) -> str:
    """Return what the glossary says of a thing as a `title`, which browsers show on hover; nothing where it is mute."""
    text = text_of(Topic(kind, name))
    return f' title="{safe(" ".join(part for part in text[:3] if part))}"' if text is not None else ""


def pill(text: object, kind: str = "") -> str:
    """Return a word in a pill; the kind is a class of ours."""
    return f'<span class="pill {kind}">{safe(text)}</span>' if kind else f'<span class="pill">{safe(text)}</span>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names and values."""
    rows = (
        f"<div><dt{tip('term', name) or tip('system', name.lower())}>{safe(name)}</dt><dd>{safe(text)}</dd></div>"
        for name, text in pairs
    )
    return f'<dl class="facts">{"".join(rows)}</dl>'


def bar(parts: Sequence[tuple[float, str]], label: str, marks: Sequence[float] = ()) -> str:
    """Return a bar of parts, each a share of 1 and a class, with marks at some shares; the label says it in words."""
    at, drawn = 0.0, []
    for share, kind in parts:
        width = min(max(share, 0.0), 1.0 - at)
        drawn.append(f'<rect class="{kind}" x="{100 * at:.2f}%" width="{100 * width:.2f}%" height="100%"/>')
        at += width
    drawn += [f'<rect class="mark" x="{100 * min(m, 1):.2f}%" width="1.5" height="100%"/>' for m in marks]
    return f'<svg class="bar" role="img" aria-label="{safe(label)}">{"".join(drawn)}</svg>'
