"""The card of each task, against /proc/PID of the guest: status, stat, io, limits, descriptors, namespaces, call."""

import re
from typing import Any

from life.tally import Account, Tally
from oopscope.api import OpenDump
from oopscope.report.card import card_data

STATUS = re.compile(r"(\w+):\t *(.*?) *$")
LIMIT = re.compile(r"Max (\S.*?)\s{2,}(\S+)\s+(\S+)\s*(\S*)$")
LIMITS = {
    "cpu time": "CPU time", "data size": "data", "stack size": "stack", "core file size": "core file",
    "resident set": "resident", "nice priority": "nice", "realtime priority": "real-time priority",
    "realtime timeout": "real-time time", "msgqueue size": "message queues", "file size": "file size",
}  # fmt: skip
ALL_CAPABILITIES = {0x1FFFFFFFFFF, 0xFFFFFFFFFF}
TICKS = 100
GOING = ("more-nfs", "more-nfswait", "dd")  # which send again, or wake to look, while the guest tells
FLAGS = (
    (0o2000, "O_APPEND"), (0o4000, "O_NONBLOCK"), (0o20000, "O_ASYNC"), (0o40000, "O_DIRECT"), (0o2000000, "O_CLOEXEC"),
)  # fmt: skip


def compare(dump: OpenDump, account: Account, tally: Tally) -> None:
    """Compare each task that the guest told of."""
    for part, lines in account.items():
        if part.startswith("task ") and part != "task 1":
            _task(dump, int(part.split()[1]), lines, tally)


def _task(dump: OpenDump, pid: int, lines: list[str], tally: Tally) -> None:
    found = card_data(dump.card("task", pid))
    status = {match[1]: match[2] for line in lines if (match := STATUS.fullmatch(line))}
    told: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("@"):
            word, _, rest = line[1:].partition(" ")
            told.setdefault(word, []).append(rest)
    if not status or not told.get("stat"):
        return
    _status(found, pid, status, tally)
    _rights(found, pid, status, told, tally)
    _signals(found, pid, status, tally)
    _memory(found, pid, status, told, tally)
    _spent(found, pid, status, told, tally)
    _limits(found, pid, told, tally)
    _files(found, pid, told, tally)


def _status(found: Any, pid: int, status: dict[str, str], tally: Tally) -> None:
    task, facts = found["task"], found["facts"]
    for field, ours, theirs in (
        ("name", task["comm"], status["Name"]),
        ("state", task["state"], status["State"][0]),
        ("tgid", task["tgid"], int(status["Tgid"])),
        ("ppid", task["ppid"], int(status["PPid"])),
        ("tracer", found["used"].get("traced_by", 0), int(status["TracerPid"])),
        ("threads", 1 + sum(one["relation"] == "thread" for one in found["family"]), int(status["Threads"])),
        ("inner pid", facts.get("inner_pid", pid), int(status["NSpid"].split()[-1])),
        ("cpus", facts["cpus_allowed"].replace("all", "0-1"), status["Cpus_allowed_list"]),
        ("voluntary", facts["voluntary_switches"], int(status["voluntary_ctxt_switches"])),
        ("involuntary", facts["nonvoluntary_switches"], int(status["nonvoluntary_ctxt_switches"])),
    ):
        if status["Name"] not in GOING or field not in ("voluntary", "involuntary", "cpu"):
            tally.same("task", (pid, field), ours, theirs)


