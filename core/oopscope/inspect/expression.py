"""A small language for looking at a kernel: C's expressions over its memory, symbols and types. Nothing is ever run.

`task(1).mm.total_vm`, `per_cpu(runqueues, 0).nr_running`, `sizeof(struct page)`, `*(struct file *)0xffff...`,
`offsetof(struct rq, clock)`, `init_task.pid + 1`, `runqueues:1.clock`, `&jiffies`, `list(init_task.tasks, task_struct,
tasks).{pid, comm}`. A pointer's member is read through it, `.` and `->` alike; of several things, each one's. BTF has
no types of ordinary variables: those that are not known here are read as a word, and the answer says that this is a
guess.
"""

from collections.abc import Callable
from itertools import islice
from typing import NoReturn

from oopscope.errors import NoType, OopscopeError
from oopscope.inspect.expression_parts import (
    BASIC,
    BASIC_WORDS,
    BINARY,
    ExpressionError,
    Members,
    Names,
    Pointer,
    Several,
    Unread,
    Value,
    Word,
    number_of,
    place_of,
    text_of,
    tokens,
)
from oopscope.inspect.expression_walks import (
    INTS,
    MOST,
    STRUCTS,
    WALKS,
    element_of,
    fitted,
    is_linked,
    is_per_cpu,
    task_at,
    walk_of,
)
from oopscope.inspect.look_up import address_of
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.linux.module import in_text
from oopscope.structs.layout import Member
from oopscope.structs.view import View
from oopscope.symbols.btf import COMPOUND

DEEPEST = 40  # parentheses and operators within each other
TEXT = 4096  # characters behind a char *
FUNCTIONS = ("task", "per_cpu", "sizeof", "offsetof", "container_of", "list", "ring", "hlist", "tree", "count")


def evaluate(kernel: Kernel, text: str) -> Value:
    """Return the value of an expression; ExpressionError, NoSymbol, NoType, NoMember, ReadError."""
    return value_of(kernel, tokens(text))


def value_of(kernel: Kernel | None, parts: tuple[str, ...], names: Names | None = None) -> Value:
    """Return the value of an expression that was taken apart; `names` are looked up before the kernel's own.

    Without a kernel those names are all there is.
    """
    reader = _Reader(kernel, list(parts), names or {})
    value = reader.binary(0, 0)
    if reader.left:
        reader.fail()
    return value


