"""Servers behind file systems: of FUSE the process that answers, of NFS the host, and who it is on this machine.

Follows fs/fuse/, fs/nfs/client.c and net/sunrpc/. What programs serve a connection is told by their open files.
"""

from collections.abc import Iterator

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.open_by import opened_by
from oopscope.waits.disks import claims_of_disk, disk_node, disk_of_file_system
from oopscope.waits.ends import socket_ends
from oopscope.waits.graph import Claim, Node
from oopscope.waits.nodes import file_system_name, file_system_node, super_blocks, task_node
from oopscope.waits.offsets import offset, offsets

FUSE, NFS, RPC = "fuse", "nfs", "sunrpc"
MAX_NAME = 64


def fuse_server(kernel: Kernel, connection: int, name: str) -> tuple[Node, list[Claim]] | None:
    """Return the node of a FUSE connection's server and who serves it; None where nothing confirms the connection.

    connection: struct fuse_conn * (fuse_chan * in 7.2); name: of the file system, where it is known.
    """
    device = offset(kernel, "fuse_dev", "chan", "fc", module=FUSE)
    if device is None or not connection:
        return None
    name = name or _mounted_by(kernel, connection)
    found = [one.task for private, entries in opened_by(kernel).by.items() for one in entries
             if _is(kernel, private, device, connection)]  # fmt: skip
    if not found and not name:
        return None  # neither a file system nor a server
    node = Node(f"fuse:{connection:#x}", "fuse", f"server of {name or f'{connection:#x}'}", connection, None, "", True)
    text = "it has the connection's /dev/fuse open"
    return node, [
        Claim(node, task_node(kernel, task), "held_by", "recorded", None, text) for task in dict.fromkeys(found)
    ]


def _is(kernel: Kernel, private: int, at: int, value: int) -> bool:
    try:
        return kernel.memory.word((private & ~1) + at) == value
    except OopscopeError:
        return False


def claims_of_file_system(kernel: Kernel, block: int) -> Iterator[Claim]:
    """Yield what a file system lies on: its disk, its server."""
    node, disk = file_system_node(kernel, block), disk_of_file_system(kernel, block)
    if disk is not None:
        yield Claim(node, disk_node(kernel, disk), "behind", "recorded", None, "super_block.s_bdev")
        yield from claims_of_disk(kernel, disk)
        return
    served = _fuse(kernel, block) or _nfs(kernel, block)
    if served is not None:
        server, held = served
        yield Claim(node, server, "behind", "recorded", None, "super_block.s_fs_info leads to it")
        yield from held


def _private(kernel: Kernel, block: int, kind: str) -> int:
    """Return a super block's s_fs_info where its type's name begins so; 0 for another."""
    at, of_type = offsets(kernel, "super_block", "s_fs_info", "s_type"), offset(kernel, "file_system_type", "name")
    if at is None or of_type is None:
        return 0
    memory = kernel.memory
    name = memory.cstring(memory.word(memory.word(block + at[1]) + of_type), 32)
    return memory.word(block + at[0]) if name.startswith(kind.encode()) else 0


def _connection(kernel: Kernel, block: int) -> int:
    """Return the FUSE connection of a super block; 0 for none."""
    mount, to = _private(kernel, block, FUSE), offset(kernel, "fuse_mount", "fc", module=FUSE)
    if not mount or to is None:
        return 0
    connection = kernel.memory.word(mount + to)
    channel = offset(kernel, "fuse_conn", "chan", module=FUSE)  # a fuse_chan of its own in 7.2
    return connection if channel is None else kernel.memory.word(connection + channel)


def _mounted_by(kernel: Kernel, connection: int) -> str:
    """Return the file system that a connection is of; nothing where none is found."""
    for block in sorted(super_blocks(kernel)):
        try:
            if _connection(kernel, block) == connection:
                return file_system_name(kernel, block)
        except OopscopeError:
            continue
    return ""


def _fuse(kernel: Kernel, block: int) -> tuple[Node, list[Claim]] | None:
    return fuse_server(kernel, _connection(kernel, block), file_system_name(kernel, block))


def _nfs(kernel: Kernel, block: int) -> tuple[Node, list[Claim]] | None:
    server, to = _private(kernel, block, NFS), offset(kernel, "nfs_server", "client", module=NFS)
    return rpc_server(kernel, kernel.memory.word(server + to), "") if server and to is not None else None


def rpc_server(kernel: Kernel, client: int, note: str) -> tuple[Node, list[Claim]] | None:
    """Return the node of the host that an RPC client calls, and who it is where that is this machine; None for none.

    client: struct rpc_clnt *, whose transport names the host.
    """
    at = offsets(kernel, "rpc_clnt", "cl_xprt", module=RPC)
    host = offset(kernel, "rpc_xprt", "servername", module=RPC)
    socket = offset(kernel, "sock_xprt", "sock", module=RPC)
    if at is None or host is None or not client:
        return None
    memory = kernel.memory
    transport = memory.word(client + at[0])
    name = memory.text(memory.word(transport + host), MAX_NAME)
    node = Node(f"server:{transport:#x}", "server", name, transport, None, note, True)
    held: list[Claim] = []
    try:
        ends = socket_ends(kernel, memory.word(transport + socket), 0) if socket is not None else None
        for task in ends.tasks if ends is not None else ():
            held.append(Claim(node, task_node(kernel, task), "held_by", "recorded", None, ends.text if ends else ""))
    except OopscopeError:
        pass  # a transport that is no socket's
    return node, held
