"""Would a crash of this machine be captured? Questions to a host's files, or to a dump, and what each answer means.

It only reads. A host is asked below a root, so that a copy of its files, or a test's, can be asked too.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from oopscope.errors import OopscopeError

if TYPE_CHECKING:
    from oopscope.kernel.kernel import Kernel

State = Literal["good", "bad", "doubt", "told", "unknown"]
MIB = 1 << 20
LEAST_RESERVED = 96 * MIB  # with less, today's distributions' crash kernels run out of memory
LEAST_ROOM = 512 * MIB
MOST = 1 << 16  # bytes of a file that is read
SERVICES = ("kdump.service", "kdump-tools.service")
CONFIGS = ("etc/kdump.conf", "etc/default/kdump-tools", "etc/sysconfig/kdump")
# A setting of /proc/sys/kernel, the variable that holds it in a dump, what it means.
SETTINGS: tuple[tuple[str, str, str], ...] = (
    ("panic", "panic_timeout", "seconds until a reboot after a panic; 0 waits for ever, unless kdump reboots"),
    ("panic_on_oops", "panic_on_oops", "1: an oops ends the machine and is captured; 0: it goes on, damaged"),
    ("panic_on_warn", "panic_on_warn", "1: a warning ends the machine"),
    ("softlockup_panic", "softlockup_panic", "1: a CPU that hangs in the kernel is captured"),
    ("hardlockup_panic", "hardlockup_panic", "1: a CPU that takes no interrupt is captured"),
    ("hung_task_panic", "sysctl_hung_task_panic", "1: a task that is blocked for long ends the machine"),
    ("hung_task_timeout_secs", "sysctl_hung_task_timeout_secs", "how long is long, in seconds; 0: never looked at"),
    ("unknown_nmi_panic", "unknown_nmi_panic", "1: an NMI from a button, IPMI or virsh crashes it, to be captured"),
    ("panic_on_oom", "sysctl_panic_on_oom", "1 or 2: running out of memory ends the machine"),
    ("sysrq", "sysrq_enabled", "1: all of SysRq; else a sum, in which 8 allows a crash by hand"),
)


class Check(NamedTuple):
    """One question: its name, how the answer is, the answer, what it means or what to do."""

    name: str
    state: State
    value: str
    means: str


def _text(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file.read(MOST).decode("utf-8", "replace")
    except OSError:
        return None


def host(root: Path = Path("/")) -> Iterator[Check]:
    """Yield the checks of a host whose files are below a root."""
    yield from _reserved(root)
    yield from _loaded(root)
    yield _service(root)
    target, config = _config(root)
    yield config
    yield _room(root, target)
    yield from _settings(root)
    yield _last(root, target)


def _reserved(root: Path) -> Iterator[Check]:
    line = _text(root / "proc/cmdline") or ""
    wanted = re.findall(r"crashkernel=(\S+)", line)
    size = (_text(root / "sys/kernel/kexec_crash_size") or "").strip()
    if not wanted:
        yield Check("crashkernel=", "bad", "not on the command line",
                    "no memory is kept for a crash kernel: add crashkernel=256M (or auto) and reboot")  # fmt: skip
    else:
        yield Check("crashkernel=", "good", ", ".join(wanted)[:80], "asked for at boot")
    if not size.isdigit():
        yield Check("reserved", "unknown", "not to be read", "/sys/kernel/kexec_crash_size says how much is reserved")
    elif not int(size):
        yield Check("reserved", "bad", "0", "nothing is reserved: the option is missing, or found no room at boot")
    else:
        enough = int(size) >= LEAST_RESERVED
        says = "usual" if enough else "little: the crash kernel may run out of memory and write nothing"
        yield Check("reserved", "good" if enough else "doubt", f"{int(size) // MIB} MiB", says)


def _loaded(root: Path) -> Iterator[Check]:
    loaded = (_text(root / "sys/kernel/kexec_crash_loaded") or "").strip()
    if loaded == "1":
        yield Check("crash kernel", "good", "loaded", "a panic jumps into it")
    elif loaded == "0":
        yield Check("crash kernel", "bad", "not loaded", "the kdump service loads it: systemctl start kdump")
    else:
        yield Check("crash kernel", "unknown", "not to be read", "/sys/kernel/kexec_crash_loaded says so")
    off = (_text(root / "proc/sys/kernel/kexec_load_disabled") or "").strip()
    if off == "1" and loaded != "1":
        yield Check("kexec", "bad", "disabled", "kexec_load_disabled=1 until a reboot: nothing can be loaded")


def _service(root: Path) -> Check:
    for folder in ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"):
        for name in SERVICES:
            if (root / folder / name).exists():
                links = list((root / "etc/systemd/system").glob(f"*.wants/{name}"))
                if links:
                    return Check("service", "good", f"{name}, enabled", "it loads the crash kernel at each boot")
                return Check("service", "doubt", f"{name}, not enabled", f"systemctl enable {name} for the next boot")
    return Check(
        "service", "bad", "none", "install kdump-tools (Debian, Ubuntu) or kexec-tools and kdump (Fedora, RHEL)"
    )


def _config(root: Path) -> tuple[str, Check]:
    """Return where dumps go, and what the configuration says."""
    for name in CONFIGS:
        text = _text(root / name)
        if text is None:
            continue
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        values = {line.split()[0].partition("=")[0]: line for line in lines}
        pairs = [re.split(r"[\s=]+", values[key]) for key in ("path", "KDUMP_COREDIR") if key in values]
        path = next((pair[1].strip('"') for pair in pairs if len(pair) > 1), "/var/crash")
        level = next((found[1] for line in lines if (found := re.search(r"-d\s*(\d+)", line))), None)
        afar = next((key for key in ("nfs", "ssh", "NFS", "SSH") if key in values), "")
        words = f"/{name}: to {afar + ' ' if afar else ''}{path}" + (f", dump level {level}" if level else "")
        if level is not None and int(level) & 16 == 0:
            return path, Check(
                "configuration", "doubt", words, "free pages are saved too: dumps are larger than needed"
            )
        return path, Check("configuration", "good", words, "what the crash kernel will do")
    return "/var/crash", Check("configuration", "doubt", "none found", f"one of /{', /'.join(CONFIGS)} is usual")


def _room(root: Path, target: str) -> Check:
    import shutil

    folder = root / target.lstrip("/")
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return Check("room", "doubt", f"no {target}", "the crash kernel needs a folder to write to")
    memory = re.search(r"MemTotal:\s+(\d+) kB", _text(root / "proc/meminfo") or "")
    wanted = max(LEAST_ROOM, int(memory[1]) * 1024 // 8) if memory else LEAST_ROOM
    says = "enough for a filtered dump" if free >= wanted else f"about {wanted // MIB:,} MiB are wise for this memory"
    return Check("room", "good" if free >= wanted else "bad", f"{free // MIB:,} MiB free in {target}", says)


def _settings(root: Path) -> Iterator[Check]:
    for name, _, means in SETTINGS:
        folder = "vm" if name == "panic_on_oom" else "kernel"
        value = (_text(root / "proc/sys" / folder / name) or "").strip()
        if value:
            yield Check(name, _judged(name, value), value[:20], means)


def _judged(name: str, value: str) -> State:
    """Return how a setting is for who wants dumps: only what loses them is doubtful."""
    if name in ("panic_on_oops", "unknown_nmi_panic"):
        return "good" if value == "1" else "doubt"
    if name == "sysrq":
        return "good" if value.isdigit() and (int(value) == 1 or int(value) & 8) else "doubt"
    return "told"


def _last(root: Path, target: str) -> Check:
    folder = root / target.lstrip("/")
    try:
        found = sorted((path for path in folder.glob("*") if path.is_dir()), key=lambda path: path.name)[-1:]
        names = [path.name for path in folder.glob("*/*")][:1000]
    except OSError:
        return Check("last dumps", "unknown", f"{target} cannot be read", "try again with sudo")
    whole = [name for name in names if "vmcore" in name or name.startswith("dump.")]
    unfinished = [name for name in names if "incomplete" in name]
    if not found:
        return Check("last dumps", "told", "none", "a test: echo c > /proc/sysrq-trigger (it crashes this machine)")
    state: State = "bad" if unfinished else "good" if whole else "doubt"
    says = "some are not complete: room or memory ran out" if unfinished else f"oopscope {target} shows them"
    return Check("last dumps", state, f"{len(whole):,}, the last of {found[0].name[:40]}", says)


def dump(kernel: "Kernel") -> Iterator[Check]:
    """Yield the same questions of the machine that a dump is of."""
    facts = kernel.facts
    state: State = "good" if facts.complete else "bad"
    yield Check("dump", state, "complete" if facts.complete else "not complete", "whether its writer got to the end")
    if facts.dump_level is not None:
        yield Check("dump level", "told", str(facts.dump_level), "what was left out: oopscope explain dump level")
    line = _command_line(kernel)
    wanted = re.findall(r"crashkernel=(\S+)", line or "")
    if line is None:
        yield Check("crashkernel=", "unknown", "not to be read", "the command line is not in the dump")
    elif wanted:
        yield Check("crashkernel=", "good", ", ".join(wanted)[:80], "asked for at boot")
    else:
        yield Check(
            "crashkernel=", "doubt", "not on the command line", "this dump was taken from outside, or by fadump"
        )
    image = _variable(kernel, "kexec_crash_image", kernel.memory.word_size)
    if image is not None:
        yield Check("crash kernel", "good" if image else "doubt", "loaded" if image else "not loaded",
                    "whether a panic could be captured by the machine itself")  # fmt: skip
    for name, symbol, means in SETTINGS:
        value = _variable(kernel, symbol, 4)
        if value is not None:
            signed = value - (value >> 31 << 32)
            yield Check(name, _judged(name, str(signed)), str(signed), means)


def _command_line(kernel: "Kernel") -> str | None:
    from oopscope.linux.system import the_system

    try:
        return the_system(kernel).command_line
    except OopscopeError:
        return None


def _variable(kernel: "Kernel", name: str, size: int) -> int | None:
    try:
        address = kernel.find_symbol(name)
        if address is None:
            return None
        order: Literal["little", "big"] = "little" if kernel.arch.word.format[0] == "<" else "big"
        return int.from_bytes(kernel.memory.read(address, size), order)
    except OopscopeError:
        return None