def _rights(found: Any, pid: int, status: dict[str, str], told: dict[str, list[str]], tally: Tally) -> None:
    rights = found["rights"]
    for kind in ("uid", "gid"):
        ours = [rights[f"{of}_{kind}"] for of in ("real", "effective", "saved", "file_system")]
        tally.same("task rights", (pid, kind), ours, [int(word) for word in status[kind.capitalize()].split()])
    tally.same("task rights", (pid, "groups"), rights["groups"], status["Groups"].split())
    for kind, word in (("effective", "Eff"), ("permitted", "Prm"), ("inheritable", "Inh"), ("bounding", "Bnd"),
                       ("ambient", "Amb")):  # fmt: skip
        mask, ours = int(status[f"Cap{word}"], 16), rights[f"{kind}_capabilities"]
        theirs = ["none"] if not mask else ["all"] if mask in ALL_CAPABILITIES else mask.bit_count()
        tally.same("task rights", (pid, word), ours if isinstance(theirs, list) else len(ours), theirs)
    tally.same("task rights", (pid, "no new"), int(rights["no_new_privileges"]), int(status["NoNewPrivs"]))
    tally.same("task rights", (pid, "seccomp"), rights["seccomp"], {"0": "none"}.get(status["Seccomp"]))
    for ours, word in ((rights["login_uid"], "loginuid"), (rights["session"], "sessionid")):
        tally.same("task rights", (pid, word), str(ours).replace("not set", "4294967295"), told[word][0])
    group = next(line.removeprefix("0::") for line in told["cgroup"] if line.startswith("0::"))
    tally.same("task rights", (pid, "cgroup"), found["facts"]["cgroup"], group)
    names = {one["kind"]: str(one["number"]) for one in found["namespaces"]}
    for line in told["ns"]:
        kind, link = line.split(" ", 1)
        if "_for_" not in kind and kind != "pid":  # pid: the namespace of the task; here that of its children
            tally.same("task rights", (pid, "ns", kind), names.get(kind), link[len(kind) + 2 : -1])


def _signals(found: Any, pid: int, status: dict[str, str], tally: Tally) -> None:
    def mask(test: Any) -> int:
        return sum(1 << one["number"] - 1 for one in found["signals"] if test(one))

    for word, test in (
        ("SigPnd", lambda one: "thread" in one["pending"]),
        ("ShdPnd", lambda one: "process" in one["pending"]),
        ("SigBlk", lambda one: one["blocked"]),
        ("SigIgn", lambda one: one["action"] == "ignored"),
        ("SigCgt", lambda one: one["action"] == "handled"),
    ):
        tally.same("task signals", (pid, word), f"{mask(test):016x}", status[word])


def _memory(found: Any, pid: int, status: dict[str, str], told: dict[str, list[str]], tally: Tally) -> None:
    memory = found["memory"]

    def size(word: str) -> int:
        return int(status[word].split()[0]) << 10

    for field, theirs in (
        ("virtual", size("VmSize")), ("locked", size("VmLck")), ("data", size("VmData")), ("stack", size("VmStk")),
        ("code", size("VmExe") + size("VmLib")), ("page_tables", size("VmPTE")), ("swapped", size("VmSwap")),
    ):  # fmt: skip
        tally.same("task memory", (pid, field), memory[f"{field}_bytes"], theirs)
    arguments = (memory["arguments"] or "").replace("|", " ")
    tally.same("task memory", (pid, "arguments"), arguments, told["cmdline"][0].rstrip("|").replace("|", " "))
    environment = (found["environment"] or "").replace("\n", "|")
    tally.same("task memory", (pid, "environment"), environment, told["environ"][0].rstrip("|"))
    exact = next((line.split()[1] for line in told.get("smaps_rollup", ()) if line.startswith("Rss:")), None)
    if exact is not None:  # as the page tables have it; status is behind by what each thread counts for itself
        tally.same("task memory", (pid, "resident"), memory["resident_bytes"], int(exact) << 10)


