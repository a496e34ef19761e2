"""What was hung into the kernel: functions called at its death, probes, function tracers, live patches.

Follows kernel/{notifier.c,kprobes.c,trace/ftrace.c,livepatch/core.c} and include/linux/{notifier.h,kprobes.h,
ftrace.h,livepatch.h}. A probe must stand in kernel text, and a function that is called be one that has a name.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_chain, for_each_hlist, for_each_list
from oopscope.structs.plan import Plan

MAX_HOOKS, MAX_PROBES, MAX_SHIFT, MAX_NAMED = 10_000, 64, 16, 8
KPROBE_TABLE = 64  # KPROBE_TABLE_SIZE
PROBE_FLAGS = ((1, "gone"), (2, "disabled"), (4, "optimized"), (8, "by ftrace"))
OPS_ENABLED, OPS_SAVE_REGS, OPS_IPMODIFY, OPS_DIRECT = 1, 1 << 2, 1 << 13, 1 << 17
# The chains: their symbol, the struct that heads each, and when their functions are called.
CHAINS = (
    ("panic_notifier_list", "atomic_notifier_head", "at a panic"),
    ("die_chain", "atomic_notifier_head", "at an oops or a trap"),
    ("reboot_notifier_list", "blocking_notifier_head", "before a reboot"),
    ("restart_handler_list", "atomic_notifier_head", "to restart"),
    ("power_off_handler_list", "atomic_notifier_head", "to power off"),
    ("oom_notify_list", "blocking_notifier_head", "when memory ran out"),
    ("module_notify_list", "blocking_notifier_head", "when modules come and go"),
    ("x86_mce_decoder_chain", "blocking_notifier_head", "at a machine check"),
)


class Block(NamedTuple):
    """struct notifier_block."""

    address: int
    call: int
    priority: int


class Probe(NamedTuple):
    """struct kprobe."""

    address: int
    addr: int
    pre: int
    post: int
    missed: int
    flags: int
    list: int


class Ops(NamedTuple):
    """struct ftrace_ops."""

    address: int
    func: int
    saved: int
    flags: int
    hash: int | None


class Hash(NamedTuple):
    """struct ftrace_hash."""

    size_bits: int
    buckets: int
    entries: int


class Patch(NamedTuple):
    """struct klp_patch."""

    address: int
    mod: int
    enabled: int
    forced: int
    objects: int
    link: int


class Object(NamedTuple):
    """struct klp_object."""

    name: int
    functions: int
    node: int


class Function(NamedTuple):
    """struct klp_func."""

    address: int
    old_name: int
    new_func: int
    patched: int
    transition: int
    node: int


BLOCK = Plan("notifier_block", Block, call="notifier_call")
PROBE = Plan("kprobe", Probe, pre="pre_handler", post="post_handler", missed="nmissed", list="&list")
OPS = Plan("ftrace_ops", Ops, saved="saved_func", hash="func_hash")
HASH = Plan("ftrace_hash", Hash, entries="count")
PATCH = Plan("klp_patch", Patch, objects="&obj_list", link="&list")
OBJECT = Plan("klp_object", Object, functions="&func_list", node="&node")
FUNCTION = Plan("klp_func", Function, node="&node")


class Hook(NamedTuple):
    """A function that something else than the kernel's own course calls."""

    kind: str  # notifier, kprobe, ftrace, live patch
    where: str  # the chain, or the function that it stands in
    function: str | None
    module: str | None
    state: str
    priority: int | None
    address: int


