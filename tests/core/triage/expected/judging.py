"""Hold a verdict (and the findings) of a report against what is right to say of a death."""

import json
import re
from collections.abc import Mapping
from typing import Any

RANK = {"possible": 0, "likely": 1, "certain": 2}


def faults(report: Mapping[str, Any], want: Mapping[str, Any]) -> list[str]:
    """Return what is false or unsaid in a report's verdict and findings; empty where all is as expected."""
    verdict, findings = report.get("verdict") or {}, report.get("findings")
    said = json.dumps([verdict, findings], ensure_ascii=False)
    short = " ".join(str(verdict.get(key)) for key in ("title", "summary", "symbol", "module"))
    bad = []
    if verdict.get("cause") not in want["causes"]:
        bad.append(f"cause {verdict.get('cause')} ({verdict.get('confidence')})")
    if want.get("symbol") and not re.search(want["symbol"], short):
        bad.append(f"culprit {verdict.get('symbol')}")
    bad += [
        f"{key} {verdict.get(key)}"
        for key in ("comm", "module", "cpu")
        if key in want and not re.match(str(want[key]), str(verdict.get(key)))
    ]
    places = (("summary", verdict.get("summary") or ""), ("findings", json.dumps(findings)), ("must", said))
    for key, text in places:
        bad += [f"{key}: no {m!r}" for m in want.get(key, ()) if not re.search(m, text, re.I)]
    bad += [f"says {m!r}" for m in want.get("must_not", ()) if m.lower() in short.lower()]
    bad += [f"says {m!r}" for m in want.get("never", ()) if re.search(m, said)]
    if RANK.get(verdict.get("confidence") or "", 0) > RANK[want.get("max_confidence", "certain")]:
        bad.append("too sure")
    return bad


def grade(report: Mapping[str, Any], want: Mapping[str, Any]) -> str:
    """Return expected, shallow (the cause is right, something else is not), unknown or wrong."""
    if not faults(report, want):
        return "expected"
    cause = (report.get("verdict") or {}).get("cause")
    return "shallow" if cause in want["causes"] else "unknown" if cause in (None, "unknown") else "wrong"
