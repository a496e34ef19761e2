"""The facade over real kernels: names both ways, per-CPU addresses, what is read once; problems, registers, modules."""

from itertools import pairwise
from typing import Any

import pytest

from cases import Case, case_of
from core.kernel.fakes import FakeKernel, Ram
from oopscope.errors import Absent, Implausible, MissingPage, NoSymbol, NoType
from oopscope.kernel import problems
from oopscope.kernel.kernel import Kernel, cpu_mask, online_cpus, per_cpu_offsets, present_cpus
from oopscope.kernel.problems import Problem, Problems
from oopscope.kernel.stack import thread_size
from oopscope.linux.module import ModuleMap, Region, in_text, module_list, orc_for
from oopscope.linux.module_types import module_types, modules_with_types
from oopscope.linux.sched import runqueues
from oopscope.machine.x86_64.stacks import IRQ_STACK_SIZE, cpu_stacks
from oopscope.stacks.registers import registers


class TestNames:
    def test_both_ways(self, case: Case) -> None:
        kernel = case.kernel
        for name in ("panic", "schedule", "vfs_read", "do_exit", "kthread"):
            address = kernel.symbol(name)
            found = kernel.name_of(address + 3)
            assert kernel.symbol(found.symbol) == address  # by this name, or by another of the same place
            assert (found.offset, found.module) == (3, None)

    def test_the_first_name_that_there_is(self, case: Case) -> None:
        kernel = case.kernel
        assert kernel.symbol("never_was", "panic", "vpanic_of_old") == kernel.find_symbol("panic")
        assert kernel.find_symbol("never_was") is None
        with pytest.raises(NoSymbol, match="this kernel has no symbol never_was or never_will_be"):
            kernel.symbol("never_was", "never_will_be")

    def test_of_no_code(self, case: Case) -> None:
        for address in (0, 0x401000, 0x4141414141414141, (1 << 64) - 1):
            assert case.kernel.name_of(address) is None

    def test_in_a_module(self) -> None:
        kernel = case_of("6.1-null").kernel
        frame = next(f for f in case_of("6.1-null").report["cpus"][0]["frames"] if f["module"])
        name = kernel.name_of(int(frame["address"], 16))
        assert (name.symbol, name.offset, name.module) == (frame["symbol"], frame["offset"], "labcrash")
        assert str(name) == "lab_read_balance.isra.0+0x5 [labcrash]"

    def test_text_is_told_from_data(self, case: Case) -> None:
        kernel = case.kernel
        assert in_text(kernel, kernel.symbol("panic"))
        assert orc_for(kernel, kernel.symbol("panic")) is not None
        assert not in_text(kernel, kernel.symbol("init_task"))
        assert not in_text(kernel, 0x401000)
        module = module_list(kernel)[-1]
        assert in_text(kernel, module.regions[0].start)
        assert not in_text(kernel, module.regions[0].start - (1 << 30))


class TestPerCpu:
    def test_the_two_ways_to_a_cpus_task_agree(self, case: Case) -> None:
        """A run queue's curr, and the per-CPU current_task (in pcpu_hot from 6.2 to 6.14)."""
        kernel = case.kernel
        assert present_cpus(kernel) == [0, 1]
        for queue in runqueues(kernel):
            hot = kernel.find_symbol("pcpu_hot")
            if hot is not None:
                at = kernel.per_cpu(hot, queue.cpu) + kernel.types.member("pcpu_hot", "current_task").offset
            else:
                at = kernel.per_cpu("current_task", queue.cpu)
            assert kernel.memory.word(at) == queue.curr

    def test_offsets(self, case: Case) -> None:
        offsets = per_cpu_offsets(case.kernel)
        assert len(set(offsets)) == len(offsets) >= 2
        with pytest.raises(Implausible):
            case.kernel.per_cpu("runqueues", 4000)

    def test_stacks(self, case: Case) -> None:
        stacks = cpu_stacks(case.kernel)
        assert thread_size(case.kernel) == 16384
        assert [s.kind for s in stacks].count("irq") == 2
        assert [s.kind for s in stacks].count("nmi") == 2
        assert all(s.end - s.start in (4096, 8192, IRQ_STACK_SIZE) for s in stacks)
        assert all(s.start % 4096 == s.end % 4096 == 0 for s in stacks)
        ordered = sorted(stacks)
        assert all(a.end <= b.start for a, b in pairwise(ordered))

    def test_masks(self) -> None:
        ram = Ram()
        ram.words(0x1000, 0b1011, 1 << 6)
        ram.put(0x2000, (71).to_bytes(4, "little"))
        ram.words(0x3000, 0x1000)
        kernel = FakeKernel(ram, {"__cpu_present_mask": 0x1000, "nr_cpu_ids": 0x2000})
        assert present_cpus(kernel) == [0, 1, 3, 70]
        old = FakeKernel(ram, {"cpu_online_mask": 0x3000, "nr_cpu_ids": 0x2000})  # a pointer to a mask, before 4.5
        assert online_cpus(old) == [0, 1, 3, 70]
        ram.put(0x2000, (1 << 31).to_bytes(4, "little"))  # a count that no machine has
        ram.put(0x1000, bytes(1024))
        assert cpu_mask(FakeKernel(ram, {"m": 0x1000, "nr_cpu_ids": 0x2000}), "m", "none") == []


def test_what_is_read_is_read_once(case: Case) -> None:
    kernel, asked = case.kernel, []

    def read(_kernel: Kernel) -> object:
        asked.append(1)
        return object()

    assert kernel.cached(read) is kernel.cached(read)
    assert asked == [1]


