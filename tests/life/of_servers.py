"""RPC, NFS and audit, against the guest's debugfs, /proc/fs/nfsfs and what auditctl would print."""

import re
from typing import Any

from life.tally import Account, Tally
from oopscope.api import OpenDump
from oopscope.linux.rpc import TRANSPORT, words

CALL = re.compile(
    r" *\d+ ([0-9a-f]+) +(-?\d+) 0x[0-9a-f]+ 0x[0-9a-f]+ +-?\d+ .* (\w+)v(\d+) (\S+) a:\S+(?: \[\w+\])? q:(\S+)"
)


def compare(dump: OpenDump, account: Account, tally: Tally) -> None:
    """Compare what the guest told of whom it calls, and of its audit."""
    if "rpc" in account and not any("the types of module" in problem.message for problem in dump.problems):
        _calls(dump, account, tally)
        _servers(dump, account, tally)
    if "audit" in account:
        _audit(dump, account, tally)


def _calls(dump: OpenDump, account: Account, tally: Tally) -> None:
    calls, clients = list(dump.table("rpccalls")), list(dump.table("rpcclients"))
    versions = {row.address: row.version for row in clients}
    told = [match for line in account["rpc"] if (match := CALL.match(line))]
    tally.same("rpccalls", "number", len(calls), len(told))
    for row, match in zip(sorted(calls, key=lambda one: str(one.procedure)), sorted(told, key=lambda one: one[5]),
                          strict=False):  # fmt: skip
        ours = (row.program, versions.get(row.client), row.procedure, row.queue, row.status)
        for field, mine, theirs in zip(("program", "version", "procedure", "queue", "status"), ours, (
                match[3].rstrip("v"), int(match[4]), match[5], match[6], int(match[2])), strict=True):  # fmt: skip
            tally.same("rpccalls", (match[5], field), mine, theirs)
    fields: dict[str, str] = dict(re.findall(r"(\w+): +(\S+)", "\n".join(account["xprts"])))
    for row in clients:
        tally.same("rpcclients", (row.address, "by"), row.protocol, fields.get("netid"))
        tally.same("rpcclients", (row.address, "server"), row.server, fields.get("addr"))
        tally.same("rpcclients", (row.address, "state"), row.state, words(int(fields["state"], 16), TRANSPORT))
        if "netns" in fields:
            tally.same("rpcclients", (row.address, "namespace"), str(row.namespace), fields["netns"])


def _servers(dump: OpenDump, account: Account, tally: Tally) -> None:
    told: list[Any] = [line.split() for line in account["/proc/fs/nfsfs/servers"][1:] if line.strip()]
    rows = list(dump.table("nfsclients"))
    tally.same("nfsclients", "number", len(rows), len(told))
    for row, line in zip(rows, told, strict=False):
        tally.same("nfsclients", (line[4], "version"), row.version, line[0].lstrip("v"))
        tally.same("nfsclients", (line[4], "server"), row.server, line[4])
        tally.same("nfsclients", (line[4], "state"), row.state, "ready")


def _audit(dump: OpenDump, account: Account, tally: Tally) -> None:
    told: dict[str, str] = dict(line.split(" ") for line in account["audit"] if " " in line)
    facts = {row.name: row.value for row in dump.table("facts") if row.topic == "audit"}
    for name, ours in (("enabled", {"off": "0", "on": "1"}), ("failure", {"silent": "0", "printed": "1"}),
                       ("lost", {}), ("backlog_limit", {}), ("rate_limit", {"none": "0"})):  # fmt: skip
        word = "audit" if name == "enabled" else f"audit {name.replace('_', ' ')}"
        tally.same("facts", word, ours.get(facts[word], facts[word]), told[name])
    records = list(dump.table("auditrecords"))
    tally.same("auditrecords", "number", str(len(records)), facts["audit backlog"])
    ours_said = [row.text for row in records if "op=lab" in row.text]
    numbers = [int(re.findall(r"number=(\d+)", text)[0]) for text in ours_said]
    tally.same("auditrecords", "in order", numbers, list(range(len(numbers))))
