"""RPC (ONC RPC, which NFS goes by): clients, their transports, and the calls that have no answer yet.

Follows net/sunrpc/{clnt.c,sched.c,xprt.c,debugfs.c} and include/linux/sunrpc/. Clients hang in their network
namespace's sunrpc_net, which net_generic() finds by the module's number. A client's program must have its number, a
call must name the client that lists it, and a call's request the call.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.net import namespaces
from oopscope.linux.optional_module import is_there, symbol_of, types_of
from oopscope.linux.ticks import monotonic, seconds_since
from oopscope.structs.plan import Plan

MODULE = "sunrpc"
MAX_CLIENTS, MAX_CALLS, MAX_ID, MAX_NAME = 10_000, 100_000, 4096, 64
NS = 1e9
# include/linux/sunrpc/xprt.h: bits of rpc_xprt.state
TRANSPORT = (
    (1 << 1, "connected"), (1 << 2, "connecting"), (1 << 3, "to be closed"), (1 << 4, "bound"), (1 << 5, "binding"),
    (1 << 6, "closing"), (1 << 7, "offline"), (1 << 9, "congested"), (1 << 10, "window full"),
    (1 << 11, "no room to write"),
)  # fmt: skip
PROTOCOLS = {0: "local", 6: "tcp", 17: "udp", 256: "rdma"}
# include/linux/sunrpc/sched.h: bits of rpc_task.tk_runstate and tk_flags
RUNS = ((1 << 0, "running"), (1 << 1, "queued"), (1 << 3, "to be sent"), (1 << 4, "awaits its answer"))
FLAGS = ((0x1, "async"), (0x2, "of the swapper"), (0x200, "soft"), (0x800, "sent"), (0x400, "soft connect"))


class ClientStruct(NamedTuple):
    """struct rpc_clnt."""

    address: int
    calls: int
    transport: int
    number: int
    version: int
    program: int
    link: int


class Program(NamedTuple):
    """struct rpc_program."""

    name: int
    number: int


class Transport(NamedTuple):
    """struct rpc_xprt."""

    protocol: int
    state: int
    server: int
    slots: int
    window: int
    sends: int
    receives: int
    bad_xids: int
    connects: int
    used: int


class CallStruct(NamedTuple):
    """struct rpc_task."""

    address: int
    status: int
    runs: int
    queue: int
    procedure: int
    client: int
    request: int
    start: int
    owner: int
    flags: int
    timeouts: int
    link: int


class Request(NamedTuple):
    """struct rpc_rqst."""

    task: int
    sent: int


CLIENT = Plan("rpc_clnt", ClientStruct, calls="&cl_tasks", transport="cl_xprt", number="cl_prog", version="cl_vers",
              program="cl_program", link="&cl_clients")  # fmt: skip
PROGRAM = Plan("rpc_program", Program)
TRANSPORT_PLAN = Plan(
    "rpc_xprt", Transport, protocol="prot", server="servername", slots="num_reqs", window="cwnd", sends="stat.sends",
    receives="stat.recvs", bad_xids="stat.bad_xids", connects="stat.connect_count", used="last_used",
)  # fmt: skip
CALL = Plan(
    "rpc_task", CallStruct, status="tk_status", runs="tk_runstate", queue="tk_waitqueue", procedure="tk_msg.rpc_proc",
    client="tk_client", request="tk_rqstp", start="tk_start", owner="tk_owner", flags="tk_flags",
    timeouts="tk_timeouts", link="&tk_task",
)  # fmt: skip
REQUEST = Plan("rpc_rqst", Request, task="rq_task", sent="rq_ntrans")


class RpcClient(NamedTuple):
    """A client, and the transport that it uses."""

    server: str | None
    program: str | None
    version: int
    protocol: str | None
    state: tuple[str, ...]
    calls: int | None  # that are not done; None where not all could be read
    slots: int | None
    sends: int | None
    receives: int | None
    connects: int | None
    bad_xids: int | None
    idle_seconds: float | None
    namespace: int
    address: int
    transport: int  # struct rpc_xprt *


class RpcCall(NamedTuple):
    """A call that is not done."""

    server: str | None
    program: str | None
    procedure: str | None
    pid: int  # who began it
    state: tuple[str, ...]
    queue: str | None
    since_seconds: float | None
    sent: int | None
    timeouts: int
    status: int
    flags: tuple[str, ...]
    client: int
    address: int


def words(value: int, names: tuple[tuple[int, str], ...]) -> tuple[str, ...]:
    """Return the words of the bits that are set."""
    return tuple(word for bit, word in names if value & bit)


def pernet(kernel: Kernel, module: str, symbol: str) -> Iterator[tuple[int, int]]:
    """Yield what a module keeps of each network namespace, with its number; NoSymbol where the module does not tell.

    symbol: of the module's `unsigned int` that register_pernet_subsys() gave it: its place in struct net_generic.
    """
    at = symbol_of(kernel, module, symbol)
    number, pointers = kernel.memory.u32(at), kernel.types.member("net_generic", "ptr").offset
    to = kernel.types.member("net", "gen").offset
    if number > MAX_ID:
        raise Implausible(f"{symbol} is {number}", at)
    if not number:  # not registered yet
        return
    for address, net in namespaces(kernel).items():
        place = kernel.memory.word(kernel.memory.word(address + to) + pointers + number * kernel.memory.word_size)
        if place:
            yield net.inum, place


class Rpc:
    """The clients of one kernel, read once."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory = kernel, kernel.memory
        self.types = types_of(kernel, MODULE, "sunrpc_net")
        bound = (kernel.memory, kernel.endian)
        self.client, self.program = CLIENT.bind(self.types, *bound), PROGRAM.bind(self.types, *bound)
        self.transport, self.call = TRANSPORT_PLAN.bind(self.types, *bound), CALL.bind(self.types, *bound)
        self.request = REQUEST.bind(self.types, *bound)
        self.now = monotonic(kernel)
        self.clients: list[RpcClient] = []
        self.calls: list[RpcCall] = []
        lost = kernel.problems.lost("rpcclients", "a client of RPC")
        head = self.types.member("sunrpc_net", "all_clients").offset
        for namespace, place in pernet(kernel, MODULE, "sunrpc_net_id"):
            walk = for_each_list(self.memory, place + head, self.client.offset("link"), lost, MAX_CLIENTS)
            for row in self.client.rows(walk, lost):
                self._add(namespace, row)

    def _add(self, namespace: int, row: ClientStruct) -> None:
        problems = self.kernel.problems
        try:
            program = self.program.row(row.program)
            if program.number != row.number:
                problems.add("rpcclients", "what should be a client of RPC has another's program", row.address)
                return
            name, way = self.text(program.name), self.transport.row(row.transport)
        except OopscopeError as e:
            problems.lost("rpcclients", "a client of RPC")(e)
            return
        server = self.text(way.server)
        calls = self._read_calls(row, server, name)
        self.clients.append(
            RpcClient(
                server, name, row.version, PROTOCOLS.get(way.protocol, f"protocol {way.protocol}"),
                words(way.state, TRANSPORT), calls, way.slots, way.sends, way.receives, way.connects, way.bad_xids,
                self._ago(way.used), namespace, row.address, row.transport,
            )
        )  # fmt: skip

    def _ago(self, then: int) -> float | None:
        try:
            return max(seconds_since(self.kernel, then), 0) if then else None
        except OopscopeError:
            return None

    def text(self, address: int) -> str | None:
        """Return a string of the kernel's; None where it is not to be had."""
        try:
            return self.memory.text(address, MAX_NAME) if address else None
        except OopscopeError:
            return None

    def _read_calls(self, client: ClientStruct, server: str | None, program: str | None) -> int | None:
        """Read the calls of a client; return how many, None where some are lost."""
        broken, count = list[OopscopeError](), 0
        walk = for_each_list(self.memory, client.calls, self.call.offset("link"), broken.append, MAX_CALLS)
        for row in self.call.rows(walk, broken.append):
            if row.client != client.address:
                self.kernel.problems.add("rpccalls", "what should be a call is of another client", row.address)
                continue
            count += 1
            self.calls.append(self._call(row, server, program))
        for error in broken:
            self.kernel.problems.lost("rpccalls", "a call")(error)
        return None if broken else count

    def _call(self, row: CallStruct, server: str | None, program: str | None) -> RpcCall:
        since = (self.now - row.start) / NS if self.now is not None and 0 < row.start <= self.now else None
        return RpcCall(
            server, program, self._named(row.procedure, "rpc_procinfo", "p_name"), row.owner, words(row.runs, RUNS),
            self._named(row.queue, "rpc_wait_queue", "name"), since, self._sent(row), row.timeouts, row.status,
            words(row.flags, FLAGS), client=row.client, address=row.address,
        )  # fmt: skip

    def _named(self, address: int, struct: str, member: str) -> str | None:
        """Return what a struct calls itself."""
        try:
            at = self.types.member(struct, member).offset
            return self.text(self.memory.word(address + at)) if address else None
        except OopscopeError:
            return None

    def _sent(self, row: CallStruct) -> int | None:
        """Return how often a call was sent; 0 for one that has no request yet."""
        try:
            request = self.request.row(row.request) if row.request else None
        except OopscopeError:
            return None
        if request is None:
            return 0
        return request.sent if request.task == row.address else None


@once
def the_rpc(kernel: Kernel) -> Rpc | None:
    """Return what is known of RPC; None for a kernel that has no such module loaded."""
    return Rpc(kernel) if is_there(kernel, MODULE, "sunrpc_net_id") else None


def rpc_clients(kernel: Kernel) -> list[RpcClient]:
    """Return the clients of all network namespaces; none where the module is not loaded."""
    found = the_rpc(kernel)
    return found.clients if found else []


def rpc_calls(kernel: Kernel) -> list[RpcCall]:
    """Return the calls that are not done, the oldest first."""
    found = the_rpc(kernel)
    return sorted(found.calls if found else (), key=lambda call: -(call.since_seconds or 0))