class TestProblems:
    def test_each_is_kept_once_in_order(self) -> None:
        found = Problems()
        found.add("tasks", "one")
        found.add("log", "two", 0x1000)
        found.add("tasks", "one")
        assert list(found) == [Problem("tasks", "one", None), Problem("log", "two", 0x1000)]
        assert len(found) == 2

    def test_they_are_bounded_and_the_rest_is_counted(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(problems, "MAX_PROBLEMS", 3)
        found = Problems()
        for i in range(10):
            found.add("tasks", str(i))
        assert [p.message for p in found] == ["0", "1", "2", "7 more problems are not listed"]

    def test_an_error_carries_its_address(self) -> None:
        found = Problems()
        found.lost("tasks", "task 7")(MissingPage(0x1234000, "truncated"))
        found.lost("slabs")(NoType("kmem_cache"))
        first, second = found
        assert first.message == "task 7: physical page at 0x1234000 is beyond the end of the file (the dump is cut off)"
        assert (first.address, second.address) == (0x1234000, None)
        assert second.message == "this kernel has no type kmem_cache"


class TestRegisters:
    def test_of_both_cpus_by_the_crash_notes(self, case: Case) -> None:
        found = registers(case.kernel)
        assert set(found) == {0, 1}
        notes = [n for n in case.kernel.dump.notes() if n.name == "CORE" and n.type == 1]
        by_note = [case.kernel.arch.registers(n.desc) for n in notes]
        assert sorted(r["rip"] for r in found.values()) == sorted(r["rip"] for r in by_note)

    def test_the_crash_notes_are_believed_first(self, monkeypatch: Any) -> None:
        """The container's merged notes leave out a CPU that never answered: its n-th note need not be CPU n's."""
        from oopscope.stacks import registers as module

        only_second = {1: {"rip": 0x1234}}
        monkeypatch.setattr(module, "_crash_notes", lambda _kernel, _cpus: only_second)
        assert registers(case_of("6.1-null").kernel) == only_second

    def test_without_crash_notes_the_containers_are_taken_in_order(self, monkeypatch: Any) -> None:
        from oopscope.stacks import registers as module

        kernel = case_of("6.1-null").kernel
        whole = registers(kernel)
        monkeypatch.setattr(module, "_crash_notes", lambda _kernel, _cpus: {})
        assert registers(kernel) == whole

    def test_of_too_few_notes_each_is_whose_it_can_be(self, monkeypatch: Any) -> None:
        from oopscope.boot.attach import open_kernel
        from oopscope.stacks import registers as module

        kernel = open_kernel([case_of("6.1-null").path])
        notes = list(kernel.dump.notes())
        first = next(n for n in notes if n.name == "CORE" and n.type == 1)
        monkeypatch.setattr(module, "_crash_notes", lambda _kernel, _cpus: {})
        monkeypatch.setattr(kernel.dump, "notes", lambda: iter([n for n in notes if n.name != "CORE"] + [first]))
        found = registers(kernel)
        assert list(found) == [0]
        assert found[0] == registers(case_of("6.1-null").kernel)[0]
        said = [p.message for p in kernel.problems]
        assert any(text.startswith("1 CPU notes for 2 CPUs: 1 of them by the stacks") for text in said)


class Loaded:
    """A module as the map sees it."""

    def __init__(self, name: str, *regions: Any) -> None:
        self.name, self.regions = name, [Region(*r) for r in regions]

    def __lt__(self, other: Any) -> Any:
        return self.name < other.name


def test_modules_by_address() -> None:
    """Two modules whose parts lie between each other's."""
    a, b = Loaded("a", (0x1000, 0x1000), (0x9000, 0x10)), Loaded("b", (0x4000, 0x2000))
    found = ModuleMap([a, b])  # type: ignore[list-item]
    assert [found.at(x) for x in (0xFFF, 0x1000, 0x1FFF, 0x2000)] == [None, a, a, None]  # type: ignore[comparison-overlap]
    assert [found.at(x) for x in (0x4000, 0x5FFF, 0x6000, 0x9000, 0x900F, 0x9010)] == [b, b, None, a, a, None]  # type: ignore[comparison-overlap]
    assert ModuleMap([]).at(0x1000) is None


class TestTypesOfModules:
    def test_a_modules_own_and_the_kernels(self) -> None:
        kernel = case_of("6.1-null").kernel
        assert "virtio_blk" in modules_with_types(kernel)
        types = module_types(kernel, "virtio_blk")
        assert types.sizeof("virtio_blk") > 64
        assert types.sizeof("task_struct") == kernel.types.sizeof("task_struct")
        with pytest.raises(NoType):
            kernel.types.sizeof("virtio_blk")

    def test_of_none(self) -> None:
        with pytest.raises(NoType):
            module_types(case_of("6.1-null").kernel, "no_such_module")
        assert modules_with_types(case_of("5.10-sysrq").kernel) == []  # types of modules came with 5.11


def test_once_reads_once_and_again_after_a_failure() -> None:
    from oopscope.kernel.once import once, reader

    asked = []

    @once
    def answer(of: Any) -> Any:
        """Return the answer."""
        asked.append(of)
        if len(asked) == 1:
            raise Absent("not yet")
        return object()

    kernel = Kernel.__new__(Kernel)
    kernel._cached = {}
    with pytest.raises(Absent):
        answer(kernel)
    assert answer(kernel) is answer(kernel) is kernel.cached(answer)
    assert asked == [kernel, kernel]
    kernel.know(answer, 7)
    assert answer(kernel) == 7
    assert reader(answer) is not answer
    assert (answer.__name__, answer.__doc__) == ("answer", "Return the answer.")
