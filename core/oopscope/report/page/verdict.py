"""The top of the page: why the machine died, what speaks for it, and what to do next."""

from oopscope.report.facts import moment, on_cpu
from oopscope.report.fault import how
from oopscope.report.findings import HEADING, listed
from oopscope.report.page.kit import Data, pill, safe, section, tip
from oopscope.triage.known import words

SURE = {"certain": "●●●", "likely": "●●○", "possible": "●○○"}


def render(report: Data) -> str:
    """Return the verdict, with the machine and the time under it."""
    v = report["verdict"]
    chips = [pill(v["category"], "category"), pill(f"{SURE.get(v['confidence'], '')} {v['confidence']}", "quiet")]
    chips += (
        [f'<code class="slug"{tip("cause", v["cause"])}>{safe(v["cause"])}</code>']
        if v["cause"] != v["category"]
        else []
    )
    message = f'<pre class="panic">{safe(v["panic_message"])}</pre>' if v["panic_message"] else ""
    return (
        f'<section id="verdict" class="hero"><p class="chips">{" ".join(chips)}</p>'
        f'<h1>{safe(v["title"])}</h1><p class="lead">{safe(v["summary"])}</p>{message}'
        f"{_machine(report)}{_where(v)}{_how(v)}"
        f'{_known(report)}<div class="two">{_evidence(v)}{_steps(v)}</div></section>\n'
    )


def render_findings(report: Data) -> str:
    """Return what else was wrong, oldest first; nothing where nothing was."""
    items = "".join(
        f"<li>{pill(one['severity'], 'quiet')} {safe(sentence)} <small>{safe(age)}</small>"
        f"{''.join(f'<br>{_linked(piece)}' for piece in one['evidence'])}</li>"
        for one, age, sentence in listed(report["findings"])
    )
    return section("findings", HEADING, f'<ul class="evidence">{items}</ul>') if items else ""


def _machine(report: Data) -> str:
    s = report.get("system")
    if not s:
        return ""
    words = (s["nodename"], s["release"], s["machine"], moment(s["crash_time"]))
    return f'<p class="machine">{" <i>·</i> ".join(f"<span>{safe(w)}</span>" for w in words if w)}</p>'


def _where(v: Data) -> str:
    pairs = []
    if v["symbol"]:
        pairs.append(("where", v["symbol"] + (f" [{v['module']}]" if v["module"] else "")))
    if v["comm"] is not None:
        pairs.append(("who", f"{v['comm']}, PID {v['pid']}{on_cpu(v)}"))
    pairs.append(("signature", v["signature"]))
    cells = "".join(f"<div><dt>{name}</dt><dd><code>{safe(text)}</code></dd></div>" for name, text in pairs if text)
    return f'<dl class="where">{cells}</dl>'


def _how(v: Data) -> str:
    """What the faulting instruction did, with what, and who passed it."""
    lines = how(v["fault"]) if v.get("fault") else []
    cells = "".join(f"<div><dt>{safe(name)}</dt><dd><code>{safe(text)}</code></dd></div>" for name, text in lines)
    return f'<dl class="where">{cells}</dl>' if cells else ""


def _known(report: Data) -> str:
    """The known bugs that fit; a link is text, for it comes from a file."""
    items = "".join(f"<li>{safe(words(bug))}</li>" for bug in report.get("known") or ())
    return f"<h3>Known bugs that match</h3><ul>{items}</ul>" if items else ""


def _evidence(v: Data) -> str:
    items = "".join(f"<li>{_linked(e)}</li>" for e in v["evidence"])
    return f'<div><h3>Evidence</h3><ul class="evidence">{items}</ul></div>' if items else ""


def _linked(evidence: Data) -> str:
    """A piece of evidence, linked to where it stands on the page."""
    source = evidence["source"]
    text = safe(evidence["text"])
    targets = {"log": ("L", "log"), "frame": ("cpu-", "stack"), "task": ("pid-", "task"), "register": ("", "registers")}
    if source["kind"] not in targets:
        return f"<span>{text}</span>"
    prefix, word = targets[source["kind"]]
    key = f"{prefix}{source['key']}" if prefix else "registers"
    body = f"<code>{text}</code>" if source["kind"] == "log" else f"<span>{text}</span>"
    return f'{body} <a href="#{safe(key)}">{word}</a>'


def _steps(v: Data) -> str:
    items = "".join(f"<li>{safe(step)}</li>" for step in v["next_steps"])
    return f"<div><h3>Next steps</h3><ol>{items}</ol></div>" if items else ""
