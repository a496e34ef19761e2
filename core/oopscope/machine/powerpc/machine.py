"""What a ppc64 kernel is, put together of this folder's parts."""

from oopscope.kernel.machine import Assembly, Machine
from oopscope.machine.common import irq_counters, scan
from oopscope.machine.powerpc import code, memory, syndromes, unwind

MACHINE = Machine(
    kernel_memory=memory.kernel_memory,
    user_paging=memory.user_paging,
    kernel_from=memory.kernel_from,
    modules=memory.modules,
    in_user=unwind.in_user,
    start_of_cpu=unwind.from_registers,
    start_of_sleeper=unwind.from_sleep,
    unwinder=unwind.unwinder,
    follows_call=code.follows_call,
    call_target=code.call_target,
    stacks_by_cpu=unwind.stacks_by_cpu,
    guess=scan.guess_by_scan,
    saved_registers=unwind.saved_registers,
    irq_counters=irq_counters.powerpc,
    about_register=syndromes.about_register,
    assembly=Assembly(
        arch="ppc",
        modes=("64",),
        syntax=None,
        longest=4,
        target=code.target,
        jumps=code.jumps,
        whole=code.whole,
        uses="oopscope.machine.powerpc.accesses",
        flow=code.FLOW,
    ),
)
