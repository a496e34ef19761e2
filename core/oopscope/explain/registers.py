"""What registers are for in the kernel's calling convention: of x86_64, and of other machines what only they have."""

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
    # arm64
    "pstate": Text(
        "arm64's state: the flags of the last comparison, the exception level (EL1 is the kernel, EL0 a program), and "
        "what is masked: debug, SError, IRQ, FIQ."
    ),
    "esr": Text(
        "arm64's exception syndrome: its upper six bits say what kind of exception it was (0x25: a data access of the "
        "kernel, 0x21: an instruction fetch, 0x3c: BRK), the lower ones why: which level of the page tables had no "
        "translation or no permission, and whether it was a read or a write (WnR)."
    ),
    "far": Text("arm64's fault address: what a data access or an instruction fetch could not use."),
    **{f"x{n}": Text(f"arm64: argument {n + 1}{', and the result' if not n else ''}. {_ARGUMENT}") for n in range(8)},
    "x8": Text("arm64: where a large result is put; in a system call its number."),
    **{f"x{n}": Text("arm64: scratch, that calls may change.") for n in range(9, 19)},
    **{f"x{n}": Text(f"arm64: {_KEPT[0].lower()}{_KEPT[1:]}") for n in range(19, 29)},
    "x29": Text("arm64's frame pointer: it leads to the caller's frame record, the pair of x29 and x30."),
    "x30": Text("arm64's link register: where the function returns to, until it calls another."),
    # arm
    "cpsr": Text(
        "ARM's state: the flags of the last comparison, the mode (0x13 is the kernel, 0x10 a program), whether it runs "
        "Thumb instructions, and what is masked: aborts, IRQ, FIQ."
    ),
    "fsr": Text(
        "ARM's fault status, the number behind Oops: why an access failed (5 and 7 without LPAE, 0x205 to 0x207 with "
        "it: no translation; 0xd and 0xf, 0x20d to 0x20f: no permission), and with 0x800 that it was a write."
    ),
    "ip": Text("ARM: scratch, that calls may change."),
    # riscv64
    "cause": Text(
        "riscv64's scause: what kind of exception it was (2 an illegal instruction, 3 EBREAK, 12 a fetch, 13 a load, "
        "15 a store to a page that is not there or forbidden); with the topmost bit an interrupt."
    ),
    "badaddr": Text("riscv64's stval: the address that could not be used, or the instruction that is illegal."),
    "status": Text("riscv64's sstatus: who was interrupted (SPP) and whether interrupts were on (SPIE)."),
    "ra": Text("riscv64, LoongArch: where the function returns to, until it calls another."),
    "tp": Text("riscv64: in the kernel the current task's task_struct; LoongArch: its thread_info."),
    # loongarch64
    "crmd": Text(
        "LoongArch's mode: 0 is the kernel's and 3 a program's (`PLV`), 4 interrupts on (IE), 0x10 paging (`PG`)."
    ),
    "prmd": Text("LoongArch's mode before the exception: `PPLV` (0 the kernel, 3 a program), interrupts (PIE)."),
    "estat": Text(
        "LoongArch's exception status: which interrupts were pending, and from bit 16 on (ECode) the kind of exception "
        "(1 a load, 2 a store, 3 a fetch where no page was; 12 BREAK, 13 an illegal instruction)."
    ),
    "badv": Text("LoongArch's bad address: what could not be used, or an older one where it was no such exception."),
    "u0": Text("LoongArch (r21): in the kernel the CPU's own area."),
    # PowerPC
    "msr": Text(
        "PowerPC's machine state: whether a program ran, whether interrupts and translation were on, byte order."
    ),
    "nip": Text("PowerPC's next instruction: where it stood."),
    "link": Text("PowerPC's link register: where the function returns to, until it calls another."),
    "ctr": Text("PowerPC's count register: the target of indirect calls, or a loop's count."),
    "trap": Text(
        "PowerPC's interrupt vector: 0x300 a data access, 0x400 a fetch, 0x700 a trap or an illegal instruction."
    ),
    "dar": Text("PowerPC's data address: what a load or store could not use."),
    "dsisr": Text(
        "PowerPC's reason of a data fault: 0x40000000 no translation, 0x08000000 protection, 0x02000000 it was a store."
    ),
    "gpr1": Text("PowerPC's stack pointer: it points at the back chain, the caller's frame."),
    "gpr13": Text("PowerPC: in the kernel this CPU's paca."),
    # s390x
    "psw_mask": Text(
        "The upper half of s390's PSW: a program or the kernel (problem state), which address space, what interrupts "
        "were masked, the condition code."
    ),
    "psw_addr": Text(
        "The lower half of s390's PSW: the instruction that is next; of a page fault the one that failed, of BUG() the "
        "one behind."
    ),
}
