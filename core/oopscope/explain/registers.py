"""What registers are for, on x86_64, in the kernel's calling convention."""

from oopscope.explain import Text

_ARGUMENT = "In a call it carries an argument, and it need not survive it: deeper in a function it may hold anything."
_KEPT = "Called functions must preserve it: mostly a pointer or a count that a function uses throughout."

TEXTS: dict[str, Text] = {
    "rip": Text(
        "The instruction pointer: what the CPU executed. Where it lies in no function, something was called or "
        "returned to that is no code."
    ),
    "rsp": Text(
        "The stack pointer. It should lie within the task's stack or that of an interrupt or exception; just below one "
        "means an overflow."
    ),
    "rflags": Text(
        "Flags: IF (0x200) tells whether interrupts were on; DF, AC and the result of the last comparison are here too."
    ),
    "eflags": Text(
        "Flags: IF (0x200) tells whether interrupts were on; DF, AC and the result of the last comparison are here too."
    ),
    "rax": Text("A function's result, and scratch. Small negative values are errors: fffffffffffffff4 is -12, ENOMEM."),
    "orig_rax": Text(
        "At a system call its number, at a device interrupt its vector; for exceptions their error code or -1."
    ),
    "rdi": Text(f"The first argument. {_ARGUMENT}"),
    "rsi": Text(f"The second argument. {_ARGUMENT}"),
    "rdx": Text(f"The third argument, and the high half of products and divisions. {_ARGUMENT}"),
    "rcx": Text(
        f"The fourth argument, and the count of string instructions; SYSCALL keeps the return address here. {_ARGUMENT}"
    ),
    "r8": Text(f"The fifth argument. {_ARGUMENT}"),
    "r9": Text(f"The sixth argument. {_ARGUMENT}"),
    "r10": Text("Scratch; in a system call the fourth argument."),
    "r11": Text("Scratch; SYSCALL keeps the flags here."),
    "rbx": Text(_KEPT),
    "rbp": Text(f"The frame pointer where the kernel is built with one; else free. {_KEPT}"),
    "r12": Text(_KEPT),
    "r13": Text(_KEPT),
    "r14": Text(_KEPT),
    "r15": Text(_KEPT),
    "cs": Text(
        "The code segment: 0x10 is the kernel, 0x33 a 64-bit and 0x23 a 32-bit program. Its low two bits are the "
        "privilege level."
    ),
    "ss": Text("The stack segment: 0x18 or 0 in the kernel, 0x2b in a program."),
    "cr2": Text("The address of the last page fault on this CPU."),
    "cr3": Text("The physical address of the page tables in use, with the PCID and PTI's bits below."),
    "gs_base": Text("In the kernel, this CPU's area of per-CPU variables."),
    "fs_base": Text("The program's thread-local storage."),
}
