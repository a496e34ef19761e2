"""How the reports of a kernel begin, in the kernel's own words, as data: a line of a table for each wording.

`HEADINGS` has a line for each first line that a report may have: the kind of report, the literal words that the line
begins with, and a pattern with what else it must be (its named groups are read by klog.detail). What prefixes of a
subsystem (`watchdog: `, `rcu: `, `traps: `) may stand before is in the words themselves. `FAMILIES` says of which
kind headings of one report may follow each other: an oops has its fault line, its BUG line and its die line.

Follows arch/*/kernel/{traps,dumpstack,process}.c, arch/*/mm/fault.c, kernel/{panic,watchdog,hung_task,workqueue}.c,
kernel/rcu/tree_stall.h, mm/{oom_kill,slub,page_alloc}.c, mm/kasan, mm/kfence, lib/ubsan.c, from 2.6.9 to 7.2.
"""

import re
from typing import Literal, NamedTuple

from oopscope.klog.machines import DIED, DIES, FIRSTS
from oopscope.lazy_re import lazy_re

Kind = Literal[
    "oops",  # a fault, BUG or trap of the kernel: what die() prints
    "warning",  # WARN_ON and its kin
    "complaint",  # a check's words before the BUG or WARNING that it ends in
    "memory-error",  # KASAN, KFENCE, KMSAN: a report with a header of its own
    "race",  # KCSAN
    "undefined",  # UBSAN
    "slab",  # SLUB's own checks
    "bad-page",
    "atomic",  # scheduling while atomic, sleeping function
    "lockdep",
    "soft-lockup",
    "hard-lockup",
    "rcu-stall",
    "hung-task",
    "workqueue-lockup",
    "oom",
    "filesystem",  # a file system that found itself damaged, or gives up
    "assertion",  # a module's own, which may panic, or only stop its thread
    "panic",
    "sysrq",
    "hardware",  # machine checks, GHES, AER, EDAC, NMIs of the hardware
    "serror",
    "backtrace",  # the stack of another CPU or of a task, that another report asked for
    "stack",  # a stack that nothing introduces
]


class Heading(NamedTuple):
    """One wording: the kind of report, the words that the line begins with, and a pattern of the line, or None."""

    kind: Kind
    begins: str
    pattern: re.Pattern[str] | None = None


def _h(kind: Kind, begins: str, rest: str | None = None) -> Heading:
    return Heading(kind, begins, lazy_re(re.escape(begins) + rest) if rest is not None else None)


