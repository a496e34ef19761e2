"""What a kernel of one machine is beyond its processor: one table of functions, which each folder of `machine` fills.

Readers ask `kernel.machine` and know no machine by name. What a machine leaves at its default it does not have, or
nobody has written it yet: then answers are fewer, and none is wrong.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from oopscope.arch import Arch, Paging
from oopscope.instructions import Instruction
from oopscope.kernel.frame import Frame
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.symbols.vmcoreinfo import VmcoreInfo

if TYPE_CHECKING:
    from oopscope.kernel.kernel import Kernel
    from oopscope.kernel.stack import Stack

PhysBase = Callable[[], int | None]  # what the container says, asked only where VMCOREINFO does not
Registers = Mapping[str, int]


class State(NamedTuple):
    """Where a walk up a stack stands."""

    pc: int
    sp: int
    fp: int  # the frame pointer's register, whether this kernel keeps frame pointers or not
    signal: bool  # pc is an interrupted instruction, not a return address
    registers: Mapping[str, int] = {}  # all of them, right after pt_regs
    reliable: bool = True


class Unwinder(Protocol):
    """Unwinds one stack of one kernel."""

    problem: str | None  # why the walk ended early, if it did

    def frames(self, start: State) -> list[Frame]:
        """Return the frames from the innermost outwards."""
        ...

    def walk(self, start: State) -> Iterator[Frame]:
        """Yield the frames as they are found, without what only the whole stack tells."""
        ...


class Area(NamedTuple):
    """A range of addresses that has one use on every kernel of a machine."""

    where: range
    words: str


class Space(NamedTuple):
    """The large areas of a kernel's addresses: first address and the one after the last."""

    bits: int  # of an address that mean something
    direct: range  # where all memory is mapped
    vmalloc: range
    vmemmap: range  # the array of all struct pages
    page_struct: int  # sizeof(struct page); 0 where types do not say
    fixed: tuple[Area, ...] = ()
    first_frame: int = 0  # the number of the page frame that direct and vmemmap begin with


class Use(NamedTuple):
    """One use of memory by an instruction, or a jump: what it did, how its address came about, the address."""

    verb: str  # reads, writes, reads and writes, calls, jumps to, pushes to
    formula: str  # "rax + 0x18", empty where the address is the operand itself
    address: int
    size: int  # bytes; 0 for a jump
    base: str = ""  # the register that the address was reckoned from, where it is one alone, and what was added
    displacement: int = 0


class Reckoned(NamedTuple):
    """What an instruction did with some registers: its uses of memory, the registers that it read, a note."""

    uses: tuple[Use, ...]
    registers: tuple[str, ...]
    note: str


class Writes(NamedTuple):
    """Which registers instructions write, by mnemonics as in Flow; of others it is the first that they name.

    Where several rows have a mnemonic the first of them holds.
    """

    every: tuple[str, ...] = ()  # all that they name
    span: tuple[str, ...] = ()  # from the first to the second that they name, and on from the highest to the lowest
    pair: tuple[str, ...] = ()  # the first that they name and the next
    base: tuple[str, ...] = ()  # the first that they name (but for a store), and what their address was reckoned from
    none: tuple[str, ...] = ()


class Flow(NamedTuple):
    """What instructions do to registers and to the flow of code, by their mnemonics; "j*" is each that begins with j.

    The mnemonics are those of instructions in detail: on x86 Intel's, the written operand first.
    """

    calls: tuple[str, ...]
    jumps: tuple[str, ...]  # that name where they go as their last operand
    ends: tuple[str, ...]  # after them the next instruction does not run
    copies: tuple[str, ...]  # the first operand gets the second as it is
    moves: tuple[str, ...]  # the same, or extended, or loaded from memory where the operand is that
    zeroes: tuple[str, ...]  # with one register for both operands they give 0
    landing: int = 0  # bytes at a function's start that a direct call may skip
    loads: tuple[str, ...] = ()  # those that do nothing but load from memory
    zero: tuple[str, ...] = ()  # registers that are always 0
    writes: Writes | None = None  # None where the library says it
    relative: bool = False  # jumps are written as distances from themselves
    whole_names: bool = False  # the library names whole registers only, if by other names than a crash note

    def has(self, names: tuple[str, ...], mnemonic: str) -> bool:
        """Tell whether a mnemonic is one of some."""
        return any(mnemonic.startswith(n[:-1]) if n[-1] == "*" else mnemonic == n for n in names)


