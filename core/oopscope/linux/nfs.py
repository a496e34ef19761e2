"""Clients of NFS: which servers, which version, in what state, how many mounts. Follows fs/nfs/{client.c,nfs4state.c}.

They hang in their network namespace's nfs_net. A client's own RPC client must be one that the namespace lists.
"""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.optional_module import is_there, types_of
from oopscope.linux.rpc import pernet, rpc_clients, words
from oopscope.linux.sums import added
from oopscope.linux.ticks import hz, seconds_since
from oopscope.structs.plan import Plan

MODULE = "nfs"
MAX_CLIENTS, MAX_MOUNTS, MAX_NAME = 10_000, 10_000, 256
# include/linux/nfs_fs_sb.h: cl_cons_state, an error where it is less than 0
STATES = {0: "ready", 1: "being set up", 2: "its session is being set up"}
# fs/nfs/nfs4_fs.h: bits of cl_state, what NFSv4's state manager has to do
MANAGER = (
    (1 << 0, "manager runs"), (1 << 1, "lease to be checked"), (1 << 2, "lease expired"),
    (1 << 3, "reclaims after the server's reboot"), (1 << 4, "reclaims without grace"), (1 << 6, "session to be reset"),
    (1 << 7, "lease to be confirmed"), (1 << 9, "state to be purged"),
)  # fmt: skip


class ClientStruct(NamedTuple):
    """struct nfs_client."""

    address: int
    state: int
    host: int
    mounts: int
    rpc: int
    operations: int
    minor: int | None
    manager: int | None
    lease: int | None
    renewed: int | None
    link: int


class Operations(NamedTuple):
    """struct nfs_rpc_ops."""

    version: int


CLIENT = Plan(
    "nfs_client", ClientStruct, state="cl_cons_state", host="cl_hostname", mounts="&cl_superblocks", rpc="cl_rpcclient",
    operations="rpc_ops", minor="cl_minorversion", manager="cl_state", lease="cl_lease_time", renewed="cl_last_renewal",
    link="&cl_share_link",
)  # fmt: skip
OPERATIONS = Plan("nfs_rpc_ops", Operations)


class NfsClient(NamedTuple):
    """What one server is to this machine."""

    server: str | None
    version: str | None
    state: str
    mounts: int | None  # None where not all could be read
    manager: tuple[str, ...]
    lease_seconds: float | None
    renewed_seconds: float | None
    calls: int | None
    namespace: int
    address: int


@once
def nfs_clients(kernel: Kernel) -> list[NfsClient]:
    """Return the clients of all network namespaces; none where the module is not loaded."""
    if not is_there(kernel, MODULE, "nfs_net_id"):
        return []
    types, found = types_of(kernel, MODULE, "nfs_net"), list[NfsClient]()
    bound, lost = (
        CLIENT.bind(types, kernel.memory, kernel.endian),
        kernel.problems.lost("nfsclients", "a client of NFS"),
    )
    operations = OPERATIONS.bind(types, kernel.memory, kernel.endian)
    known = {client.address: client for client in rpc_clients(kernel)}
    calls: dict[int, list[int | None]] = {}  # by transport: each mount has an RPC client of its own
    for client in known.values():
        calls.setdefault(client.transport, []).append(client.calls)
    head = types.member("nfs_net", "nfs_client_list").offset
    for namespace, place in pernet(kernel, MODULE, "nfs_net_id"):
        walk = for_each_list(kernel.memory, place + head, bound.offset("link"), lost, MAX_CLIENTS)
        for row in bound.rows(walk, lost):
            rpc = known.get(row.rpc)
            # One that is being set up has an error for a client, or none yet.
            if rpc is None and not row.state and not any(one.section == "rpcclients" for one in kernel.problems):
                kernel.problems.add("nfsclients", "what should be a client of NFS has no RPC client", row.address)
                continue
            version = _version(operations.row(row.operations).version if row.operations else None, row.minor)
            found.append(
                NfsClient(
                    _host(kernel, row.host), version, _state(row.state), _mounts(kernel, row.mounts),
                    words(row.manager or 0, MANAGER), row.lease / hz(kernel) if row.lease else None,
                    max(seconds_since(kernel, row.renewed), 0) if row.renewed else None,
                    added(calls[rpc.transport]) if rpc else None, namespace, row.address,
                )
            )  # fmt: skip
    return found


def _version(version: int | None, minor: int | None) -> str | None:
    if version is None:
        return None
    return f"{version}.{minor or 0}" if version >= 4 else str(version)


def _state(value: int) -> str:
    number = value if value < 1 << 31 else value - (1 << 32)
    return STATES.get(number, f"error {number}" if number < 0 else f"state {number}")


def _host(kernel: Kernel, address: int) -> str | None:
    try:
        return kernel.memory.text(address, MAX_NAME) if address else None
    except OopscopeError:
        return None


def _mounts(kernel: Kernel, head: int) -> int | None:
    broken = list[OopscopeError]()
    count = sum(1 for _ in for_each_list(kernel.memory, head, 0, broken.append, MAX_MOUNTS))
    for error in broken:
        kernel.problems.lost("nfsclients", "the mounts of a server")(error)
    return None if broken else count