_FAULTS = (
    _h("oops", "kernel BUG at "),
    _h("oops", "Kernel BUG at "),
    _h("oops", "Oops: ", r"[0-9a-f]{4,16}(?![0-9a-z])"),  # also where the line is cut off behind it
    _h("oops", "CFI failure "),
    _h("oops", "usercopy: Kernel memory "),
    _h("oops", "KASAN: ", r"(?:null-ptr-deref|user-memory-access|probably|maybe)"),
    *(_h("oops", first.words, first.rest or None) for first in FIRSTS),
)
# What die() prints last of its first lines: the name, the error code, which oops of this boot it is.
_NAMES = (*DIED, r"Oops: Oops", r"Oops: (?![0-9a-f]{4,16}\b)[\w -]+", r"Oops(?: - [\w -]+)?")
DIE = lazy_re(
    rf"(?P<name>{'|'.join(_NAMES)})(?:: (?P<code>[0-9a-f]{{1,16}}))?(?:[ :,][^\[]*)?\[#(?P<count>\d{{1,7}})\]"
)
_DIES = tuple(_h("oops", words) for words in ("Oops", *DIES))
_CHECKS = (
    _h("memory-error", "BUG: KASAN: "),
    _h("memory-error", "BUG: KFENCE: "),
    _h("memory-error", "BUG: KMSAN: "),
    _h("race", "BUG: KCSAN: "),
    _h("undefined", "UBSAN: "),
    _h("slab", "BUG ", r"\S.{0,40}: Objects remaining"),
    _h("slab", "BUG ", r"\S.{0,80}\((?:Tainted|Not tainted)[^)]*\): "),
    _h("bad-page", "BUG: Bad page "),
    _h("bad-page", "BUG: Bad rss-counter"),
    _h("atomic", "BUG: scheduling while atomic"),
    _h("atomic", "scheduling while atomic: "),
    _h("atomic", "BUG: sleeping function called from invalid context"),
    _h("atomic", "BUG: spinlock "),
    _h("atomic", "BUG: rwlock "),
    _h("warning", "BUG: workqueue leaked"),
    _h("workqueue-lockup", "BUG: workqueue lockup"),
    _h("warning", "WARNING: ", r"(?:\[.{1,200}\] )?(?:CPU: \d+ PID: \d+ )?(?:at )?\S+:\d+"),
    _h("warning", "WARNING: at "),
    _h(
        "lockdep",
        "WARNING: ",
        r"(?:possible|inconsistent|suspicious|bad unlock|held lock|lock held|[nN]ested lock|"
        r".{1,40}still has locks held|\S+ -> \S+ lock order|\S+ lock )",
    ),
    _h("lockdep", "INFO: ", r"(?:possible |suspicious RCU|trying to register non-static key)"),
    _h("lockdep", "[ INFO: "),  # up to 4.10
    _h("lockdep", "[ BUG: "),
    _h("lockdep", "BUG: ", r"(?:Invalid wait context|bad unlock|held lock|lock held|still has locks)"),
    _h("complaint", "refcount_t: "),
    _h("complaint", "refcount_t hit zero at "),  # x86 with ARCH_HAS_REFCOUNT, up to 5.5
    _h("complaint", "list_add "),
    _h("complaint", "list_del "),
    _h("complaint", "slab: "),
    _h("complaint", "skbuff: skb_"),
    _h("complaint", "kobject: "),
    _h("complaint", "cache_from_obj: "),
    _h("complaint", "detected buffer overflow in "),
    _h("complaint", "usercopy: "),
    _h("complaint", "Bad or missing usercopy"),
)
_HANGS = (
    *(_h("soft-lockup", f"{prefix}BUG: soft lockup - CPU#") for prefix in ("watchdog: ", "NMI watchdog: ", "")),
    *(_h("hard-lockup", f"{prefix}Watchdog detected hard LOCKUP") for prefix in ("watchdog: ", "NMI watchdog: ", "")),
    _h("hard-lockup", "watchdog: CPU ", r"\d+ (?:Hard LOCKUP|detected hard LOCKUP|self-detected hard LOCKUP)"),
    _h("hard-lockup", "watchdog: CPU", r"\d+: Watchdog detected hard LOCKUP"),  # 6.15
    _h("hard-lockup", "Watchdog CPU:", r"\d+ Hard LOCKUP"),
    _h("hard-lockup", "watchdog: BUG: hard lockup"),
    *(_h("rcu-stall", f"{prefix}INFO: ", r"\w+ (?:self-)?detected (?:expedited )?stall") for prefix in ("rcu: ", "")),
    _h("rcu-stall", "rcu: rcu_", r"\w+ kthread (?:starved|timer wakeup)"),
    _h("hung-task", "INFO: task ", r".+ blocked (?:in I/O wait )?(?:for more than|on an? )"),
    _h("hung-task", "INFO: task ", r".+ (?:is blocked on a|can't die for more than)"),
)
_FILE_SYSTEMS = (
    _h(
        "filesystem",
        "XFS (",
        r"[^)]{1,40}\): (?:Internal error |Corruption (?:of in-memory data|detected)|Metadata (?:CRC error|corruption) "
        r"detected|[Mm]etadata I/O [Ee]rror|I/O Error Detected|Log I/O [Ee]rror|Filesystem has been shut down)",
    ),
    *(_h("filesystem", f"EXT{n}-fs error (") for n in (2, 3, 4)),
    _h("filesystem", "Aborting journal on device"),
    _h("filesystem", "BTRFS critical (", r"[^)]{1,60}\): (?:corrupt|unable to|.*(?:leaf|node|tree) )"),
    _h("filesystem", "BTRFS error (", r"[^)]{1,60}\) in \S+:\d+: errno=|[^)]{1,60}\): parent transid verify failed"),
    _h("filesystem", "BTRFS: error (", r"[^)]{1,60}\) in \S+:\d+: errno="),
    _h("filesystem", "BTRFS: Transaction aborted"),
    _h("filesystem", "F2FS-fs (", r"[^)]{1,40}\): (?:inconsistent|.*Stopped filesystem due to)"),
)
_ENDS = (
    _h("assertion", "VERIFY", r"\w*\(.*\) failed"),  # OpenZFS
    _h("assertion", "ASSERT", r"\w*\(.*\) failed"),
    _h("assertion", "PANIC at ", r"[\w.-]+:\d+:\w+\(\)"),
    _h("assertion", "SPLError: "),  # up to 0.6.2
    _h("panic", "Kernel panic"),
    _h("panic", "kernel panic - not syncing"),
    _h("sysrq", "sysrq: "),
    _h("sysrq", "SysRq : "),
    _h("hardware", "mce: [Hardware Error]"),
    _h("hardware", "mce: CPUs not responding"),
    _h("hardware", "[Hardware Error]"),
    _h("hardware", "{", r"\d+\}\[Hardware Error\]"),
    _h("hardware", "CPU ", r"\d+: Machine Check"),
    _h("hardware", "HARDWARE ERROR"),
    _h("hardware", "NMI: IOCK error"),
    _h("hardware", "NMI: PCI system error"),
    _h("hardware", "NMI: Memory"),
    _h("hardware", "Uhhuh. NMI received"),
    _h("serror", "SError Interrupt on CPU"),
    _h("serror", "Bad mode in Error handler"),
    _h("backtrace", "NMI backtrace for cpu "),
    _h("backtrace", "task:", r".{1,64}? +state:"),
    _h("backtrace", "Sending NMI"),
    _h("backtrace", "Task dump for CPU "),
    _h("backtrace", "Showing all locks held"),
    _h("backtrace", "Showing busy workqueues"),
)
# What nothing above knows by name.
# `BUG: memory leak` is a program's, who read what kmemleak found.
_OTHERS = (_h("warning", "BUG: ", r"(?!memory leak)"), _h("warning", "WARNING: kernel stack "))
HEADINGS: tuple[Heading, ...] = (*_FAULTS, *_CHECKS, *_HANGS, *_FILE_SYSTEMS, *_ENDS, *_DIES, *_OTHERS)
OOM = lazy_re(
    r"(?P<comm>.{1,16}?) invoked oom-killer: |Out of memory(?: and no killable| \(|: )|Memory cgroup out of memory"
)

KEY = 4  # characters by which a line's wordings are found
_BY_KEY: dict[str, list[Heading]] = {}
for _heading in HEADINGS:
    _BY_KEY.setdefault(_heading.begins[:KEY], []).append(_heading)
SHORT = tuple(h for h in HEADINGS if len(h.begins) < KEY)
WORDS = {key: tuple(found) for key, found in _BY_KEY.items() if len(key) == KEY}
for _key in WORDS:  # words shorter than a key stand under every key that begins so
    WORDS[_key] += tuple(h for h in SHORT if _key.startswith(h.begins))


def heading_of(text: str) -> Heading | None:
    """Return the wording with which a report begins in this line; None for any other line."""
    for heading in WORDS.get(text[:KEY], SHORT):
        if text.startswith(heading.begins) and (heading.pattern is None or heading.pattern.match(text)):
            return heading if heading not in _DIE_SET or DIE.match(text) else None
    if "invoked oom-killer" in text or text.startswith(("Out of memory", "Memory cgroup out")):
        return _OOM if OOM.match(text) else None
    return None


_DIE_SET = frozenset(_DIES)
_OOM = _h("oom", "")
