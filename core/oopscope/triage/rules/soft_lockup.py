"""A CPU ran kernel code for too long without letting anything else run. Follows kernel/watchdog.c."""

from collections.abc import Iterator, Sequence
from itertools import islice, takewhile

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import calls_cpus, entry_kind, is_waiting
from oopscope.stacks.cpus import all_cpus
from oopscope.stacks.standing import interrupted_in
from oopscope.triage.behind import graph_of, spun_for, way
from oopscope.triage.behind import who as who_is
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Source, Verdict
from oopscope.triage.findings.stuck_cpus import busy, silent, standing

NEAR = 4  # frames from where a CPU was found to the function that waits for others


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if not death.hung("soft-lockup", r"softlockup: hung tasks"):
        return None
    said = death.said(r".*BUG: soft lockup - CPU#(\d{1,18}) stuck for (\d{1,18})s! \[(.*):(\d{1,18})\]")
    evidence = [death.from_log(said[0])] if said else []
    found, frames, who = death.interrupted, death.frames, death.whom
    if said and death.cause is not None and int(said[1][1]) != death.panicked_on:
        frames = death.frames_on(int(said[1][1])) or death.cause.frames
        found = interrupted_in(frames) or death.beyond_locks(frames)
        who = (int(said[1][1]), int(said[1][4]), said[1][3])
    elif found is None and death.cause is not None:
        frames = death.cause.frames
        found = death.cause.pc or interrupted_in(frames)
    if found and found in death.frames:
        evidence.append(death.from_frame(found, "{frame} is what the watchdog's interrupt found running"))
    frame, place = death.blame_stuck(found, frames)
    other = _in_the_way(death, found, frames, who[0])
    if other is not None:
        frame = other[0]
        evidence.append(other[1])
    doubt = other is not None or _waits_for_cpus(found, frames)  # who is in the way is reckoned, or not known
    others = [one for one in death.findings if one.id == "stuck-cpu"]
    evidence += [piece for one in others for piece in one.evidence[:2]]
    waiting = list(_waiting(death, who[0]))
    circle = _circle(death, who[0])
    evidence += [*waiting, *circle]
    more = [*circle, *([other[1]] if other else ()), *others, *waiting]
    also = f"; {more[0].text}" if more else ""
    stuck = (
        f"CPU {said[1][1]} was stuck for {said[1][2]} s in {place}, run by {said[1][3]}"
        if said
        else f"A CPU was stuck in {place}"
    )
    return death.verdict(
        "hang",
        "soft-lockup",
        "Soft lockup",
        f"{stuck}{death.fatal_by('softlockup_panic')}{also}.",
        "likely" if doubt else "certain",
        evidence,
        (
            "In a spinlock's slow path: find who holds the lock, on another CPU or further up this stack.",
            "In a loop: find what should end it. A virtual machine may just not have been scheduled by its host.",
        ),
        culprit=frame,
        blame=False,
        whom=who,
    )


def _in_the_way(
    death: Death, found: Frame | None, frames: Sequence[Frame], stuck: int | None
) -> tuple[Frame, Evidence] | None:
    """Return where the only other CPU stands that can be what a stuck one waits for; None where it waits for none."""
    waits = _waits_for_cpus(found, frames)
    other = silent(death) if waits else busy(death) if found is not None and is_waiting(found.symbol) else None
    stands = standing(other) if other is not None and other.cpu != stuck else None
    if other is None or stands is None:
        return None
    does = "did not answer" if waits else "likely holds what is waited for"
    text = f"CPU {other.cpu} {does}: it stands in {stands}, run by {other.who}"
    return stands, Evidence(text, Source("frame", str(other.cpu), stands.address or None))


def _waits_for_cpus(found: Frame | None, frames: Sequence[Frame]) -> bool:
    """Return whether a stuck CPU waits for others to answer: then it is not itself to blame."""
    behind = frames[frames.index(found) :] if found is not None and found in frames else ()
    named = (f.symbol for f in behind if f.reliable)
    return any(calls_cpus(symbol) for symbol in islice(takewhile(lambda s: not entry_kind(s), named), NEAR))


def _waiting(death: Death, stuck: int | None) -> Iterator[Evidence]:
    """Yield the other CPUs that spin for a lock: what holds it may be what is stuck."""
    if death.only_log:
        return
    for cpu in all_cpus(death.kernel):
        inside = interrupted_in(cpu.frames)
        if cpu.cpu == stuck or inside is None or cpu.pid in (0, None):
            continue
        if is_waiting(inside.symbol) and "lock" in (inside.symbol or ""):
            waiter = death.beyond_locks(cpu.frames[cpu.frames.index(inside) :])
            lock = spun_for(death, cpu.task) or "a spinlock"
            text = f"CPU {cpu.cpu} waits for {lock} in {waiter or inside}, run by {cpu.who}"
            yield Evidence(text, Source("frame", str(cpu.cpu), (waiter or inside).address or None))


def _circle(death: Death, stuck: int | None) -> list[Evidence]:
    """Return as evidence that the spinlocks of a stuck CPU are likely held in a circle; nothing can prove that."""
    if death.only_log:
        return []
    graph, task = graph_of(death), next((cpu.task for cpu in all_cpus(death.kernel) if cpu.cpu == stuck), None)
    edges = way(graph, task) if graph is not None and task else []
    if graph is None or not edges or edges[-1].target != edges[0].source:
        return []
    steps = [
        f"{who_is(graph.nodes[edge.source])} waits for {who_is(graph.nodes[edge.target])}"
        for edge in edges
        if edge.kind == "waits_for"
    ]
    text = f"likely a deadlock: {', '.join(steps)}, each likely held by the next and the last by the first"
    return [Evidence(text, Source("task", str(graph.nodes[edges[0].source].pid), task))]
