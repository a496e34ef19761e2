"""The table `rpccalls`: calls by RPC that have no answer."""

from oopscope.linux.rpc import rpc_calls
from oopscope.subsystems import Column, Table

TABLE = Table(
    "rpccalls",
    "RPC calls",
    (
        Column("server", "Server", help="Whom it asks.", host=True),
        Column("program", "Program", help="nfs, mount, portmap, lockd ..."),
        Column("procedure", "Call", help="READ, GETATTR ...; none of a mere greeting."),
        Column("pid", "PID", "int", "The process that began it.", "task"),
        Column("state", "State", "list", "running; queued; to be sent; awaits its answer."),
        Column("queue", "Queue", help="The queue that it sleeps in: pending, backlog, xprt_sending ..."),
        Column("since_seconds", "Since", "seconds", "Since it was begun."),
        Column("sent", "Sent", "int", "How often it was sent."),
        Column("timeouts", "Timeouts", "int", "How often its time was over."),
        Column("status", "Status", "int", "Its error so far, less than 0; -11 while it sleeps.", brief=False),
        Column("flags", "Flags", "list", "async; soft: it gives up in the end; sent.", brief=False),
        Column("client", "Client", "address", "The struct rpc_clnt that it is of.", "struct rpc_clnt", False),
        Column("address", "Call at", "address", "Its struct rpc_task.", "struct rpc_task", False),
    ),
    rpc_calls,
    "network",
    ("address",),
    asked=True,
    when_opened=True,
    told_in="rpcclients",
)
