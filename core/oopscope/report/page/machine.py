"""The machine's facts, how complete the dump is, and where memory went, as bars that add up."""

from collections.abc import Sequence

from oopscope.report.cells import cell, size
from oopscope.report.facts import dump_facts, held, system_facts
from oopscope.report.page.kit import Data, bar, facts, safe, section

COLOURS = 11  # classes c0, c1 ... of the style sheet
MARKS = ("min", "low", "high")


def render_system(report: Data) -> str:
    """Return the machine's facts."""
    return section("system", "The machine", facts(system_facts(report["system"])))


def render_dump(report: Data) -> str:
    """Return what the dump is, and how much of the machine's memory it holds."""
    d = report["dump"]
    drawn = ""
    if d["pages_saved"] is not None and d["pages_total"]:
        drawn = bar([(d["pages_saved"] / d["pages_total"], "c0"), (1, "free")], f"holds {held(d)}")
    return section("dump", "The dump", facts(dump_facts(d)) + drawn, "" if d["complete"] else "incomplete")


def warning(report: Data) -> str:
    """Return a line above everything where the dump is not whole."""
    d = report.get("dump")
    if not d or d["complete"]:
        return ""
    return (
        '<p class="warning"><b>This dump is incomplete:</b> it was cut off or never finished. What follows is what '
        'could still be read. <a href="#dump">more</a></p>'
    )


def render_memory(report: Data) -> str:
    """Return how memory divides, and each zone against its watermarks."""
    meminfo, zones = report.get("meminfo") or {}, report.get("zones") or []
    shares, total = report.get("memory_shares"), meminfo.get("MemTotal") or 0
    html = _shares(shares) if shares else ""
    html += _besides(meminfo)
    if zones:
        html += f"<h3>Zones: free memory against the watermarks min, low and high</h3>{_zones(zones)}"
    return section("memory", "Memory", html, f"{size(total)} in all" if total else "") if html else ""


def _shares(found: Data) -> str:
    """A bar of all shares, those that are free last and pale, and what each is."""
    total, free = found["total"], [one for one in found["shares"] if one["name"].startswith("Free")]
    used = [one for one in found["shares"] if one not in free]
    parts = [*((one, f"c{i % COLOURS}") for i, one in enumerate(used)), *((one, "free") for one in free)]
    label = ", ".join(f"{one['name']} {cell(one['bytes'], 'bytes')}" for one, _ in parts)
    html = bar([((one["bytes"] or 0) / total, kind) for one, kind in parts], label)
    over = f'<p class="note">the counters exceed the total by {size(found["over"])}</p>' if found["over"] else ""
    return html + f'<ul class="key">{"".join(_share(one, kind, total) for one, kind in parts)}</ul>{over}'


def _share(one: Data, kind: str, total: int) -> str:
    name, amount = one["name"], one["bytes"]
    swatch = f'<svg class="swatch"><rect class="{kind}" width="100%" height="100%"/></svg>'
    part = "" if amount is None else f" <i>{100 * amount / total:.0f}%</i>"
    return f"<li>{swatch}<span>{safe(name)}</span> <b>{cell(amount, 'bytes')}</b>{part}</li>"


def _besides(meminfo: Data) -> str:
    names = ("MemAvailable", "Shmem", "SUnreclaim", "Dirty", "Mlocked", "SwapTotal", "SwapFree", "Committed_AS")
    pairs = [(name, cell(meminfo[name], "bytes")) for name in names if name in meminfo]
    return facts(pairs).replace('class="facts"', 'class="facts small"') if pairs else ""


def _zones(zones: Sequence[Data]) -> str:
    return '<div class="zones">' + "".join(_zone(z) for z in zones) + "</div>"


def _zone(z: Data) -> str:
    """A zone's bar ends at eight times its high watermark, so that the marks can be told apart."""
    short = z["min"] is not None and z["free"] <= z["min"]
    under = z["low"] is not None and z["free"] <= z["low"]
    scale = min(8 * (z["high"] or 0), z["managed"]) or z["managed"]
    marks = [z[m] / scale for m in MARKS if z[m] is not None]
    state = "below min: nothing left" if short else "below low: reclaim ran" if under else ""
    free = min(z["free"] / scale, 1)
    drawn = bar(
        [(free, "bad" if short else "warn" if under else "c0"), (1 - free, "free")], f"{size(z['free'])}", marks
    )
    words = f"{size(z['free'])} free of {size(z['managed'])}; min {cell(z['min'], 'bytes')}"
    words += f", low {cell(z['low'], 'bytes')}, high {cell(z['high'], 'bytes')}"
    return f"<div><p><b>node {z['node']} {safe(z['name'])}</b> <span>{words}</span> <em>{state}</em></p>{drawn}</div>"
