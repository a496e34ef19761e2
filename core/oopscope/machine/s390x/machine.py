"""What an s390x kernel is, put together of this folder's parts."""

from oopscope.kernel.machine import Assembly, Machine
from oopscope.machine.common import scan
from oopscope.machine.s390x import code, memory, syndromes, unwind

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
    direct_base=memory.direct_base,
    saved_registers=unwind.saved_registers,
    about_register=syndromes.about_register,
    assembly=Assembly(
        arch="sysz",
        modes=("big",),
        syntax=None,
        longest=6,
        target=code.target,
        jumps=code.jumps,
        whole=code.whole,
        stopped_at=code.stopped_at,
        uses="oopscope.machine.s390x.accesses",
        flow=code.FLOW,
    ),
)