class _Reader:
    """Reads tokens from left to right; what binds closer is read first."""

    def __init__(self, kernel: Kernel | None, parts: list[str], names: Names) -> None:
        self._kernel, self.left, self.names = kernel, parts, names

    @property
    def kernel(self) -> Kernel:
        if self._kernel is None:
            raise ExpressionError(f"only columns are known here: {', '.join(self.names)}")
        return self._kernel

    def fail(self) -> NoReturn:
        raise ExpressionError(f"{self.left[0]!r} does not belong here" if self.left else "it ends too early")

    def take(self, *wanted: str) -> str:
        """Take the next token, one of those wanted where any are named."""
        if not self.left or (wanted and self.left[0] not in wanted):
            self.fail()
        return self.left.pop(0)

    def has(self, token: str) -> bool:
        """Take the next token if it is this one."""
        found = bool(self.left) and self.left[0] == token
        if found:
            self.left.pop(0)
        return found

    def binary(self, least: int, depth: int) -> Value:
        """Read operators that bind at least so much."""
        if depth > DEEPEST:
            raise ExpressionError("too deep")
        value = self.unary(depth + 1)
        while self.left and self.left[0] in BINARY and BINARY[self.left[0]][0] > least:
            sign = self.left.pop(0)
            bound, do = BINARY[sign]
            other = self.binary(bound, depth + 1)
            if sign in ("==", "!=") and isinstance(value, bytes) and isinstance(other, bytes):
                value = int((text_of(value) == text_of(other)) == (sign == "=="))
                continue
            right = number_of(other)
            if isinstance(value, Pointer) and value.type is not None and sign in "+-":  # as C counts: in structs
                past = right * self.kernel.types.sizeof(value.type)
                value = value._replace(address=do(value.address, past) % self.kernel.memory.top)
            else:
                value = do(number_of(value), right)
        return value

    def unary(self, depth: int, of_address: bool = False) -> Value:
        """Read signs, `*`, `&`, casts, then what they stand before; of_address: where that lies is enough."""
        if depth > DEEPEST:
            raise ExpressionError("too deep")
        if self.has("-"):
            return -number_of(self.unary(depth + 1))
        if self.has("~"):
            return ~number_of(self.unary(depth + 1)) % (1 << 64 if self._kernel is None else self._kernel.memory.top)
        if self.has("!"):
            return int(not number_of(self.unary(depth + 1)))
        if self.has("*"):
            return self.behind(self.unary(depth + 1))
        if self.has("&"):
            if self.left and self.left[0][0].isalpha() and self.left[1:2] not in (["."], ["->"], ["["], ["("]):
                return Pointer(address_of(self.kernel, self.take()))  # its page need not be there
            return self.address(self.unary(depth + 1, True))
        if len(self.left) > 1 and self.left[0] == "(" and self.left[1] in {"struct", "union"} | BASIC_WORDS:
            return self.cast(depth)
        return self.members(self.primary(depth), of_address)

    def cast(self, depth: int) -> Value:
        """Read `(struct NAME *)`, `(u32 *)`, `(long)` and what it is put upon; behind a `char *` is a text."""
        self.take("(")
        words = [self.take()] if self.left[0] in BASIC_WORDS else []
        while words and self.left and self.left[0] in BASIC_WORDS:
            words.append(self.take())
        name = " ".join(words) or self.type_name()
        if words and name not in BASIC:
            raise ExpressionError(f"{name} is no type")
        if words and self.has(")"):
            size = BASIC[name]
            return fitted(number_of(self.unary(depth + 1)), size)
        self.take("*")
        self.take(")")
        address = number_of(self.unary(depth + 1))
        if name == "char":
            return self.kernel.memory.cstring(address, TEXT)
        return Pointer(address, name if name != "void" else None)

    def type_name(self) -> str:
        keyword = self.has("struct") or self.has("union")
        name = self.take()
        if not name[0].isalpha() and name[0] != "_":
            raise ExpressionError(f"{name!r} is no type" if keyword else f"{name!r} is no name")
        return name

    def primary(self, depth: int) -> Value:
        word = self.take()
        if word == "(":
            value = self.binary(0, depth + 1)
            self.take(")")
            return value
        if word[0].isdigit():
            return int(word, 0) if word.lower().startswith("0x") else int(word)
        if word[0] == '"':
            return word[1:-1].encode()
        if not word[0].isalpha() and word[0] != "_":
            self.left.insert(0, word)
            self.fail()
        if self.left and self.left[0] == "(":
            return self.call(word, depth)
        return self.variable(word)

    def call(self, name: str, depth: int) -> Value:
        """Read `name(...)`: one of the few functions that there are."""
        self.take("(")
        if name == "sizeof":
            value: Value = self.kernel.types.sizeof(self.type_name())
        elif name == "offsetof":
            outer = self.type_name()
            self.take(",")
            value = self.kernel.types.member(outer, self.path()).offset
        elif name == "per_cpu":
            symbol = self.take()
            self.take(",")
            value = self.variable(f"{symbol}:{number_of(self.binary(0, depth + 1))}")
        elif name == "task":
            value = self.task(number_of(self.binary(0, depth + 1)))
        elif name in WALKS or name in ("ring", "container_of", "count"):
            value = self.several(name, self.binary(0, depth + 1))
        else:
            raise ExpressionError(f"no function {name}: there are {', '.join(FUNCTIONS)}; nothing is run")
        self.take(")")
        return value

    def several(self, name: str, first: Value) -> Value:
        """Return what a walk comes to: `list(HEAD, TYPE, MEMBER)`, `ring(ENTRY, ...)`, or `container_of`, `count`."""
        if name == "count":
            if isinstance(first, Several) and not first.why:
                return len(first.values)
            raise ExpressionError(first.why if isinstance(first, Several) else "count wants a list or a tree")
        head = place_of(first)
        self.take(",")
        outer = self.type_name()
        self.take(",")
        member = self.kernel.types.member(outer, self.path())
        if name == "container_of":
            return Pointer((head - member.offset) % self.kernel.memory.top, outer)
        lost: list[OopscopeError] = []
        walk = walk_of(self.kernel, name, first, (outer, member), lost.append)
        found = tuple(Pointer(address % self.kernel.memory.top, outer) for address in islice(walk, MOST + 1))
        if lost and not found:
            raise lost[0]
        more = f"more than {MOST:,}: these are the first" if len(found) > MOST else ""
        return Several(found[:MOST], "; ".join([*map(str, lost[:1]), *([more] if more else [])]))

    def path(self) -> str:
        names = [self.take()]
        while self.has("."):
            names.append(self.take())
        return ".".join(names)

    def task(self, pid: int) -> View:
        """Return the task of a PID, or of the address of its task_struct."""
        return self.kernel.view("task_struct", task_at(self.kernel, pid))

    def variable(self, name: str) -> Value:
        """Return a variable's value: by its known type, else a word; of a function its address."""
        if name in self.names:
            return self.names[name]
        kernel, address = self.kernel, address_of(self.kernel, name)
        plain = name.partition(":")[0]
        if in_text(kernel, address):
            return Pointer(address)
        known = kernel.types.btf.variables().get(plain)
        if ":" not in name and (known is not None or is_per_cpu(kernel, address)):  # as crash shows it: every CPU's
            return Several(tuple(map(self.of_cpu(plain), range(len(kernel.cached(per_cpu_offsets))))))
        if known is not None:
            return self.typed(known.type, address)
        if plain in STRUCTS:
            return kernel.view(STRUCTS[plain], address)
        if plain in INTS:
            return self.number_at(address, min(INTS[plain], kernel.memory.word_size))
        if is_linked(kernel.memory, address):
            return kernel.view("list_head", address)
        return Word(kernel.memory.word(address), address)

    def number_at(self, address: int, size: int) -> int:
        """Return a number of so many bytes, in the kernel's byte order."""
        return int.from_bytes(self.kernel.memory.read(address, size), self.kernel.arch.byteorder)

    def of_cpu(self, name: str) -> Callable[[int], Value]:
        """Return what reads a CPU's copy of a variable."""

        def read(cpu: int) -> Value:
            try:
                found = self.variable(f"{name}:{cpu}")
            except OopscopeError as error:
                return Unread(str(error))
            return Pointer(found.address, found.name) if isinstance(found, View) and found.address else found

        return read

    def typed(self, number: int, address: int) -> Value:
        """Return what lies at an address by its type's number in BTF."""
        btf = self.kernel.types.btf
        bare = btf.strip(number)
        if btf.kind(bare) in COMPOUND and btf.name(bare):
            return self.kernel.view(btf.name(bare), address)
        size = btf.size(number)
        if size in (1, 2, 4, 8):
            return self.number_at(address, size)
        return Word(self.kernel.memory.word(address), address)

    def members(self, value: Value, of_address: bool = False) -> Value:
        """Read the members and elements that follow a value; of_address: of the last one where it lies."""
        while self.left and self.left[0] in (".", "->", "["):
            if self.take() == "[":
                index = number_of(self.binary(0, 1))
                self.take("]")
                value = element_of(self.kernel, value, index)
            elif self.has("{"):
                value = self.chosen(value)
            else:
                name = self.indexed(value, self.take())
                last = not self.left or self.left[0] not in (".", "->", "[")
                value = self.place(value, name) if of_address and last else self.member(value, name)
        return value

    def chosen(self, value: Value) -> Value:
        """Read `pid, comm}` and return those members; of several things, each one's."""
        names = [self.path()]
        while self.has(","):
            names.append(self.path())
        self.take("}")

        def of(one: Value) -> Value:
            if isinstance(one, Unread):
                return one
            place = one.address if isinstance(one, View | Pointer) else None
            return Members(tuple(names), tuple(self.through(one, name) for name in names), place)

        return value._replace(values=tuple(map(of, value.values))) if isinstance(value, Several) else of(value)

    def through(self, value: Value, path: str) -> Value:
        """Return what a path of members leads to; what cannot be read is said in its place."""
        for name in path.split("."):
            value = self.each(value, name)
        return value

    def place(self, value: Value, name: str) -> Value:
        """Return where a struct's member lies, which need not be there."""
        if isinstance(value, Several):
            return value._replace(values=tuple(self.place(one, name) for one in value.values))
        if isinstance(value, Pointer) and value.type is not None:
            value = self.kernel.view(value.type, value.address)
        if not isinstance(value, View) or value.address is None:
            raise ExpressionError(f"what stands before .{name} is no struct, nor a pointer to one")
        return Pointer((value.address + value.layout.member(name).offset) % self.kernel.memory.top)

    def indexed(self, value: Value, name: str) -> str:
        """Return a member's name with the index that follows it where it is an array of structs or of pointers."""
        if isinstance(value, Pointer) and value.type is not None:
            value = self.kernel.view(value.type, value.address)
        if not isinstance(value, View) or not self.left or self.left[0] != "[":
            return name
        member = value.layout.member(name)
        if member.kind != "array":
            return name
        self.take("[")
        index = number_of(self.binary(0, 1))
        self.take("]")
        if index < 0 or (member.count and index >= member.count):
            raise ExpressionError(f"{name} has no element {index}: there are {member.count:,}")
        return f"{name}[{index}]"

    def member(self, value: Value, name: str) -> Value:
        """Return a struct's member; a pointer is followed; of several things, each one's."""
        if isinstance(value, Several):
            return value._replace(values=tuple(self.each(one, name) for one in value.values))
        if isinstance(value, Pointer) and value.type is not None:
            value = self.kernel.view(value.type, value.address)
        if not isinstance(value, View):
            raise ExpressionError(f"what stands before .{name} is no struct, nor a pointer to one")
        member: Member = value.layout.member(name)
        if member.kind == "array" and member.element_kind in ("struct", "union", "ptr", "array"):
            raise ExpressionError(f"{name} is an array of {member.count:,}: name one of them, {name}[0]")
        found = value[name]
        target = value.target(member)
        return Pointer(found, target) if member.kind == "ptr" and isinstance(found, int) else found

    def each(self, value: Value, name: str) -> Value:
        if isinstance(value, Unread):
            return value
        try:
            return self.member(value, name)
        except ExpressionError:
            raise
        except OopscopeError as error:
            return Unread(str(error))

    def behind(self, value: Value) -> Value:
        """Return what a pointer points to: a struct, a number of C's, else a word."""
        if isinstance(value, Pointer) and value.type in BASIC:
            size = BASIC[value.type]
            return fitted(self.number_at(value.address, abs(size)), size)
        if isinstance(value, Pointer) and value.type is not None:
            return self.kernel.view(value.type, value.address)
        address = number_of(value)
        return Word(self.kernel.memory.word(address % self.kernel.memory.top), address)

    def address(self, value: Value) -> Value:
        if isinstance(value, View) and value.address is not None:
            return Pointer(value.address, value.name if "." not in value.name else None)
        if isinstance(value, Word):
            return Pointer(value.address)
        if isinstance(value, Pointer):
            return Pointer(value.address)
        raise ExpressionError("& takes a variable or a struct")


__all__ = [
    "ExpressionError", "Members", "NoType", "Pointer", "Several", "Unread", "Value", "Word", "evaluate", "number_of",
    "tokens", "value_of",
]  # fmt: skip
