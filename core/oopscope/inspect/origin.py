"""Where a register got its value, as the code shows it: from an argument, a constant, a load, a call's result.

The definitions of the register that can reach the instruction are followed backwards over the function's own jumps; an
answer is given where exactly one does. What calls clobber and what arguments come in is the machine's calling
convention (arch.Convention); what instructions do to registers and to the flow is its too (kernel.machine.Flow).
"""

from bisect import bisect_left
from collections.abc import Callable
from typing import Literal, NamedTuple

from oopscope.errors import OopscopeError
from oopscope.inspect.disassemble import bounds, decoder, spelt_operands
from oopscope.instructions import IMMEDIATE, MEMORY, REGISTER, Instruction, Operand
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import Flow, Writes

MAX_CODE = 16 << 10  # bytes of a function that are looked through
NO_FLOW = Flow((), (), (), (), (), ())
REGISTERS = 16  # of a machine whose instructions write several in a row
MAX_COPIES = 8  # register to register, on the way to where a value came from

Kind = Literal["argument", "constant", "loaded", "returned", "computed"]


class Origin(NamedTuple):
    """How a register came by its value."""

    kind: Kind
    register: str  # that held the value first: rdi of an argument, rax of a result
    address: int  # of the instruction that made it; the function's first for an argument
    text: str  # that instruction, AT&T; empty for an argument
    number: int = 0  # of an argument, from 1; the value of a constant
    base: str = ""  # of a load: the register and the displacement that it was loaded from
    displacement: int = 0


class Body:
    """A function's instructions, with who can come before each."""

    def __init__(self, kernel: Kernel, start: int, instructions: list[Instruction], texts: dict[int, str]) -> None:
        self.start, self.convention, self.top = start, kernel.arch.convention, kernel.memory.top
        self.instructions, self.texts = instructions, texts
        how = kernel.machine.assembly
        self._kernel = kernel
        self.whole: Callable[[str], str] = how.whole if how is not None else str
        self.flow = how.flow if how is not None and how.flow is not None else NO_FLOW
        self._places = [one.address for one in instructions]
        self._jumps: dict[int, list[int]] = {}
        for at, one in enumerate(instructions):
            target = self.jump(one)
            if target is not None and (there := self.index(target)) is not None:
                self._jumps.setdefault(there, []).append(at)

    def jump(self, one: Instruction) -> int | None:
        """Return where an instruction jumps within the code; None for what jumps nowhere that is written in it."""
        return self.target(one) if self.flow.has(self.flow.jumps, one.mnemonic) else None

    def is_call(self, one: Instruction) -> bool:
        """Tell whether an instruction calls a function."""
        return self.flow.has(self.flow.calls, one.mnemonic)

    def target(self, one: Instruction) -> int | None:
        """Return the address that a jump or a call names; None for an indirect one."""
        operand = one.operands[-1] if one.operands else None
        if operand is None or operand.kind != IMMEDIATE:
            return None
        return (operand.value + (one.address if self.flow.relative else 0)) % self.top

    def called_before(self, after: int) -> int | None:
        """Return what the direct call that returns to an address calls; None for no such call."""
        return self._kernel.machine.call_target(self._kernel, after)

    def spelt(self, one: Instruction) -> str:
        """Return an instruction as it is written, with the name of the function that it calls."""
        text = self.texts.get(one.address, "")
        called = self.called_before(one.address + one.size) if self.is_call(one) else None
        name = self._kernel.name_of(called) if called is not None else None
        return f"{text} ({name.symbol})" if name is not None else text

    def index(self, address: int) -> int | None:
        """Return the place of the instruction at an address; None where none begins there."""
        at = bisect_left(self._places, address)
        return at if at < len(self._places) and self._places[at] == address else None

    def before(self, at: int) -> list[int]:
        """Return the instructions that can run right before one."""
        found = list(self._jumps.get(at, ()))
        if at and not self.flow.has(self.flow.ends, self.instructions[at - 1].mnemonic):
            found.append(at - 1)
        return found

    def definitions(self, at: int, register: str) -> set[int]:
        """Return the instructions whose value of a register can reach one; -1 is what the caller left in it."""
        found: set[int] = set()
        seen: set[int] = set()
        todo = [at]
        while todo:
            one = todo.pop()
            if one == 0:
                found.add(-1)
            for previous in self.before(one):
                if previous in seen:
                    continue
                seen.add(previous)
                if register in self.written(previous):
                    found.add(previous)
                else:
                    todo.append(previous)
        return found

    def written(self, at: int) -> set[str]:
        """Return the registers that an instruction changes."""
        one = self.instructions[at]
        names = {self.whole(name) for name in one.writes}
        if self.flow.writes is not None:
            names |= _named(self, one, self.flow.writes)
        if self.is_call(one) and self.convention is not None:
            names |= {*self.convention.clobbered, self.convention.result}
        return names