class _Hooks:
    """The hooks of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory, self.types = kernel, kernel.memory, kernel.types

    def _called(self, address: int) -> tuple[str | None, str | None]:
        """Return a function's name, and its module's."""
        name = self.kernel.name_of(address) if address else None
        if name is None:
            return (f"{address:#x}" if address else None), None
        return name.symbol + (f"+{name.offset:#x}" if name.offset else ""), name.module

    def notifiers(self) -> Iterator[Hook]:
        """Yield what is called at a panic, an oops, a reboot ..."""
        bound, link = self.kernel.bind(BLOCK), self.types.member("notifier_block", "next").offset
        for symbol, head, when in CHAINS:
            at = self.kernel.find_symbol(symbol)
            if at is None:
                continue
            lost = self.kernel.problems.lost("hooks", symbol)
            place = at + self.types.member(head, "head").offset
            for row in bound.rows(for_each_chain(self.memory, place, link, 0, lost), lost):
                yield Hook("notifier", when, *self._called(row.call), symbol, row.priority, row.address)

    def probes(self) -> Iterator[Hook]:
        """Yield the kprobes: those of a place with several hang below one that stands for them."""
        table, bound = self.kernel.symbol("kprobe_table"), self.kernel.bind(PROBE)
        lost = self.kernel.problems.lost("hooks", "kprobes")
        for at in range(KPROBE_TABLE):
            head = table + at * self.memory.word_size
            for probe in bound.rows(for_each_hlist(self.memory, head, 0, lost), lost):
                yield from self._probe(probe)

    def _probe(self, probe: Probe) -> Iterator[Hook]:
        bound, called = self.kernel.bind(PROBE), self._called(probe.pre)
        if called[0] == "aggr_pre_handler":
            lost = self.kernel.problems.lost("hooks", "kprobes of one place")
            for one in bound.rows(for_each_list(self.memory, probe.list, bound.offset("list"), lost, MAX_PROBES), lost):
                yield self._one_probe(one, probe.flags)
        else:
            yield self._one_probe(probe, probe.flags)

    def _one_probe(self, probe: Probe, flags: int) -> Hook:
        words = [word for bit, word in PROBE_FLAGS if (probe.flags | flags & 12) & bit]
        words += [f"missed {probe.missed}"] if probe.missed else []
        place, module = self._called(probe.addr)
        where = f"{place or probe.addr}" + (f" [{module}]" if module else "")
        called = self._called(probe.pre or probe.post)
        return Hook("kprobe", where, *called, ", ".join(words) or "enabled", None, probe.address)

    def tracers(self) -> Iterator[Hook]:
        """Yield who has functions traced by ftrace: tracers, perf, live patches, probes at a function's begin."""
        end, bound = self.kernel.symbol("ftrace_list_end"), self.kernel.bind(OPS)
        lost = self.kernel.problems.lost("hooks", "ftrace")
        link = self.types.member("ftrace_ops", "next").offset
        for row in bound.rows(for_each_chain(self.memory, self.kernel.symbol("ftrace_ops_list"), link, 0, lost), lost):
            if row.address == end:
                return
            called = self._called(row.saved or row.func)
            words = ["enabled" if row.flags & OPS_ENABLED else "not enabled"]
            words += ["changes where it returns to"] if row.flags & OPS_IPMODIFY else []
            yield Hook("ftrace", self._filtered(row), *called, ", ".join(words), None, row.address)

    def _filtered(self, row: Ops) -> str:
        """Return the functions that a tracer looks at: some by name, and how many."""
        if not row.hash:
            return "every function"
        at = self.memory.word(row.hash + self.types.member("ftrace_ops_hash", "filter_hash").offset)
        found = self.kernel.bind(HASH).row(at) if at else Hash(0, 0, 0)
        if not found.entries or found.size_bits > MAX_SHIFT:
            return "every function"
        names, size = list[str](), self.memory.word_size
        ip, node = (self.types.member("ftrace_func_entry", name).offset for name in ("ip", "hlist"))
        for at in range(1 << found.size_bits):
            for entry in for_each_hlist(self.memory, found.buckets + at * size, node):
                name = self.kernel.name_of(self.memory.word(entry + ip))
                names += [name.symbol] if name is not None and len(names) < MAX_NAMED else []
        more = f" and {found.entries - len(names):,} more" if found.entries > len(names) else ""
        return ", ".join(sorted(names)) + more

    def patches(self) -> Iterator[Hook]:
        """Yield the functions that live patches replace."""
        head, patches = self.kernel.symbol("klp_patches"), self.kernel.bind(PATCH)
        objects, functions = self.kernel.bind(OBJECT), self.kernel.bind(FUNCTION)
        lost = self.kernel.problems.lost("hooks", "live patches")
        for patch in patches.rows(for_each_list(self.memory, head, patches.offset("link"), lost, MAX_HOOKS), lost):
            inside = for_each_list(self.memory, patch.objects, objects.offset("node"), lost, MAX_HOOKS)
            for one in objects.rows(inside, lost):
                of = f" [{self._text(one.name)}]" if one.name else ""
                replaced = for_each_list(self.memory, one.functions, functions.offset("node"), lost, MAX_HOOKS)
                for row in functions.rows(replaced, lost):
                    words = ["patched" if row.patched else "not patched"]
                    words += ["in transition"] if row.transition else []
                    words += ["forced"] if patch.forced else []
                    words += [] if patch.enabled else ["disabled"]
                    where = self._text(row.old_name) + of
                    yield Hook("live patch", where, *self._called(row.new_func), ", ".join(words), None, row.address)

    def _text(self, address: int) -> str:
        return self.memory.text(address, 128) if address else ""


@once
def hooks(kernel: Kernel) -> list[Hook]:
    """Return what was hung into the kernel; a kind that this kernel has not is left out."""
    reader, found = _Hooks(kernel), list[Hook]()
    kinds: tuple[Callable[[], Iterator[Hook]], ...] = (
        reader.patches, reader.probes, reader.tracers, reader.notifiers,
    )  # fmt: skip
    for kind in kinds:
        try:
            for hook in kind():
                if len(found) >= MAX_HOOKS:
                    break
                found.append(hook)
        except Absent:
            continue
        except OopscopeError as e:
            kernel.problems.lost("hooks", kind.__name__)(e)
    return found
