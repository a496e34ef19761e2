"""What a faulting instruction did, told to its end: operand, register, who passed its value, which member was meant.

Everything is read from the code and the registers of the frame that faulted; where a value came from is inferred from
the code of the function and of its callers, and said only where the code allows one answer.
"""

from collections.abc import Sequence
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.inspect.look_up import SUFFIXES
from oopscope.inspect.meaning import Meaning
from oopscope.inspect.member_at import member_at, struct_behind
from oopscope.inspect.operands import Access, Context, about, context_of, deed, register_meaning
from oopscope.inspect.origin import Body, Origin, body_of, origin
from oopscope.instructions import REGISTER
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.linux.module import in_text
from oopscope.linux.module_types import module_types
from oopscope.symbols.btf import COMPOUND, Btf

MAX_CALLERS = 4  # frames that an argument is followed through
MAX_CANDIDATES = 12
MAX_TYPES = 20_000  # of a module, that are looked through
NO_REGISTER = ("rip", "eip", "pc", "orig_rax")
HANDED = "passed it, how is not known"
ORDINALS = ("1st", "2nd", "3rd", *(f"{n}th" for n in range(4, 9)))


class Candidate(NamedTuple):
    """A member that lies at the offset which was used; `sure` where the code's own types say that it is this one."""

    type: str
    member: str
    sure: bool


class Passed(NamedTuple):
    """One step of a value's way: the function, and what it did to have it, in words."""

    where: str  # lab_transfer+0x2e [labcrash]
    address: int  # of the instruction, 0 where there is none
    text: str


class Fault(NamedTuple):
    """A fault in full; None is what the dump does not tell."""

    instruction: str | None
    verb: str  # reads, writes, calls, jumps to ...; empty where unknown
    formula: str  # rdi + 0x28
    address: int | None
    register: str | None  # the one that held the bad value
    value: int | None
    points_at: Meaning | None  # what the value is or points at
    steps: tuple[Passed, ...]  # from the function that faulted outwards
    candidates: tuple[Candidate, ...]

    @property
    def passed_by(self) -> str | None:
        """The caller that gave the bad value and how, in words; None where it was made in the function itself."""
        return f"{self.steps[-1].where}: {self.steps[-1].text}" if len(self.steps) > 1 else None


def fault_at(kernel: Kernel, frames: Sequence[Frame], at: int, wanted: int | None = None) -> Fault | None:
    """Tell the fault of a frame of a stack; None where its registers or its code are not to be had.

    at: the frame's place in the stack. wanted: the address that the processor named (CR2), which says which of an
    instruction's accesses it was.
    """
    frame = frames[at]
    context = context_of(kernel, frame.address, frame.sp)
    if context is None:
        return None
    if not in_text(kernel, frame.address):
        return _wild_call(kernel, frames, at, context)
    done = deed(kernel, frame.address, context)
    if done is None:
        return None
    access = _chosen(done.accesses, wanted)
    if access is None:
        return Fault(done.text, "", "", wanted, None, None, None, (), ())
    register = access.base or None
    value = context.registers.get(access.base) if register else None
    meaning = register_meaning(kernel, value, context.task) if value is not None else access.meaning
    body = body_of(kernel, frame.address) if register else None
    steps = _steps(kernel, frames, at, body, access.base) if body is not None else ()
    members = _candidates(kernel, frame, body, access) if body is not None and access.size else ()
    return Fault(done.text, access.verb, access.formula, access.address, register, value, meaning, steps, members)


def _wild_call(kernel: Kernel, frames: Sequence[Frame], at: int, context: Context) -> Fault:
    """Tell how a CPU came to run what is no code: by an indirect call or jump, else by a return."""
    pc = frames[at].address
    meaning = register_meaning(kernel, pc, context.task)
    behind = frames[at + 1] if at + 1 < len(frames) and frames[at + 1].reliable else None
    body = body_of(kernel, behind.address - 1) if behind is not None and behind.kind != "user" else None
    call = _call_to(body, behind.address) if body is not None and behind is not None else None
    if body is None or call is None or behind is None:
        returned = _word(kernel, context.registers.get(kernel.arch.sp, 0) - kernel.memory.word_size) == pc
        text = "a function returned to it: the return address on the stack was overwritten" if returned else ""
        where = Passed(str(behind) if behind is not None else "the stack", 0, text)
        return Fault(None, "returns to" if returned else "", "", pc, None, pc, meaning, (where,) if text else (), ())
    register = _called_through(body, call, context, pc)
    made = origin(body, call, register) if register else None
    if made is not None and made.kind == "constant" and made.number == pc:
        step = Passed(str(behind), made.address, _words(made))
    else:  # what was called may have jumped on: a tail call leaves no frame
        step = Passed(str(behind), call, f"{body.texts.get(call, 'a call')}: it, or what it called, jumped there")
        register = None
    return Fault(body.texts.get(call), "calls", register or "", pc, register, pc, meaning, (step,), ())


def _called_through(body: Body, call: int, context: Context, pc: int) -> str | None:
    """Return the register that an indirect call took its target from; None for a target in memory."""
    at = body.index(call)
    if at is None:
        return None
    one = body.instructions[at]
    used = {body.whole(operand.register) for operand in one.operands if operand.kind == REGISTER}
    names = [name for name in context.registers if name in used]
    thunk = body.target(one)
    if thunk is not None and not names:  # a retpoline: call __x86_indirect_thunk_rax
        names = [name for name, value in context.registers.items() if value == pc and name not in NO_REGISTER]
    return names[0] if len(names) == 1 else None