def _named(body: Body, one: Instruction, writes: Writes) -> set[str]:
    """Return the registers that an instruction writes, by its mnemonic and what it names."""
    has, named = body.flow.has, [body.whole(each.register) for each in one.operands if each.kind == REGISTER]
    first = named[:1] if one.operands and one.operands[0].kind == REGISTER else []
    if has(writes.every, one.mnemonic):
        return set(named)
    if first and (has(writes.pair, one.mnemonic) or has(writes.span, one.mnemonic)):
        at, count = _numbered(named[0]), 2
        if has(writes.span, one.mnemonic):
            count = (_numbered(named[-1])[1] - at[1]) % REGISTERS + 1
        return {f"{at[0]}{(at[1] + n) % REGISTERS}" for n in range(count)}
    if has(writes.base, one.mnemonic):
        base = memory_of(one)
        changed = {body.whole(base.base)} if base is not None else set(named[1:2])
        return changed if has(("st*",), one.mnemonic) else changed | set(first)
    return set() if has(writes.none, one.mnemonic) else set(first)


def _numbered(name: str) -> tuple[str, int]:
    """Take a register's name apart: r14 is "r" and 14."""
    letters = name.rstrip("0123456789")
    return letters, int(name[len(letters) :] or 0)


def memory_of(one: Instruction) -> Operand | None:
    """Return an instruction's only operand in memory, by which it loads or stores; None for none.

    The library has the operands of some short instructions apart: a register, a displacement, a base.
    """
    kinds = [operand.kind for operand in one.operands]
    if kinds == [REGISTER, MEMORY]:
        return one.operands[1]
    if kinds == [REGISTER, IMMEDIATE, REGISTER]:
        _, displacement, base = one.operands
        return Operand(MEMORY, base=base.register, displacement=displacement.value)
    return None


def body_of(kernel: Kernel, address: int) -> Body | None:
    """Decode the function that an address lies in; None without capstone, or where it cannot be read whole."""
    made = decoder(kernel)
    how = kernel.machine.assembly
    if made is None or kernel.arch.convention is None or how is None or how.flow is None:
        return None
    start, end, name = bounds(kernel, address)
    if name is None or end - start > MAX_CODE:
        return None
    try:
        raw = kernel.memory.read(start, end - start)
    except OopscopeError:
        return None
    texts = {
        at: f"{mnemonic} {spelt_operands(kernel, words)}".rstrip() for at, _, mnemonic, words in made.texts(raw, start)
    }
    return Body(kernel, start, made.details(raw, start), texts)


def origin(body: Body, address: int, register: str) -> Origin | None:
    """Return where the value of a register at an instruction came from; None where the code does not tell."""
    at = body.index(address)
    for _ in range(MAX_COPIES):
        if at is None:
            return None
        found = body.definitions(at, register)
        if len(found) != 1:
            return None
        (at,) = found
        if at < 0:
            return _argument(body, register)
        made = _made(body, at, register)
        if not isinstance(made, str):
            return made
        register = made  # a copy of another one
    return None


def _argument(body: Body, register: str) -> Origin | None:
    names = body.convention.arguments if body.convention is not None else ()
    if register not in names:
        return None
    return Origin("argument", register, body.start, "", names.index(register) + 1)


def _made(body: Body, at: int, register: str) -> Origin | str | None:
    """Return how an instruction made a register's value; the other register's name where it only copied one."""
    one = body.instructions[at]
    text = body.texts.get(one.address, "")
    if body.is_call(one):
        result = body.convention is not None and register == body.convention.result
        return Origin("returned", register, one.address, body.spelt(one)) if result else None
    operands = one.operands
    if not operands or body.whole(operands[0].register) != register:  # changed beside: of a pair, or moved on
        return Origin("computed", register, one.address, text)
    if (
        body.flow.has(body.flow.zeroes, one.mnemonic)
        and len(operands) == 2
        and operands[0].register == operands[1].register
    ):
        return Origin("constant", register, one.address, text, 0)
    loads = body.flow.has(body.flow.loads, one.mnemonic)
    moves = loads or body.flow.has(body.flow.moves, one.mnemonic)
    source = memory_of(one) if loads else operands[1] if len(operands) == 2 else None
    if not moves or source is None:
        return Origin("computed", register, one.address, text)
    if source.kind == IMMEDIATE:
        narrow = operands[0].register != register and not body.flow.whole_names
        return Origin("constant", register, one.address, text, source.value % (1 << 32 if narrow else body.top))
    if source.register in body.flow.zero:
        return Origin("constant", register, one.address, text, 0)
    if source.kind == REGISTER:
        return body.whole(source.register) if body.flow.has(body.flow.copies, one.mnemonic) else None
    base = body.whole(source.base) if source.base and not source.scaled and not source.segment else ""
    return Origin("loaded", register, one.address, text, 0, base, source.displacement)
