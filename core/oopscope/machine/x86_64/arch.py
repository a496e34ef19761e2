"""x86_64: 4- and 5-level page tables and the registers of its crash notes.

Follows the Intel SDM volume 3 chapter 4 and arch/x86/include/asm/{pgtable_types,user_regs}.h.
"""

import struct

from oopscope.arch import ALWAYS, Arch, Bits, Convention, Level, NoteRegisters, Paging

# Bits 12..51 are the frame; bit 12 of a large entry is PAT and falls below the page's size.
_ADDRESS = (1 << 52) - (1 << 12)
# _PAGE_PROTNONE (bit 8) marks a present page that user code may not touch; the kernel's own never are.
_PRESENT = Bits(1, 1)
_SMALL = Bits(1 << 7, 0)  # without the bit of a large page
_LEVELS = (
    Level(39, 9, _PRESENT, ALWAYS, _ADDRESS),
    Level(30, 9, _PRESENT, _SMALL, _ADDRESS),
    Level(21, 9, _PRESENT, _SMALL, _ADDRESS),
    Level(12, 9, _PRESENT, None, _ADDRESS),
)
_TOP = Level(48, 9, _PRESENT, ALWAYS, _ADDRESS)  # CR4.LA57

ARCH = Arch(
    name="x86_64",
    machines=("x86_64", "amd64"),
    elf_machine=62,
    bits=64,
    byteorder="little",
    page_shift=12,
    pc="rip",
    sp="rsp",
    fp="rbp",
    prstatus=NoteRegisters(
        size=336,
        pid=32,
        first=112,
        names=(
            *("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi"),
            *("orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs"),
        ),
    ),
    orc="x86",
    module="oopscope.machine.x86_64.machine",
    pagings={
        "4-level": Paging(_LEVELS, struct.Struct("<Q"), sign_extended=True),
        "5-level": Paging((_TOP, *_LEVELS), struct.Struct("<Q"), sign_extended=True),
    },
    convention=Convention(  # System V ABI, 3.2.3
        arguments=("rdi", "rsi", "rdx", "rcx", "r8", "r9"),
        result="rax",
        clobbered=("rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11"),
    ),
)
