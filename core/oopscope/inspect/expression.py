"""A small language for looking at a kernel: C's expressions over its memory, symbols and types. Nothing is ever run.

`task(1).mm.total_vm`, `per_cpu(runqueues, 0).nr_running`, `sizeof(struct page)`, `*(struct file *)0xffff...`,
`offsetof(struct rq, clock)`, `init_task.pid + 1`, `runqueues:1.clock`, `&jiffies`, `list(init_task.tasks, task_struct,
tasks).comm`. A pointer's member is read through it, `.` and `->` alike; of several things, each one's. BTF has no types
of ordinary variables: those that are not known here are read as a word, and the answer says that this is a guess.
"""

from collections.abc import Callable, Iterator
from itertools import chain, islice, takewhile
from typing import NoReturn

from oopscope.errors import Implausible, NoType, OopscopeError
from oopscope.inspect.expression_parts import (
    BINARY,
    ExpressionError,
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
from oopscope.inspect.look_up import address_of
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.kernel.walk import for_each_chain, for_each_hlist, for_each_list, for_each_rbtree
from oopscope.linux.module import in_text
from oopscope.linux.task import lost_tasks, task_structs
from oopscope.memory.virtual import Memory
from oopscope.structs.layout import Member
from oopscope.structs.view import View
from oopscope.symbols.btf import COMPOUND

DEEPEST = 40  # parentheses and operators within each other
MOST = 10_000  # things of a list or a tree
WALKS = {"list": for_each_list, "hlist": for_each_hlist, "tree": for_each_rbtree}
FUNCTIONS = ("task", "per_cpu", "sizeof", "offsetof", "container_of", "list", "ring", "hlist", "tree", "count")
NODES = ("list_head", "hlist_node")  # what links point to, where they do not point to the next thing itself
# Ordinary variables of which the type is known, though BTF does not say it.
STRUCTS = {"init_task": "task_struct", "init_mm": "mm_struct", "init_net": "net", "init_pid_ns": "pid_namespace",
           "init_user_ns": "user_namespace", "init_uts_ns": "uts_namespace", "init_cred": "cred",
           "init_css_set": "css_set", "iomem_resource": "resource", "init_nsproxy": "nsproxy"}  # fmt: skip
INTS = {"panic_cpu": 4, "nr_threads": 4, "nr_cpu_ids": 4, "total_forks": 8, "tainted_mask": 8, "jiffies": 8,
        "jiffies_64": 8, "panic_timeout": 4, "max_pfn": 8, "page_offset_base": 8, "vmalloc_base": 8, "vmemmap_base": 8,
        "phys_base": 8}  # fmt: skip


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


def _is_linked(memory: Memory, node: int) -> bool:
    """Tell whether a struct list_head's neighbours name it."""
    following, before = memory.words(node, 2)
    try:
        return memory.words(following, 2)[1] == node and memory.word(before) == node
    except OopscopeError:
        return False


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

    def unary(self, depth: int) -> Value:
        """Read signs, `*`, `&`, casts, then what they stand before."""
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
            return self.address(self.unary(depth + 1))
        if len(self.left) > 1 and self.left[0] == "(" and self.left[1] in ("struct", "union"):
            return self.cast(depth)
        return self.members(self.primary(depth))

    def cast(self, depth: int) -> Value:
        """Read `(struct NAME *)` and what it is put upon."""
        self.take("(")
        name = self.type_name()
        self.take("*")
        self.take(")")
        return Pointer(number_of(self.unary(depth + 1)), name)

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
        walk = self.walk(name, first, outer, member, lost.append)
        found = tuple(Pointer(address % self.kernel.memory.top, outer) for address in islice(walk, MOST + 1))
        if lost and not found:
            raise lost[0]
        more = f"more than {MOST:,}: these are the first" if len(found) > MOST else ""
        return Several(found[:MOST], "; ".join([*map(str, lost[:1]), *([more] if more else [])]))

    def walk(
        self, name: str, first: Value, outer: str, member: Member, lost: Callable[[OopscopeError], None]
    ) -> Iterator[int]:
        """Walk from a head, or from one of the entries where it is `ring`; by pointers where the member is one."""
        memory, at, link = self.kernel.memory, place_of(first), member.offset
        target = self.kernel.view(outer, at).target(member)
        if name in ("list", "ring") and member.kind == "ptr" and target not in NODES:
            if isinstance(first, Word) and name == "list":  # a variable that holds the first one
                return for_each_chain(memory, at, link, 0, lost)
            start = number_of(first) if isinstance(first, Word) else at
            return chain(
                [start], takewhile(lambda one: one != start, for_each_chain(memory, start + link, link, 0, lost))
            )
        if name != "ring":
            return WALKS[name](memory, at, link, lost)
        if (isinstance(first, View) and first.name != outer) or not _is_linked(memory, at + link):
            return for_each_list(memory, at, link, lost)  # the head after all
        return chain([at], for_each_list(memory, at + link, link, lost))

    def path(self) -> str:
        names = [self.take()]
        while self.has("."):
            names.append(self.take())
        return ".".join(names)

    def task(self, pid: int) -> View:
        """Return the task of a PID, or of the address of its task_struct."""
        whole, lost = self.kernel.cached(task_structs).values(), self.kernel.cached(lost_tasks).values()
        known = [*((t.pid, t.address) for t in whole), *((t.pid, t.address) for t in lost)]
        address = next((address for number, address in known if pid in (number, address)), None)
        if address is None:
            raise Implausible(f"no task {pid:#x}" if pid > 1 << 32 else f"no task {pid}")
        return self.kernel.view("task_struct", address)

    def variable(self, name: str) -> Value:
        """Return a variable's value: by its known type, else a word; of a function its address."""
        if name in self.names:
            return self.names[name]
        kernel, address = self.kernel, address_of(self.kernel, name)
        plain = name.partition(":")[0]
        if in_text(kernel, address):
            return Pointer(address)
        known = kernel.types.btf.variables().get(plain)
        if known is not None and ":" not in name:  # as crash shows it: every CPU's
            return Several(tuple(map(self.of_cpu(plain), range(len(kernel.cached(per_cpu_offsets))))))
        if known is not None:
            return self.typed(known.type, address)
        if plain in STRUCTS:
            return kernel.view(STRUCTS[plain], address)
        if plain in INTS:
            return int.from_bytes(kernel.memory.read(address, min(INTS[plain], kernel.memory.word_size)), "little")
        return Word(kernel.memory.word(address), address)

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
            return int.from_bytes(self.kernel.memory.read(address, size), "little")
        return Word(self.kernel.memory.word(address), address)

    def members(self, value: Value) -> Value:
        """Read the members and elements that follow a value."""
        while self.left and self.left[0] in (".", "->", "["):
            if self.take() == "[":
                index = number_of(self.binary(0, 1))
                self.take("]")
                value = self.element(value, index)
            else:
                value = self.member(value, self.indexed(value, self.take()))
        return value

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

    def element(self, value: Value, index: int) -> Value:
        if isinstance(value, Several):
            if not 0 <= index < len(value.values):
                raise ExpressionError(f"no element {index}: there are {len(value.values):,}")
            return value.values[index]
        if isinstance(value, bytes) or (
            isinstance(value, tuple) and not isinstance(value, Pointer | Word | Unread | Several)
        ):
            if not 0 <= index < len(value):
                raise ExpressionError(f"no element {index}: there are {len(value)}")
            found = value[index]
            assert isinstance(found, int)
            return found
        if isinstance(value, Pointer) and value.type is not None:
            size = self.kernel.types.sizeof(value.type)
            return self.kernel.view(value.type, (value.address + index * size) % self.kernel.memory.top)
        raise ExpressionError("only arrays and pointers to structs have elements")

    def behind(self, value: Value) -> Value:
        """Return what a pointer points to: a struct, else a word."""
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
    "ExpressionError", "NoType", "Pointer", "Several", "Unread", "Value", "Word", "evaluate", "number_of", "tokens",
    "value_of",
]  # fmt: skip
