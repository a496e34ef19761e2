"""Locks of files, epoll, watches, io_uring, mounts, file systems, the page cache and dentries, against the guest."""

import re

from life.tally import Account, Tally
from oopscope.api import OpenDump
from oopscope.linux.fsnotify import EVENTS

PAGE = 4096
POLLED = re.compile(r"3 tfd: +(\d+) events: +([0-9a-f]+) data: +([0-9a-f]+)")
INOTIFY = re.compile(r"(\d+) inotify wd:([0-9a-f]+) ino:([0-9a-f]+) sdev:\S+ mask:([0-9a-f]+)")
FANOTIFY = re.compile(r"(\d+) fanotify (?:ino:([0-9a-f]+) sdev:\S+|mnt_id:([0-9a-f]+)) mflags:\S+ mask:([0-9a-f]+)")
POLL_EVENTS = (
    (0x1, "IN"), (0x2, "PRI"), (0x4, "OUT"), (0x8, "ERR"), (0x10, "HUP"), (1 << 30, "ONESHOT"), (1 << 31, "ET"),
)  # fmt: skip
ELSEWHERE = ("mountaddr", "mountvers", "mountport", "mountproto", "local_lock", "addr", "fatal_neterrors")  # of NFS
COMMON = {"rw", "ro", "inode64", "inode32", "attr2"}


def compare(dump: OpenDump, account: Account, tally: Tally) -> None:
    """Compare what the guest told of files."""
    _locks(dump, account, tally)
    watched = {
        int(part.split()[1]): [line.removeprefix("@fdinfo ") for line in lines if line.startswith("@fdinfo ")]
        for part, lines in account.items()
        if part.startswith("task ")
    }
    _polled(dump, watched, tally)
    _watches(dump, watched, tally)
    _rings(dump, watched, tally)
    _mounts(dump, account, tally)
    if "cached" in account:
        _cached(dump, account, tally)
    if "dentry-state" in account:
        ours, told = dump.table("dentries"), int(account["dentry-state"][0].split()[0])
        tally.near("dentries", "in all", sum(row.dentries for row in ours), told, 0.02, 64)


def _locks(dump: OpenDump, account: Account, tally: Tally) -> None:
    told = []
    for line in account["/proc/locks"]:
        words = line.replace("->", "").split()
        end = None if words[7] == "EOF" else int(words[7])
        pid = int(words[4])
        told.append((words[1], words[3], pid if pid > 0 else None, int(words[5].split(":")[2]), int(words[6]), end,
                     "waits" if "->" in line else "held"))  # fmt: skip
    ours = [(row.kind, row.access, row.pid, row.inode, row.start or 0, row.end, row.state)
            for row in dump.table("filelocks")]  # fmt: skip
    tally.same("filelocks", "number", len(ours), len(told))
    for mine, theirs in zip(sorted(ours, key=str), sorted(told, key=str), strict=False):
        for field, one, other in zip(("kind", "access", "pid", "inode", "start", "end", "state"), mine, theirs,
                                     strict=True):  # fmt: skip
            tally.same("filelocks", (theirs, field), one or 0, other or 0)


def _polled(dump: OpenDump, watched: dict[int, list[str]], tally: Tally) -> None:
    for pid, lines in watched.items():
        found = [match for line in lines if (match := POLLED.match(line))]
        rows = {row.watched: row for row in dump.table("epolls") if row.pid == pid}
        tally.same("epolls", (pid, "number"), len(rows), len(found))
        for match in found:
            row = rows.get(int(match[1]))
            if tally.same("epolls", (pid, match[1]), row is not None, True) and row is not None:
                mask = int(match[2], 16)
                tally.same("epolls", (pid, match[1], "events"), set(row.events),
                           {word for bit, word in POLL_EVENTS if mask & bit})  # fmt: skip
                tally.same("epolls", (pid, match[1], "data"), row.data, int(match[3], 16))