def _spent(found: Any, pid: int, status: dict[str, str], told: dict[str, list[str]], tally: Tally) -> None:
    used, facts = found["used"], found["facts"]
    stat = told["stat"][0].rpartition(") ")[2].split()
    for field, ours, theirs in (
        ("minor faults", facts["minor_faults"], int(stat[7])),
        ("major faults", facts["major_faults"], int(stat[9])),
        ("nice", facts.get("nice"), int(stat[16]) if "nice" in facts else None),  # none of real-time and deadline tasks
        ("started", int(facts["started"] * TICKS), int(stat[19])),
        ("cpu", found["task"]["cpu"], int(stat[36])),
        (
            "policy",
            {"normal": 0, "FIFO": 1, "RR": 2, "batch": 3, "idle": 5, "deadline": 6}.get(facts["policy"]),
            int(stat[38]),
        ),
        ("timer slack", used["timer_slack_ns"], int(told["timerslack_ns"][0])),
        ("oom", facts["oom_score_adj"], int(told["oom_score_adj"][0])),
    ):
        if status["Name"] not in GOING or field not in ("voluntary", "cpu"):
            tally.same("task", (pid, field), ours, theirs)
    ran, delayed, _ = map(int, told["schedstat"][0].split())
    if status["Threads"] == "1" and status["Name"] not in GOING:
        tally.near("task", (pid, "ran"), used["cpu_time"], ran / 1e9, 0, 1e-9)
        tally.near("task", (pid, "delayed"), used["run_delay"], delayed / 1e9, 0, 1e-9)
    for line in told["io"]:
        word, value = line.split(": ")
        tally.same("task", (pid, word), used.get(f"process_{word}", used[word]), int(value))
    number = int(told["ioprio"][0])
    of_class = {1: "real-time", 2: "best-effort", 3: "idle"}.get(number >> 13)
    tally.same("task", (pid, "ioprio"), used.get("io_priority"), f"{of_class}, {number & 7}" if number >> 13 else None)
    words = told["syscall"][0].split()
    if words[0].isdigit() and found.get("call"):
        call = found["call"]
        tally.same("task call", (pid, "number"), call["number"], int(words[0]))
        tally.same("task call", (pid, "arguments"), call["arguments"], words[1:7])
    else:
        tally.same("task call", (pid, "in none"), bool(found.get("call")), words[0] not in ("-1", "running") and bool(
            status["State"][0] != "t"))  # fmt: skip
    waits = told.get("wchan", ["0"])[0]
    if waits != "0":
        tally.same("task", (pid, "wchan"), (found["task"]["wait"] or "").split(".")[0], waits.split(".")[0])


def _limits(found: Any, pid: int, told: dict[str, list[str]], tally: Tally) -> None:
    ours = {one["name"]: (one["soft"], one["hard"]) for one in found["limits"]}
    for line in told.get("limits", ()):
        if match := LIMIT.match(line.rstrip()):
            tally.same("task limits", (pid, match[1]), ours.get(LIMITS.get(match[1], match[1])), (match[2], match[3]))


def _files(found: Any, pid: int, told: dict[str, list[str]], tally: Tally) -> None:
    ours = {one["fd"]: one for one in found["files"]}
    info: dict[tuple[int, str], str] = {}
    for line in told.get("fdinfo", ()):
        at, key, *rest = line.split(None, 2)
        info.setdefault((int(at), key), rest[0].strip() if rest else "")
    for line in told.get("fd", ()):
        fd, path = int(line.split()[0]), line.split(" ", 1)[1]
        one = ours.get(fd)
        if not tally.same("task files", (pid, fd, "listed"), one is not None, True) or one is None:
            continue
        tally.same("task files", (pid, fd, "path"), (one["path"] or "").removesuffix(" (deleted)"),
                   path.removesuffix(" (deleted)"))  # fmt: skip
        flags, access = int(info[fd, "flags:"], 8), ("O_RDONLY", "O_WRONLY", "O_RDWR")
        words = {access[flags & 3], *(word for bit, word in FLAGS if flags & bit)}
        tally.same("task files", (pid, fd, "flags"), set(one["flags"].split()) - {"O_LARGEFILE"}, words)
        if one["position"] is not None:
            tally.same("task files", (pid, fd, "position"), one["position"], int(info[fd, "pos:"]))
    tally.same("task files", (pid, "number"), len(ours), len(told.get("fd", ())))
