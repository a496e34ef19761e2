"""The table `sockets`: every socket, by namespace, with who has it open."""

from oopscope.linux.socket_rows import socket_rows
from oopscope.subsystems import Column, Table

TABLE = Table(
    "sockets",
    "Sockets",
    (
        Column("protocol", "Protocol", help="tcp, udp, raw and so on, of IPv6 with a 6; unix, netlink, packet."),
        Column("state", "State", help="As in ss(8); of a protocol without connections closed means not connected."),
        Column("local", "Local", help="Its own address: of unix a path, abstract ones with @; of netlink a port."),
        Column("remote", "Remote", help="The other end; of unix without a path socket:[INODE]."),
        Column(
            "received",
            "Unread",
            "int",
            "Bytes that came and were not read; of udp and raw memory for them.",
            brief=False,
        ),
        Column(
            "unsent",
            "Unsent",
            "int",
            "Bytes that were written and not acknowledged, or not taken; likewise.",
            brief=False,
        ),
        Column(
            "backlog", "Backlog", "int", "Of a listening socket: connections that wait to be accepted.", brief=False
        ),
        Column("backlog_limit", "Limit", "int", "How many of them it was told to hold (listen(2)).", brief=False),
        Column("note", "Note", help="backlog full; what was sent and not acknowledged; a peer that takes nothing."),
        Column("pid", "PID", "int", "The first process that has it open; none: the kernel's own, or closed.", "task"),
        Column("comm", "Command", help="That process's name.", brief=False),
        Column("type", "Type", help="stream, datagram, raw, seqpacket.", brief=False),
        Column("retransmits", "Retransmits", "int", "Segments of TCP that were sent again, in all.", brief=False),
        Column("timer", "Timer", help="What TCP waits for: retransmit, loss probe, keepalive ...", brief=False),
        Column("timer_seconds", "Due in", "seconds", "When it is due; less than 0 is overdue.", brief=False),
        Column("namespace", "Namespace", "int", "The number of its network namespace.", brief=False),
        Column("inode", "Inode", "int", "Its inode's number: socket:[INODE] in /proc/PID/fd.", brief=False),
        Column("uid", "UID", "int", "The user that it belongs to.", brief=False),
        Column("error", "Error", "int", "An error (errno) that its owner has not been told yet; else 0.", brief=False),
        Column("drops", "Drops", "int", "Packets that were dropped for want of room.", brief=False),
        Column("address", "Socket", "address", "Its struct sock.", "struct sock", False),
    ),
    socket_rows,
    "network",
    ("address",),
)
