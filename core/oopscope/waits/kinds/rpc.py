"""Calls of NFS and other RPC: which procedure, of which host, how often it was sent. Follows net/sunrpc/sched.c.

The waiter's entry names the word tk_runstate of an rpc_task. That is believed where its request, if it has one, names
the task back, and where its client's transport names a host.
"""

from collections.abc import Iterator

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.waits.graph import Claim, Node
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import task_node
from oopscope.waits.offsets import lowest, offset, offsets
from oopscope.waits.servers import RPC, rpc_server
from oopscope.waits.sleepers import Sleeper, within

ASLEEP = ("rpc_wait_bit", "__rpc_execute", "rpc_wait_for_completion", "nfs4_run_", "nfs4_proc", "__rpc_wait")
MAX_NAME = 32


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who waits for an answer to a call."""
    shape = offsets(kernel, "wait_bit_queue_entry", "wq_entry.entry", "key.flags")
    if shape is None:
        return
    for one in unlocked(kernel):
        if not one.entries or not within(one.functions, ASLEEP):
            continue
        for entry in one.entries:
            try:
                yield from _of(kernel, one, one.word(entry.node - shape[0] + shape[1]))
            except OopscopeError as error:
                kernel.problems.lost("waits", f"the call that {one.pid} waits for")(error)


def _of(kernel: Kernel, one: Sleeper, word: int) -> Iterator[Claim]:
    shape = offsets(kernel, "rpc_task", "tk_runstate", "tk_client", "tk_rqstp", module=RPC)
    back = offsets(kernel, "rpc_rqst", "rq_task", "rq_ntrans", module=RPC)
    if shape is None or back is None or word < lowest(kernel):
        return
    memory, task = kernel.memory, word - shape[0]
    request = memory.word(task + shape[2])
    if request and memory.word(request + back[0]) != task:
        return
    sent = memory.u32(request + back[1]) if request else 0
    found = rpc_server(kernel, memory.word(task + shape[1]), "")
    if found is None:
        return
    server, held = found
    note = f"sent {'once' if sent == 1 else f'{sent} times'}, no answer" if sent else "not sent"
    node = Node(f"rpc:{task:#x}", "rpc", f"{_procedure(kernel, task)} to {server.name}", task, None, note)
    text = "a wait queue entry of its own names the rpc_task's tk_runstate"
    yield Claim(task_node(kernel, one.address), node, "waits_for", "linked", one.since, text)
    yield Claim(node, server, "behind", "recorded", None, "rpc_task.tk_client, and its transport's servername")
    yield from held


def _procedure(kernel: Kernel, task: int) -> str:
    """Return what is called: by the names of its program and its procedure, of which a mere greeting has none."""

    def at(struct: str, member: str) -> int | None:
        return offset(kernel, struct, member, module=RPC)

    of = _text(kernel, task, at("rpc_task", "tk_client"), at("rpc_clnt", "cl_program"), at("rpc_program", "name"))
    what = _text(kernel, task, at("rpc_task", "tk_msg.rpc_proc"), at("rpc_procinfo", "p_name"))
    return f"{of} {what or 'call'}" if of else what or "a call"


def _text(kernel: Kernel, address: int, *path: int | None) -> str:
    """Follow pointers to a text; nothing where one of them, or the text, is not to be had."""
    try:
        for at in path:
            if at is None:
                return ""
            address = kernel.memory.word(address + at)
        return kernel.memory.text(address, MAX_NAME) if address else ""
    except OopscopeError:
        return ""
