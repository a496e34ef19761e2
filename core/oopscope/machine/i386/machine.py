"""What an i386 kernel is, put together of this folder's parts."""

from oopscope.kernel.machine import Assembly, Machine
from oopscope.machine.common import irq_counters, scan, x86_code, x86_operands, x86_registers
from oopscope.machine.i386 import memory, space, stacks, unwind

MACHINE = Machine(
    kernel_memory=memory.kernel_memory,
    user_paging=memory.user_paging,
    kernel_from=space.kernel_from,
    modules=space.modules,
    in_user=unwind.in_user,
    start_of_cpu=unwind.from_registers,
    start_of_sleeper=unwind.from_sleep,
    unwinder=unwind.unwinder,
    follows_call=x86_code.follows_call,
    call_target=x86_code.call_target,
    stacks_by_cpu=stacks.stacks_by_cpu,
    guess=scan.guess_by_scan,
    irq_counters=irq_counters.x86,
    about_register=x86_registers.about_register,
    assembly=Assembly(
        arch="x86",
        modes=("32",),
        syntax="att",
        longest=15,
        target=x86_code.target,
        jumps=x86_code.jumps,
        whole=x86_operands.whole_32,
        per_cpu=x86_code.per_cpu,
        shown=x86_code.shown,
        reckon=x86_operands.reckon,
        flow=x86_operands.FLOW,
    ),
)
