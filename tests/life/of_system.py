"""sysctl, modules, hooks, consoles, IPC, BPF and timers, against what the guest told."""

import re

from life.tally import Account, Tally
from oopscope.api import OpenDump

# What goes on, or is another's in the process that reads it.
CHANGING = re.compile(
    r"kernel\.printk$|hung_task_warnings|dentry-state|inode-nr|inode-state|file-nr|random\.|ns_last_pid|aio-nr|pty\.nr|sched_domain|stack_erasing"
    r"|\.vs\.|loadavg|conntrack_count|keys\.|perf_event_max_sample_rate|perf_cpu_time|tcp_fastopen_key"
)
HOOKED = re.compile(r"[0-9a-f]+ +(\w+) +(\S+)\+0x0")


def compare(dump: OpenDump, account: Account, tally: Tally) -> None:
    """Compare what the guest told of the system."""
    _settings(dump, account, tally)
    _modules(dump, account, tally)
    _hooks(dump, account, tally)
    _ipc(dump, account, tally)
    _bpf(dump, account, tally)
    _timers(dump, account, tally)
    words = account["/proc/consoles"][0].split()
    row = tally.one("consoles", words[0], (row for row in dump.table("consoles") if row.name == words[0]))
    if row is not None:
        tally.same("consoles", "enabled", "enabled" in row.flags, "E" in " ".join(words[2:]))


def _settings(dump: OpenDump, account: Account, tally: Tally) -> None:
    ours = {row.name: row.value for row in dump.table("sysctls")}
    told: dict[str, list[str]] = {}
    for line in account["sysctl"]:
        name, _, value = line.partition(" = ")
        told.setdefault(name.replace("/", "\0").replace(".", "/").replace("\0", "."), []).append(value.strip())
    for name, values in told.items():
        if CHANGING.search(name):
            continue
        if tally.same("sysctls", name, name in ours, True):
            value = ours[name]
            tally.same("sysctls", (name, "value"), None if value is None else value.strip().split("\n"), values)


def _modules(dump: OpenDump, account: Account, tally: Tally) -> None:
    ours = {row.name: row for row in dump.table("modules")}
    lines = [words for line in account["/proc/modules"] if len(words := line.split()) > 5]
    tally.same("modules", "names", set(ours), {words[0] for words in lines})
    for words in lines:
        if row := ours.get(words[0]):
            users = {one for one in words[3].split(",") if one and one != "-" and not one.startswith("[")}
            taint = words[6].strip("()") if len(words) > 6 else ""
            for field, mine, theirs in (
                ("size", row.size_bytes, int(words[1])), ("refcount", row.refcount, int(words[2])),
                ("users", set(row.used_by), users), ("address", row.address, int(words[5], 16)),
                ("state", row.state, words[4].lower()), ("taint", row.taint, taint),
            ):  # fmt: skip
                tally.same("modules", (words[0], field), mine, theirs)


def _hooks(dump: OpenDump, account: Account, tally: Tally) -> None:
    rows = dump.table("hooks")
    for line in account["/sys/kernel/debug/kprobes/list"]:
        if match := HOOKED.match(line):
            tally.one("hooks", line, (row for row in rows if row.kind == "kprobe" and row.where == match[2]))
    for line in account["/sys/kernel/tracing/enabled_functions"]:
        name = line.split()[0]
        tally.same("hooks", ("ftrace", name), any(row.kind == "ftrace" and name in re.split(r", ", row.where)
                                                  for row in rows), True)  # fmt: skip
    for line in account["klp"]:
        if line.endswith(" 1 0"):
            module = line.split()[0]
            patched = any(row.module == module and row.state == "patched" for row in rows if row.kind == "live patch")
            tally.same("hooks", ("live patch", line), patched, True)


