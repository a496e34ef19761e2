"""What a CPU was in, beyond what stopped it: on stacks in words, and on the stored dumps."""

import pytest

from cases import Case
from oopscope.kernel.frame import Frame
from oopscope.stacks.cpus import all_cpus
from oopscope.stacks.standing import interrupted_in, stood_in


def stack(*names: str) -> list[Frame]:
    return [
        Frame(0x1000 + n, name, 0, None, "user" if name == "program" else "task", True) for n, name in enumerate(names)
    ]


@pytest.mark.parametrize(("names", "stood", "interrupted"), [
    (("stop_this_cpu", "__sysvec_reboot", "asm_sysvec_reboot", "pv_native_safe_halt", "do_idle"),
     "pv_native_safe_halt", "pv_native_safe_halt"),
    (("stop_this_cpu", "__sysvec_reboot", "asm_sysvec_reboot", "program"), None, None),
    (("delay_tsc", "panic", "watchdog_timer_fn", "__hrtimer_run_queues", "asm_sysvec_apic_timer_interrupt", "spin"),
     "spin", "spin"),
    (("broken", "call_timer_fn", "asm_sysvec_apic_timer_interrupt", "native_safe_halt"), "broken", "native_safe_halt"),
    (("__crash_kexec", "panic", "init_of_module"), "init_of_module", None),
    (("__crash_kexec", "panic"), "__crash_kexec", None),
    ((), None, None),
])  # fmt: skip
def test_where_a_cpu_stood(names: tuple[str, ...], stood: str | None, interrupted: str | None) -> None:
    frames = stack(*names)
    assert getattr(stood_in(frames), "symbol", None) == stood
    assert getattr(interrupted_in(frames), "symbol", None) == interrupted


@pytest.mark.parametrize(("name", "cpu", "stood"), [
    ("5.10-softlockup", 1, "lab_spin_forever"), ("6.1-irq", 0, "lab_read_balance.isra.0"),
    ("6.12-nmi", 0, "pv_native_safe_halt"),
])  # fmt: skip
def test_on_a_real_dump(name: str, cpu: int, stood: str) -> None:
    frames = next(one.frames for one in all_cpus(Case(name).kernel) if one.cpu == cpu)
    found = stood_in(frames)
    assert found is not None and found.symbol == stood
