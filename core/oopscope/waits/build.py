"""The wait-for graph of a kernel: every kind of edge asked, each a boundary of its own; what the last holders do."""

from collections.abc import Iterator

from oopscope.errors import NoTypes, OopscopeError
from oopscope.kernel.functions import is_waiting
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.sched import runqueues
from oopscope.linux.task import task_structs
from oopscope.linux.task_state import decode_comm
from oopscope.stacks.tasks import stack
from oopscope.waits.graph import Claim, Graph, Node, joined
from oopscope.waits.kinds import KINDS, edges_of, unknown
from oopscope.waits.locks import let_go

MAX_TOLD = 64  # last holders whose stacks are unwound


@once
def wait_graph(kernel: Kernel) -> Graph:
    """Return who waits for whom; what a kind cannot read is a problem, and the others go on."""
    graph = joined(_claims(kernel))
    told = {name: _told(kernel, graph.nodes[name]) for name in graph.roots[:MAX_TOLD]}
    let_go(kernel)
    return Graph([told.get(name, node) for name, node in graph.nodes.items()], graph.edges)


def asked(kernel: Kernel, _key: int) -> Graph:
    """Return the graph to who asks by a key: there is one."""
    return wait_graph(kernel)


def _claims(kernel: Kernel) -> Iterator[Claim]:
    known: set[str] = set()
    for key, module in KINDS:
        try:
            for claim in edges_of(module)(kernel):
                known.add(claim.source.id)
                yield claim
        except NoTypes:  # said once, and not for each kind
            raise
        except OopscopeError as error:
            kernel.problems.lost("waits", key)(error)
    yield from unknown.edges(kernel, known)


def _told(kernel: Kernel, node: Node) -> Node:
    """Say of a task at the end of a chain what it does: where it sleeps, on which CPU it runs."""
    task = kernel.cached(task_structs).get(node.address or 0) if node.kind == "task" else None
    if task is None or task.exit_state:
        return node
    frames = [frame for frame in stack(kernel, task.address) if frame.symbol and frame.kind not in ("user", "nmi")]
    named = next((frame for frame in frames if frame.module), None)
    first = named or next((frame for frame in frames if not is_waiting(frame.symbol)), None)
    where = f"{first.symbol}" + (f" [{first.module}]" if first.module else "") if first is not None else ""
    if task.on_cpu:
        does = f"runs on CPU {task.cpu}" + (f" in {where}" if where else "")
    elif not task.state:
        does = f"is ready to run on CPU {task.cpu}{_has(kernel, task.cpu, task.address)}"
    else:
        does = f"sleeps in {where}" if where else "sleeps"
    return node._replace(note=f"{node.note}, {does}")


def _has(kernel: Kernel, cpu: int | None, task: int) -> str:
    """Return in words which other task a CPU runs; nothing for its idle one, or where that is not known."""
    try:
        queue = next((one for one in kernel.cached(runqueues) if one.cpu == cpu), None)
    except OopscopeError:
        return ""
    current = kernel.cached(task_structs).get(queue.curr) if queue is not None and queue.curr != queue.idle else None
    return f", which runs {current.pid} {decode_comm(current.comm)}" if current and current.address != task else ""
