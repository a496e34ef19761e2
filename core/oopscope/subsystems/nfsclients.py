"""The table `nfsclients`: the servers of NFS that this machine uses."""

from oopscope.linux.nfs import nfs_clients
from oopscope.subsystems import Column, Table

TABLE = Table(
    "nfsclients",
    "NFS servers",
    (
        Column("server", "Server", help="The host.", host=True),
        Column("version", "Version", help="Of NFS: 3, 4.0, 4.1, 4.2."),
        Column("state", "State", help="ready; being set up; an error."),
        Column("mounts", "Mounts", "int", "File systems of it that are mounted."),
        Column("calls", "Calls", "int", "Calls of NFS to it that are not done."),
        Column("manager", "Manager", "list", "Of NFSv4: what its state needs: lease expired, reclaims ..."),
        Column("lease_seconds", "Lease", "seconds", "Of NFSv4: for how long the server keeps what it was told."),
        Column("renewed_seconds", "Renewed", "seconds", "Since that was last renewed."),
        Column("namespace", "Namespace", "int", "The number of its network namespace.", brief=False),
        Column("address", "Client", "address", "Its struct nfs_client.", "struct nfs_client", False),
    ),
    nfs_clients,
    "io",
    ("address",),
    asked=True,
    when_opened=True,
    told_in="rpcclients",
)