def _ipc(dump: OpenDump, account: Account, tally: Tally) -> None:
    rows = dump.table("ipc")
    first = rows[0].namespace if rows else None
    columns = {
        "shm": ("shared memory", {"perms": 2, "bytes": 3, "entries": 6, "pid": 4}),
        "sem": ("semaphores", {"perms": 2, "entries": 3}),
        "msg": ("messages", {"perms": 2, "bytes": 3, "entries": 4, "pid": 5}),
    }
    for part, (kind, fields) in columns.items():
        for line in account[f"/proc/sysvipc/{part}"][1:]:
            words = line.split()
            here = (row for row in rows if row.kind == kind and row.namespace == first)
            row = tally.one("ipc", (kind, words[1]), (row for row in here if row.id == int(words[1])))
            if row is not None:
                tally.same("ipc", (kind, words[1], "key"), int(row.key, 16), int(words[0]) & 0xFFFFFFFF)
                for field, at in fields.items():
                    told = (
                        words[at][-3:] if field == "perms" else int(words[at])
                    )  # the flags SHM_DEST, SHM_LOCKED before
                    tally.same("ipc", (kind, words[1], field), getattr(row, field), told)
    for line in account["mq"]:
        if match := re.match(r"mq (\S+) QSIZE:(\d+)", line):
            row = tally.one(
                "ipc", match[1], (row for row in rows if row.kind.startswith("POSIX") and row.key == f"/{match[1]}")
            )
            if row is not None:
                tally.same("ipc", (match[1], "bytes"), row.bytes, int(match[2]))


def _bpf(dump: OpenDump, account: Account, tally: Tally) -> None:
    programs = {row.id: row for row in dump.table("bpf")}
    maps = {row.id: row for row in dump.table("bpfmaps")}
    kinds = {1: "socket filter", 2: "kprobe", 6: "xdp"}
    types = {1: "hash", 2: "array", 27: "ringbuf"}
    for part, lines in account.items():
        if not part.startswith("bpf "):
            continue
        words = {line.split()[2].rstrip(":"): line.split()[3] for line in lines if line.startswith("fd ")
                 and len(line.split()) > 3}  # fmt: skip
        if "map_id" in words and (row := maps.get(int(words["map_id"]))):
            for field, mine, theirs in (
                ("type", row.type, types[int(words["map_type"])]), ("key", row.key_size, int(words["key_size"])),
                ("value", row.value_size, int(words["value_size"])), ("most", row.most, int(words["max_entries"])),
            ):  # fmt: skip
                tally.same("bpfmaps", (row.name, field), mine, theirs)
            if row.type == "hash":
                tally.same("bpfmaps", (row.name, "entries"), row.entries, 7)  # as guest.c puts in
        elif "prog_tag" in words:
            row = tally.one("bpf", words["prog_tag"], (
                row for row in programs.values()
                if row.tag == words["prog_tag"] and row.type == kinds[int(words["prog_type"])]))  # fmt: skip
            if row is not None:
                tally.same("bpf", (row.name, "compiled"), row.compiled is not None, words["prog_jited"] == "1")
                tally.same("bpf", (row.name, "bytes"), row.bytes, int(words["memlock"]))
    tally.same("bpfmaps", "number", len(maps), sum(
        part.startswith("bpf ") and "map_id" in " ".join(lines) for part, lines in account.items()))  # fmt: skip
    names = {f"bpf_prog_{row.tag}_{row.name}" for row in programs.values()}
    told = {line.split()[3] for lines in account.values() for line in lines
            if line.startswith("@bpf ") and line.endswith("[bpf]") and "bpf_prog_" in line}  # fmt: skip
    tally.same("bpf", "names", names >= told and bool(names), True)


def _timers(dump: OpenDump, account: Account, tally: Tally) -> None:
    rows = [row for row in dump.table("timers") if row.kind != "timer"]
    now, name = 0, ""
    for line in account["/proc/timer_list"]:
        if match := re.match(r"now at (\d+)", line):
            now = int(match[1])
        elif match := re.match(r" #\d+: <\S+>, (\S+?),", line):
            name = match[1]
        elif name and (match := re.match(r" # expires at \d+-(\d+) nsecs", line)):
            if int(match[1]) > now + 300_000_000_000:  # far ahead: it is still there
                due = [row.expires for row in rows if row.function.split(" ")[0] == name]
                tally.same("timers", (name, match[1]), int(match[1]) in due, True)
            name = ""
