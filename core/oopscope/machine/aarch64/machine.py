"""What an arm64 kernel is, put together of this folder's parts."""

from oopscope.kernel.machine import Assembly, Machine
from oopscope.machine.aarch64 import code, memory, registers, space, stacks, unwind
from oopscope.machine.common import scan

MACHINE = Machine(
    kernel_memory=memory.kernel_memory,
    user_paging=memory.user_paging,
    kernel_from=space.kernel_from,
    modules=space.modules,
    in_user=registers.in_user,
    start_of_cpu=unwind.from_registers,
    start_of_sleeper=unwind.from_sleep,
    unwinder=unwind.unwinder,
    follows_call=code.follows_call,
    call_target=code.call_target,
    stacks_by_cpu=stacks.stacks_by_cpu,
    guess=scan.guess_by_scan,
    saved_registers=registers.saved_registers,
    direct_base=space.direct_base,
    address_space=space.address_space,
    about_register=registers.about_register,
    assembly=Assembly(
        arch="arm64",
        modes=(),
        syntax=None,
        longest=4,
        target=code.target,
        jumps=code.jumps,
        whole=code.whole,
        uses="oopscope.machine.aarch64.accesses",
        flow=code.FLOW,
    ),
)