def _watches(dump: OpenDump, watched: dict[int, list[str]], tally: Tally) -> None:
    for pid, lines in watched.items():
        rows = [row for row in dump.table("watches") if row.pid == pid]
        found = [(match, "inotify") for line in lines if (match := INOTIFY.match(line))]
        found += [(match, "fanotify") for line in lines if (match := FANOTIFY.match(line))]
        tally.same("watches", (pid, "number"), len(rows), len(found))
        for match, kind in found:
            mask = int(match[4], 16)
            number = int(match[3 if kind == "inotify" else 2] or "0", 16) or None
            row = tally.one("watches", (pid, match[0]), (
                row for row in rows if row.kind == kind and row.fd == int(match[1]) and row.inode == number
                and (kind == "fanotify" or row.watch == int(match[2], 16))))  # fmt: skip
            if row is not None:
                tally.same("watches", (pid, match[0], "events"), set(row.events),
                           {word for bit, word in EVENTS if mask & bit})  # fmt: skip
                tally.same("watches", (pid, match[0], "object"), row.object, "inode" if number else "mount")
    paths = {row.path for row in dump.table("watches") if row.comm == "more-watches"}
    tally.same("watches", "paths", paths >= {"/data/file1", "/data/half", "/tmp", "/data"}, True)


def _rings(dump: OpenDump, watched: dict[int, list[str]], tally: Tally) -> None:
    for pid, lines in watched.items():
        rows = [row for row in dump.table("urings") if row.pid == pid]
        words = {line.split()[1].rstrip(":"): line.split()[2] for line in lines if len(line.split()) > 2}
        names = [line.split()[1].rstrip(":") for line in lines if len(line.split()) > 1]
        told = "SqThread" in names or "UserFiles" in names
        tally.same("urings", (pid, "number"), len(rows), int(told))
        if not rows or not told:
            continue
        row = rows[0]
        for field, ours, theirs in (
            ("submissions", row.submissions, int(words["SqMask"], 16) + 1 if "SqMask" in words else 8),
            ("completions", row.completions, int(words["CqMask"], 16) + 1 if "CqMask" in words else 16),
            ("waiting", row.waiting, int(words["SqTail"]) - int(words["CachedSqHead"]) if "SqTail" in words else 0),
            ("unread", row.unread, int(words["CqTail"]) - int(words["CqHead"]) if "CqTail" in words else 1),
            ("files", row.files, int(words["UserFiles"])),
            ("buffers", row.buffers, int(words["UserBufs"])),
            ("poller", row.poller, int(words["SqThread"]) if words.get("SqThread", "-1") != "-1" else None),
            ("overflow", row.overflow, 0),
            ("dropped", row.dropped, 0),
        ):
            tally.same("urings", (pid, field), ours, theirs)


def _mounts(dump: OpenDump, account: Account, tally: Tally) -> None:
    mounts = {row.target: row for row in dump.table("mounts")}
    systems = {target: row for row in dump.table("filesystems") for target in row.targets}
    lines = [line.split() for line in account["/proc/self/mountinfo"] if " - " in line]
    tally.same("mounts", "number", len(mounts), len(lines))
    for words in lines:
        target, at = words[4], words.index("-")
        mount, system = mounts.get(target), systems.get(target)
        if tally.same("mounts", target, mount is not None, True) and mount is not None:
            tally.same("mounts", (target, "options"), mount.options, words[5])
            tally.same("mounts", (target, "type"), mount.fstype, words[at + 1])
            tally.same("mounts", (target, "source"), mount.source, words[at + 2])
        if tally.same("filesystems", target, system is not None, True) and system is not None:
            told = words[at + 3].split(",")
            tally.same("filesystems", (target, "device"), system.device, words[2])
            tally.same("filesystems", (target, "type"), system.type, words[at + 1])
            tally.same("filesystems", (target, "state"), system.state[:2], told[0])
            own = ",".join(word for word in told if word not in COMMON and not word.startswith(ELSEWHERE))
            ours = system.options
            if ours is not None:
                ours = ",".join(word for word in ours.split(",") if word not in COMMON)
            tally.same("filesystems", (target, "options"), ours if own else "", own)


def _cached(dump: OpenDump, account: Account, tally: Tally) -> None:
    rows = {(row.path, row.size): row for row in dump.table("pagecache")}
    for line in account["cached"]:
        path, pages, size, inode = line.split()
        row = rows.get((path, int(size)))
        if tally.same("pagecache", path, row is not None, True) and row is not None:
            # reading at the end leaves a page beyond it, which mincore() does not see, up to 5.10
            tally.near("pagecache", (path, "bytes"), row.bytes, int(pages) * PAGE, 0, PAGE)
            tally.same("pagecache", (path, "inode"), row.inode, int(inode))
