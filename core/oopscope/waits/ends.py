"""The other end of an open file: who has a pipe's, a socket's or an eventfd's other end open on the same machine.

Follows fs/pipe.c, fs/eventfd.c, net/unix/af_unix.c and include/net/sock.h. A unix socket names its peer. The other end
of a TCP connection on this machine is the socket of the same namespace whose addresses and ports are this one's
exchanged. A socket that listens, or is told nothing of a peer, is named, and nobody is known to have another end of it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.open_by import FMODE_READ, FMODE_WRITE, Opened, opened_by
from oopscope.linux.sock import AF_INET, AF_INET6, AF_UNIX, SOCK, SockStruct, socket_at
from oopscope.linux.task import task_structs
from oopscope.waits.offsets import offset, offsets

IPPROTO_TCP, LISTENING = 6, 10
MAX_BACKLOG = 4096
MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96, an IPv4 address in an IPv6 socket
PIPES, SOCKET = ("pipefifo_fops", "pipeanon_fops"), "socket_file_ops"  # the second since 6.15
EVENT = "eventfd_fops"
Way = tuple[int, object, object, int, int]


class Ends(NamedTuple):
    """Who could end a wait for a file: their tasks; a thing's name, what it is of it that they have, what is odd."""

    tasks: tuple[int, ...]
    name: str
    text: str
    note: str = ""


def ends_of(kernel: Kernel, file: int, tgid: int) -> Ends | None:
    """Return who has the other end of an open file; None where it has none that can be told."""
    at = offsets(kernel, "file", "f_op", "private_data", "f_mode")
    if at is None:
        return None
    ops, private = kernel.memory.word(file + at[0]), kernel.memory.word(file + at[1])
    named = kernel.name_of(ops)
    if named is None or named.offset:
        return None
    if named.symbol in PIPES:
        return pipe_ends(kernel, private, tgid, not kernel.memory.u32(file + at[2]) & FMODE_WRITE)
    if named.symbol == EVENT:
        found = event_ends(kernel, private, tgid)
        return found._replace(name=f"eventfd {found.name}") if found is not None else None
    return socket_ends(kernel, private, tgid) if named.symbol == SOCKET else None


def opened(kernel: Kernel, private: int, tgid: int) -> tuple[list[Opened], list[Opened]]:
    """Return who has a thing open: of the process with a tgid, and of all others."""
    tasks = kernel.cached(task_structs)
    mine: list[Opened] = []
    others: list[Opened] = []
    for entry in opened_by(kernel).by.get(private, []):
        task = tasks.get(entry.task)
        (mine if task is not None and task.tgid == tgid else others).append(entry)
    return mine, others


def pipe_ends(kernel: Kernel, pipe: int, tgid: int, reads: bool) -> Ends | None:
    """Return who has the writing end of a pipe that one reads, or the reading end; None for a pipe of no open file."""
    mine, others = opened(kernel, pipe, tgid)
    if not mine:
        return None
    wanted = FMODE_WRITE if reads else FMODE_READ
    peers = dict.fromkeys(entry.task for entry in others if entry.mode & wanted)
    itself = any(entry.mode & wanted for entry in mine)
    note = "" if peers else "its other end is open in this process alone" if itself else _nobody(kernel, pipe, reads)
    text = f"it has the pipe's {'writing' if reads else 'reading'} end open"
    # who has both ends might end the wait itself, by another thread
    return Ends(() if itself else tuple(peers), f"{pipe:#x}", text, note if opened_by(kernel).whole else "")


def _nobody(kernel: Kernel, pipe: int, reads: bool) -> str:
    """Say that no process has a pipe's other end; the pipe counts those of files on their way, or being closed."""
    at = offset(kernel, "pipe_inode_info", "writers" if reads else "readers")
    count = kernel.memory.u32(pipe + at) if at is not None else 0
    times = f" {count} times" if count > 1 else ""
    return f"its other end is open{times}, by no process" if count else "nobody has its other end open"


def event_ends(kernel: Kernel, event: int, tgid: int) -> Ends | None:
    """Return who else has an eventfd open; None for one that the process has not.

    event: struct eventfd_ctx *. The kernel may signal one as well, so that who has it open is likely at most.
    """
    mine, others = opened(kernel, event, tgid)
    if not mine or not _is_event(kernel, mine[0]):
        return None
    note = "" if others or not opened_by(kernel).whole else "only this process has it open"
    return Ends(tuple(dict.fromkeys(entry.task for entry in others)), f"{event:#x}", "it has the eventfd open", note)


def _is_event(kernel: Kernel, entry: Opened) -> bool:
    named = kernel.name_of(entry.ops)
    return named is not None and named.symbol == EVENT and not named.offset


