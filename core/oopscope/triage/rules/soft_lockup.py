"""A CPU ran kernel code for too long without letting anything else run. Follows kernel/watchdog.c."""

from collections.abc import Iterator, Sequence
from itertools import islice, takewhile

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import calls_cpus, entry_kind, is_waiting
from oopscope.stacks.cpus import all_cpus
from oopscope.stacks.standing import interrupted_in
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Source, Verdict
from oopscope.triage.findings.stuck_cpus import silent, standing

NEAR = 4  # frames from where a CPU was found to the function that waits for others


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if not death.hung("soft-lockup", r"softlockup: hung tasks"):
        return None
    said = death.said(r".*BUG: soft lockup - CPU#(\d+) stuck for (\d+)s! \[(.*):(\d+)\]")
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
    waits = _waits_for_cpus(found, frames)
    deaf = silent(death) if waits else None
    if deaf is not None and (stands := standing(deaf)) is not None:
        frame = stands
        evidence.append(
            Evidence(f"CPU {deaf.cpu} did not answer: it stands in {frame}", Source("frame", str(deaf.cpu)))
        )
    others = [one for one in death.findings if one.id == "stuck-cpu"]
    evidence += [piece for one in others for piece in one.evidence[:2]]
    waiting = list(_waiting(death, who[0]))
    evidence += waiting
    also = f"; {others[0].text}" if others else f"; {waiting[0].text}" if waiting else ""
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
        "likely" if waits else "certain",  # who does not answer may be another, or nobody that is known
        evidence,
        (
            "In a spinlock's slow path: find who holds the lock, on another CPU or further up this stack.",
            "In a loop: find what should end it. A virtual machine may just not have been scheduled by its host.",
        ),
        culprit=frame,
        blame=False,
        whom=who,
    )


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
            text = f"CPU {cpu.cpu} waits for a spinlock in {waiter or inside}, run by {cpu.who}"
            yield Evidence(text, Source("frame", str(cpu.cpu), (waiter or inside).address or None))
