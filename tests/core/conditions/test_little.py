"""Kernels without types, and dumps without registers: what can be said is said, the rest in one problem a section."""

from collections import Counter
from collections.abc import Iterator

import pytest

from builders.altered import Altered, stored
from oopscope.boot.attach import attach
from oopscope.dumps import Note
from oopscope.errors import NoTypes
from oopscope.kernel.kernel import Kernel
from oopscope.report.build import build
from oopscope.stacks import registers
from oopscope.stacks.cpus import all_cpus, panic_cpu, said
from oopscope.structs.layout import Types

SECTIONS = ("dump", "system", "verdict", "cpus", "tasks", "meminfo", "zones", "slabs", "modules", "mounts", "log")


def whole(name: str) -> Kernel:
    return attach(stored(name), lambda _text: None)


def untyped(name: str) -> Kernel:
    def no_btf() -> object:
        raise NoTypes

    kernel = whole(name)
    kernel.types_from = lambda: Types(no_btf)
    return kernel


@pytest.mark.parametrize("name", ["6.1-null.kdump", "7.2-sysrq.kdump", "5.10-sysrq.kdump", "6.12-nmi.kdump"])
def test_without_types(name: str) -> None:
    with_types, without = build(whole(name), SECTIONS), build(untyped(name), SECTIONS)
    for key in ("nodename", "release", "version", "machine", "crash_time", "load_average", "memory_bytes", "taint"):
        assert without["system"][key] == with_types["system"][key], key
    assert without["log"] == with_types["log"]
    assert without["verdict"]["cause"] == with_types["verdict"]["cause"]
    assert without["verdict"]["panic_message"] == with_types["verdict"]["panic_message"]
    assert len(without["cpus"]) == len(with_types["cpus"])
    first, known = without["cpus"][0], with_types["cpus"][0]
    assert (first["cpu"], first["state"], first["pid"], first["comm"]) == tuple(
        known[key] for key in ("cpu", "state", "pid", "comm")
    )
    assert first["frames"]
    sections = Counter(p["section"] for p in without["problems"] if "no types" in p["message"])
    assert sections["tasks"] == sections["mounts"] == sections["slabs"] == 1
    assert max(sections.values()) <= 2


def test_the_culprit_of_a_module_is_named_by_the_log() -> None:
    found = build(untyped("6.1-null.kdump"), ("verdict",))["verdict"]
    known = build(whole("6.1-null.kdump"), ("verdict",))["verdict"]
    assert (found["symbol"], found["module"]) == (known["symbol"], known["module"])


class NoRegisters(Altered):
    """A dump whose container tells of no CPU."""

    def notes(self) -> Iterator[Note]:
        return (note for note in super().notes() if note.name == "VMCOREINFO")


def test_without_registers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The frames of a running task are found in its stack, each marked as a guess."""
    name = "6.1-null.kdump"
    monkeypatch.setattr(registers, "_crash_notes", lambda _kernel, _cpus: {})
    kernel = attach(NoRegisters(stored(name)), lambda _text: None)
    first = all_cpus(kernel)[0]
    assert first.cpu == panic_cpu(kernel)
    names = [f.symbol for f in first.frames]
    assert {"do_one_initcall", "entry_SYSCALL_64_after_hwframe"} <= set(names)
    assert any(f.module == "labcrash" for f in first.frames)
    assert not any(f.reliable for f in first.frames)
    assert any("a guess" in p.message for p in kernel.problems)


def test_who_died_by_the_log() -> None:
    for name, cpu, pid, comm in (("6.1-null.kdump", 1, 238, "insmod"), ("7.2-sysrq.kdump", 0, 1, "init")):
        last = said(whole(name))[0]
        assert (last.pid, last.comm) == (pid, comm)
        assert last.cpu == cpu == panic_cpu(whole(name))