def socket_ends(kernel: Kernel, socket: int, tgid: int) -> Ends | None:
    """Return who has the peer of a socket open; None for what is no socket."""
    at = offsets(kernel, "socket", "sk")
    peer_at, back = offset(kernel, "unix_sock", "peer"), offset(kernel, "sock", "sk_socket")
    if at is None or back is None:
        return None
    sk = kernel.memory.word(socket + at[0])
    row = kernel.bind(SOCK).row(sk)
    if kernel.memory.word(sk + back) != socket:
        return None
    if row.family == AF_UNIX and peer_at is not None:
        peer = kernel.memory.word(sk + peer_at)
        if not peer:
            return _alone(kernel, socket, row)
        private, name, text = kernel.memory.word(peer + back), f"unix {socket:#x}", "it has the socket's peer open"
    elif _is_tcp(row):
        private, accepted = _connections(kernel).get(_turned(_way(kernel, sk, row)), (0, True))
        found = socket_at(kernel, socket)
        name, text = f"tcp {found.local} to {found.remote}", "it has the connection's other end open, on this machine"
        text = text if accepted else "it listens at the other end, and has not accepted the connection"
    else:
        return _alone(kernel, socket, row)
    return _held(kernel, private, tgid, name, text, "its other end")


def receiver_ends(kernel: Kernel, peer: int, tgid: int) -> Ends | None:
    """Return who has the unix socket open that others wait to have room for them; None for what is none.

    peer: struct sock * that takes no more datagrams or connections.
    """
    at, back = offset(kernel, "socket", "sk"), offset(kernel, "sock", "sk_socket")
    if at is None or back is None:
        return None
    socket = kernel.memory.word(peer + back)
    if not socket or kernel.memory.word(socket + at) != peer:
        return None
    name = f"unix {socket_at(kernel, socket).local or f'{socket:#x}'}"
    return _held(kernel, socket, tgid, name, "it has the full socket open", "it")


def _held(kernel: Kernel, private: int, tgid: int, name: str, text: str, what: str) -> Ends:
    """Return who has a socket open (struct socket *, 0 for none); where the waiter's process has it too, only that."""
    mine, others = opened(kernel, private, tgid) if private else ([], [])
    tasks = () if mine else tuple(dict.fromkeys(entry.task for entry in others))
    note = f"{what} is open in this process" + ("" if others else " alone") if mine else ""
    return Ends(tasks, name, text, note)


def _alone(kernel: Kernel, socket: int, row: SockStruct) -> Ends:
    """Name a socket that has no one other end: one that listens, or that takes what anybody sends."""
    found = socket_at(kernel, socket)
    inet = row.family in (AF_INET, AF_INET6)
    kind = found.protocol if inet and found.protocol else found.family
    listens = row.state == LISTENING and found.type in ("stream", "seqpacket")
    name = f"{kind} {found.local or f'{socket:#x}'}"
    note = "it listens, nobody connects" if listens else "it has no peer" if row.family == AF_UNIX else ""
    return Ends((), name, "", note)


def _is_tcp(row: SockStruct) -> bool:
    return row.family in (AF_INET, AF_INET6) and row.protocol & 0xFF == IPPROTO_TCP and row.state != LISTENING


def _way(kernel: Kernel, sk: int, row: SockStruct) -> Way:
    """Return the namespace, the addresses and the ports of a socket: its own, then the other end's."""
    net = kernel.memory.word(sk + (offset(kernel, "sock", "__sk_common.skc_net.net") or 0))
    port = int.from_bytes(row.remote_port.to_bytes(2, kernel.arch.byteorder), "big")
    local: object = row.local
    remote: object = row.remote
    if row.family == AF_INET6 and row.local6 and row.remote6:
        six = kernel.memory.read(row.local6, 16), kernel.memory.read(row.remote6, 16)
        if not six[1].startswith(MAPPED):
            local, remote = six
    return net, local, remote, row.port, port


def _turned(way: Way) -> Way:
    return way[0], way[2], way[1], way[4], way[3]


@once
def _connections(kernel: Kernel) -> dict[Way, tuple[int, bool]]:
    """Return the struct socket of every TCP connection by its ends; of one that is not accepted yet the listener's."""
    return dict(_open_tcp(kernel))


def _open_tcp(kernel: Kernel) -> Iterator[tuple[Way, tuple[int, bool]]]:
    at, back = offset(kernel, "socket", "sk"), offset(kernel, "sock", "sk_socket")
    for private in opened_by(kernel).by if at is not None and back is not None else ():
        try:
            sk = kernel.memory.word(private + (at or 0))
            if sk and kernel.memory.word(sk + (back or 0)) == private:
                row = kernel.bind(SOCK).row(sk)
                if _is_tcp(row) and row.remote_port:
                    yield _way(kernel, sk, row), (private, True)
                elif row.family in (AF_INET, AF_INET6) and row.state == LISTENING:
                    yield from ((way, (private, False)) for way in _not_accepted(kernel, sk))
        except OopscopeError:  # what is open is not always a socket
            continue


def _not_accepted(kernel: Kernel, listener: int) -> Iterator[Way]:
    """Yield the connections that a TCP socket has in its backlog: requests that are linked from it and name it."""
    head = offset(kernel, "inet_connection_sock", "icsk_accept_queue.rskq_accept_head")
    shape = offsets(kernel, "request_sock", "dl_next", "sk", "__req_common.skc_listener")
    request = kernel.memory.word(listener + head) if head is not None else 0
    for _ in range(MAX_BACKLOG if shape is not None else 0):
        if not request or shape is None or kernel.memory.word(request + shape[2]) != listener:
            return
        child = kernel.memory.word(request + shape[1])
        row = kernel.bind(SOCK).row(child)
        if _is_tcp(row) and row.remote_port:
            yield _way(kernel, child, row)
        request = kernel.memory.word(request + shape[0])