class Assembly(NamedTuple):
    """How a machine's instructions are read."""

    arch: str  # of instructions.MACHINES
    modes: tuple[str, ...]  # of instructions.MODES
    syntax: str | None  # of instructions.SYNTAXES; None for a machine with one way of writing
    longest: int  # bytes of an instruction
    # What an instruction names: the kernel, the address after it, its mnemonic and operands; None for nothing.
    target: Callable[["Kernel", int, str, str], int | None]
    # Whether a mnemonic is a jump that is no call.
    jumps: Callable[[str], bool]
    # The whole register that a part of it is, by the name that a crash note has: rax for al.
    whole: Callable[[str], str]
    # Whether an operand is relative to a CPU's own area.
    per_cpu: Callable[[str], bool] = lambda _operands: False
    # How operands are shown: as capstone has them, but for what reads badly.
    shown: Callable[[str], str] = lambda operands: operands
    # What the kernel wrote there while it ran: the kernel, the bytes, their address, the function's start, the target.
    patched: Callable[["Kernel", bytes, int, int, int | None], str] = lambda *_: ""
    # What an instruction did: the kernel, it, the registers, the base of the CPU's own area.
    reckon: Callable[["Kernel", Instruction, Registers, int], Reckoned] | None = None
    # The module whose uses() reckons an instruction by the machine's own tables, given its bytes, their address, the
    # registers and the first address that there is not; "" for none.
    uses: str = ""
    # The address of the instruction that an exception at a pc was of: where pc is behind some, before it.
    stopped_at: Callable[["Kernel", int], int] = lambda _kernel, pc: pc
    flow: Flow | None = None  # for following values through the code; None where nobody has stated it yet


class Counter(NamedTuple):
    """A counter of interrupts without a descriptor: as /proc/interrupts names it, what it counts, by possible CPU."""

    symbol: str
    text: str
    counts: tuple[int, ...]


class Machine(NamedTuple):
    """What a kernel of one machine is. Registers are by the names that a crash note has for them."""

    # Make the kernel's address space of what VMCOREINFO says; FormatError where it does not say enough.
    kernel_memory: Callable[[Arch, VmcoreInfo, PhysicalMemory, PhysBase], Memory]
    # Return the page tables that a program's mm_struct.pgd is the root of.
    user_paging: Callable[["Kernel"], Paging]
    # Return the lowest address that can be the kernel's own.
    kernel_from: Callable[["Kernel"], int]
    # Return where modules are loaded.
    modules: Callable[["Kernel"], range]
    # Tell whether a CPU ran a program.
    in_user: Callable[[Registers], bool]
    # Return where the walk of a CPU's stack begins, by its registers.
    start_of_cpu: Callable[[Registers], State]
    # Return where that of a task that does not run begins (address: struct task_struct *, its saved stack pointer).
    start_of_sleeper: Callable[["Kernel", int, int], State]
    # Make an unwinder that may walk over some stacks, and over those of CPUs.
    unwinder: Callable[["Kernel", Iterable["Stack"]], Unwinder]
    # Tell whether the instruction before an address can be a call, so that it may be one to return to; the last is
    # the function whose frame lies within, where that is known.
    follows_call: Callable[["Kernel", int, str | None], bool]
    # Return what the direct call before an address calls; None where there is none.
    call_target: Callable[["Kernel", int], int | None]
    # Return the interrupt and exception stacks of each CPU that can be found.
    stacks_by_cpu: Callable[["Kernel"], dict[int, list["Stack"]]] = lambda _kernel: {}
    # Return the stacks beside its task's that a CPU was on, by the kernel's own marks, the innermost first.
    live_stacks: Callable[["Kernel", int], list["Stack"]] = lambda _kernel, _cpu: []
    # Return an address on the stack that was left for one of a CPU's own; None where that is not noted on it.
    left_stack: Callable[["Kernel", "Stack"], int | None] = lambda *_: None
    # Return the likeliest frames of a stack whose registers are not known, and of other stacks of its CPU in use.
    guess: Callable[["Kernel", "Stack", Sequence["Stack"]], list[Frame]] = lambda *_: []
    # The same for a task that does not run.
    guess_sleeper: Callable[["Kernel", "Stack"], list[Frame]] = lambda *_: []
    # Return the registers that an exception's entry saved for an interrupted (pc, sp); None for none.
    saved_registers: Callable[["Kernel", int, int], dict[str, int] | None] = lambda *_: None
    # Return the registers of a CPU's note without what they cannot tell.
    note_registers: Callable[["Kernel", Registers], Registers] = lambda _kernel, registers: registers
    # Yield what phys_base may be where a VMCOREINFO does not say it: the likeliest first, by its text's own address.
    phys_bases: Callable[[VmcoreInfo, int], Iterator[int]] = lambda *_: iter(())
    # Return the address that the map of all memory has for the physical address 0; None where that is not sure.
    direct_base: Callable[["Kernel"], int | None] = lambda _kernel: None
    # Return where the areas of the kernel's addresses are; None where that is not known.
    address_space: Callable[["Kernel"], Space | None] = lambda _kernel: None
    # Say what a register that is no address means: "" for nothing to say, None for a register like any other.
    about_register: Callable[["Kernel", str, int], str | None] = lambda *_: None
    # Yield the machine's own counters of interrupts, as /proc/interrupts has them behind the lines of devices.
    irq_counters: Callable[["Kernel"], Iterator[Counter]] = lambda _kernel: iter(())
    assembly: Assembly | None = None
    # The module that finds a kernel without VMCOREINFO (boot/without_info.py says what it offers); "" for none.
    search: str = ""
