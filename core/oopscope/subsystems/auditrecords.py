"""The table `auditrecords`: records of the audit system that nobody has taken."""

from oopscope.linux.audit import audit_records, audit_waiting
from oopscope.subsystems import Column, Table

TABLE = Table(
    "auditrecords",
    "Audit records",
    (
        Column("queue", "Queue", help="to be sent: to auditd; to be sent again; held for a daemon: there is none."),
        Column("type", "Type", help="The record's type, a number where it has no name here.", brief=False),
        Column("text", "Record", help="With its time and number; the records of one event share them."),
        Column("address", "Buffer", "address", "Its struct sk_buff.", "struct sk_buff", False),
    ),
    audit_records,
    "log",
    ("address",),
    most=20,
    asked=True,
    of=audit_waiting,
    when_opened=True,
)
