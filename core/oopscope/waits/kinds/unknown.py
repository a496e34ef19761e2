"""Blocked tasks for which no other kind knows what they wait for: a completion, a wait queue, and nobody who is known.

The thing is named, so that it can be looked at; who would end the wait nothing tells.
"""

from collections.abc import Iterator

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.waits.graph import Claim
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import symbol_name, task_node, thing
from oopscope.waits.offsets import offset
from oopscope.waits.sleepers import Sleeper, completion_of, head_of


def edges(kernel: Kernel, known: set[str]) -> Iterator[Claim]:
    """Yield what the blocked tasks wait for that are not among those of whom it is known."""
    for one in unlocked(kernel):
        if not one.places or task_node(kernel, one.address).id in known:
            continue
        try:
            yield from _of(kernel, one)
        except OopscopeError as error:
            kernel.problems.lost("waits", f"what {one.pid} waits for")(error)


def _of(kernel: Kernel, one: Sleeper) -> Iterator[Claim]:
    waiter, text = task_node(kernel, one.address), "its waiter on its own stack leads to it"
    completion = completion_of(one)
    if completion is not None:
        if completion in one.stack:
            name = f"on its own stack, in {next((f for f in one.functions if not _waits(f)), 'an unknown function')}"
        else:
            name = symbol_name(kernel, completion) or f"{completion:#x}"
        yield Claim(waiter, thing("completion", completion, name), "waits_for", "linked", one.since, text)
        return
    heads = {head_of(kernel, entry.node) for entry in one.entries} if one.blocked else set()
    if len(heads) == 1 and (head := heads.pop()) is not None:
        queue = head - (offset(kernel, "wait_queue_head", "head") or 0)
        name = symbol_name(kernel, queue) or f"{queue:#x} of {next((f for f in one.functions if not _waits(f)), '?')}"
        yield Claim(waiter, thing("waitqueue", queue, name), "waits_for", "linked", one.since, text)


def _waits(function: str) -> bool:
    return "schedule" in function or function.startswith(("wait_for_completion", "__wait_for_common", "do_wait_for"))
