"""The table `rpcclients`: whom this machine calls by RPC, and how that goes."""

from oopscope.linux.rpc import rpc_clients
from oopscope.subsystems import Column, Table

TABLE = Table(
    "rpcclients",
    "RPC clients",
    (
        Column("server", "Server", help="The host, or the socket's path, that it calls.", host=True),
        Column("program", "Program", help="nfs, mount, portmap, lockd ..."),
        Column("version", "Version", "int", "The program's version."),
        Column("protocol", "By", help="tcp, udp, local, rdma."),
        Column("state", "State", "list", "Of the transport: connected, connecting, bound, congested, closing ..."),
        Column("calls", "Calls", "int", "Those that are not done: the table rpccalls has them."),
        Column("slots", "Slots", "int", "Requests that the transport has room for at once.", brief=False),
        Column("sends", "Sent", "int", "Requests that were sent in all."),
        Column("receives", "Answers", "int", "Answers that came in all."),
        Column("connects", "Connects", "int", "How often it was connected."),
        Column("bad_xids", "Unasked", "int", "Answers to no request that was known.", brief=False),
        Column("idle_seconds", "Idle", "seconds", "Since the transport was last used."),
        Column("namespace", "Namespace", "int", "The number of its network namespace.", brief=False),
        Column("address", "Client", "address", "Its struct rpc_clnt.", "struct rpc_clnt", False),
    ),
    rpc_clients,
    "network",
    ("address",),
    asked=True,
    when_opened=True,
)