def _word(kernel: Kernel, address: int) -> int | None:
    try:
        return kernel.memory.word(address)
    except OopscopeError:
        return None


def _chosen(accesses: Sequence[Access], wanted: int | None) -> Access | None:
    """Return the access that faulted: the one about the address that the processor named, else one that cannot be."""
    near = about(accesses, wanted)
    if near is not None:
        return near
    bad = [one for one in accesses if one.meaning is None or one.meaning.kind in ("null", "nothing", "poison", "ascii")]
    return next(iter(bad or [one for one in accesses if one.verb != "pushes to"]), None)


def _steps(kernel: Kernel, frames: Sequence[Frame], at: int, body: Body, register: str) -> tuple[Passed, ...]:
    """Follow a register's value outwards, from the instruction that used it to where it was made."""
    found: list[Passed] = []
    address = frames[at].address
    for _ in range(MAX_CALLERS):
        made = origin(body, address, register)
        if made is None:
            break
        found.append(Passed(str(frames[at]), made.address if made.text else 0, _words(made)))
        if made.kind != "argument":
            break
        at += 1
        if at >= len(frames) or not frames[at].reliable or frames[at].kind not in ("task", "irq", "softirq"):
            break
        behind = body_of(kernel, frames[at].address - 1)
        call = _call_before(behind, frames[at].address, body.start) if behind is not None else None
        if behind is None or call is None:
            break
        body, address, register = behind, call, made.register
        if origin(body, address, register) is None:
            found.append(Passed(str(frames[at]), address, f"{HANDED}: {body.texts.get(address, 'a call')}"))
    return tuple(found)


def _call_to(body: Body, address: int) -> int | None:
    """Return the address of the call that returns to an address; None where what stands before is no call."""
    calls = (one for one in body.instructions if one.address + one.size == address)
    return next((one.address for one in calls if body.is_call(one)), None)


def _call_before(body: Body, address: int, callee: int) -> int | None:
    """Return the address of the call that returns to an address, if it can have called that function."""
    call = _call_to(body, address)
    return call if body.called_before(address) in (None, callee, callee + body.flow.landing) else None


def _words(made: Origin) -> str:
    """Say how a value was made."""
    if made.kind == "argument":
        return f"its {ORDINALS[made.number - 1]} argument ({made.register})"
    if made.kind == "constant":
        return (
            f"a constant, {made.number:#x}: {made.text}" if made.number else f"NULL, written in the code: {made.text}"
        )
    if made.kind == "returned":
        return f"what a call returned: {made.text}"
    return f"{made.kind}: {made.text}"


def _candidates(kernel: Kernel, frame: Frame, body: Body, access: Access) -> tuple[Candidate, ...]:
    """Return the members that the access can have meant: by the code's own types, else by offset in the module's."""
    try:
        btf = module_types(kernel, frame.module).btf if frame.module else kernel.types.btf
    except OopscopeError:  # a module without types: any struct of the kernel would be a guess
        return ()
    try:
        typed = _type_of(btf, frame.symbol, body, frame.address, access.base, MAX_CALLERS)
        if typed is not None:
            table, number = typed
            member = member_at(table, number, access.displacement, access.size)
            return (Candidate(table.type_name(number), member.path, True),) if member is not None else ()
        return _by_offset(btf, access) if frame.module else ()
    except OopscopeError:
        return ()


def _type_of(
    btf: Btf, function: str | None, body: Body, address: int, register: str, depth: int
) -> tuple[Btf, int] | None:
    """Return the struct that a register points at, by the types of arguments, results and members on its way."""
    made = origin(body, address, register) if depth else None
    if made is None or function is None:
        return None
    if made.kind == "argument":
        found = btf.function(function) if not any(suffix in function for suffix in SUFFIXES) else None
        if found is None:
            return None
        table, proto = found
        listed = table.parameters(proto)
        return _behind(table, listed[made.number - 1][1]) if made.number <= len(listed) else None
    if made.kind != "loaded" or not made.base:
        return None
    outer = _type_of(btf, function, body, made.address, made.base, depth - 1)
    if outer is None:
        return None
    table, number = outer
    member = member_at(table, number, made.displacement, btf.word)
    return _behind(table, member.type) if member is not None else None


def _behind(table: Btf, pointer: int) -> tuple[Btf, int] | None:
    number = struct_behind(table, pointer)
    return (table, number) if number is not None else None


def _by_offset(btf: Btf, access: Access) -> tuple[Candidate, ...]:
    """Return the members at an offset of the structs that a module's own types add to the kernel's."""
    found: list[Candidate] = []
    for number in range(btf.first_id, min(btf.count, btf.first_id + MAX_TYPES)):
        name = btf.name(number)
        if btf.kind(number) not in COMPOUND or not name or btf.size(number) <= access.displacement:
            continue
        if btf.base is not None and btf.base.find(name) is not None:  # a copy of the kernel's own
            continue
        member = member_at(btf, number, access.displacement, access.size)
        if member is not None and member.size == access.size:
            found.append(Candidate(btf.type_name(number), member.path, False))
        if len(found) == MAX_CANDIDATES:
            break
    return tuple(found)
