"""Commands about types and values: struct, whatis, p, list, tree."""

from collections.abc import Callable

from oopscope.commands.command import (
    Argument,
    CardOf,
    Command,
    Line,
    Option,
    Request,
    Say,
    as_number,
    is_address,
    operand,
)
from oopscope.lazy_re import lazy_re

PROGRAM = "a program's memory is in few dumps; vm PID"
KEYWORDS = ("struct", "union", "enum")
EVERY_CPU = lazy_re(r"([A-Za-z_]\w*):(?:a|all)\b")  # runqueues:a
SIZE = lazy_re(r"\b(\d+)([kKmMgG])\b")  # 5k
SHIFTS = {"k": 10, "m": 20, "g": 30}
LOADED = "only what BTF says of types is there; struct NAME finds one by name"


def _struct(line: Line) -> Request:
    """A type, and perhaps the address or the symbol of one, in either order; `struct` itself may be said twice."""
    names = [word for word in line.names if word not in KEYWORDS]
    if len(names) > 1 and is_address(names[0]):
        names[:2] = names[1::-1]
    if len(names) > 2:
        return Say("struct: one at a time; a count is not there, so ask for the next address")
    if len(names) == 2 and ":" in names[1]:
        variable, _, cpus = names[1].partition(":")
        member = names[0].partition(".")[2]
        if cpus in ("a", "all"):  # of every CPU, as p shows it
            return CardOf("value", variable + (f".{{{member}}}" if "," in member else f".{member}" if member else ""))
        if as_number(cpus) is None:
            return Say(f"struct: one CPU, {variable}:0, or all of them, {variable}:a")
    if "-l" in line.options:
        outer, _, member = line.options["-l"].rpartition(".")
        if len(names) < 2 or not member:
            return Say("struct -l wants a member, a type and its address: struct task_struct -l tasks ADDRESS")
        past = member if as_number(member) is not None else f"offsetof({outer or names[0]}, {member})"
        names[1] = f"({operand(names[1])} - {past})"
    return CardOf("struct", "@".join(names[:2]) or None)


def _whatis(line: Line) -> Request:
    """A type where there is one of that name, else a symbol; with `--refs` who points at an address."""
    if "--refs" in line.options:
        asked = len(line.names) == 1
        return CardOf("references", operand(line.first)) if asked else Say("whatis --refs wants one address or a name")
    names = [word for word in line.names if word not in KEYWORDS]
    name = names[0] if names else None
    return CardOf("struct", name, (), None if len(names) < len(line.names) else CardOf("symbol", name))


def _p(line: Line) -> Request:
    """The value of an expression, or of a variable; `NAME:a` every CPU's, as without it; 5k is 5120."""
    text = EVERY_CPU.sub(r"\1", " ".join(line.names))
    return CardOf("value", SIZE.sub(lambda one: str(int(one[1]) << SHIFTS[one[2].lower()]), text) or None)


def _list(line: Line) -> Request:
    """`list TYPE.MEMBER -H HEAD -s TYPE.MEMBER`: a walk as an expression.

    Behind -H stands the head, which is no entry; behind -h an entry, whose links are the head.
    """
    usage = "list task_struct.tasks -H init_task.tasks -s task_struct.comm"
    names, options = list(line.names), line.options
    place = options.get("-o") or _taken(names, lambda word: "." in word and not word.startswith("init_"))
    start = options.get("-h") or options.get("-H") or _taken(names, lambda word: True)
    if not start or names:
        return Say(f"list wants a head: {usage}")
    outer, _, path = place.partition(".")
    if not path:
        outer, path = "list_head", "next"
        if place:
            return Say(f"list -o wants a type and a member, not {place[:20]}: {usage}")
    walk, head = "ring" if "-h" in options else "list", operand(start)
    if "-H" in options and as_number(head) is not None:
        head = f"*({head})"  # where the links begin, also those that are plain pointers
    return _members_of(f"{walk}({head}, {outer}, {path})", options)


def _tree(line: Line) -> Request:
    """`tree -t rb -o TYPE.MEMBER ROOT -s TYPE.MEMBER`: a walk as an expression; `-r` where in START its root is."""
    usage = "tree -o vmap_area.rb_node vmap_area_root -s vmap_area.va_start"
    names, options = list(line.names), line.options
    kind = options.get("-t", "rb")
    if not kind.startswith("rb"):
        return Say(f"tree -t {kind[:10]}: red-black trees are there alone; struct xa_node ADDRESS, struct maple_node "
                   "ADDRESS show a node")  # fmt: skip
    outer, _, path = options.get("-o", "").partition(".")
    start = _taken(names, lambda word: True)
    if not start or names:
        return Say(f"tree wants a root: {usage}")
    if not path:
        return Say(f"tree wants the node's place in each: {usage}")
    within, _, root = options.get("-r", "").partition(".")
    if within and not root:
        return Say("tree -r wants the struct that the root is in, and the member: tree -r TYPE.MEMBER")
    head = f"((struct {within} *){_place(start)}).{root}" if root else operand(start)
    return _members_of(f"tree({head}, {outer}, {path})", options)


def _taken(names: list[str], fits: Callable[[str], bool]) -> str:
    """Take the first name that fits out of the names; an empty text for none."""
    found = next((word for word in names if fits(word)), "")
    if found:
        names.remove(found)
    return found


def _place(word: str) -> str:
    """Return where something lies as an expression: an address, a task, or a variable's own."""
    return word if is_address(word) and word.startswith("0x") else operand(word) if is_address(word) else f"&{word}"


def _members_of(walked: str, options: dict[str, str]) -> Request:
    """Return the value of a walk, of `-s TYPE.A,B` those members of each."""
    shown = options.get("-s", "").partition(".")[2]
    return CardOf("value", f"{walked}.{{{shown}}}" if "," in shown else f"{walked}.{shown}" if shown else walked)


COMMANDS: tuple[Command, ...] = (
    Command(
        ("struct", "union", "*"),
        "a type's members and, at an address, values",
        _struct,
        (Argument("TYPE[.MEMBER]", "type", True), Argument("ADDRESS | NAME", "symbol")),
        (
            Option("-o", "offsets, as always"),
            Option("-x", "hexadecimal, as always"),
            Option("-d", "decimal, as always"),
            Option("-l", "of the struct around a member: the address is the member's", "MEMBER"),
            Option("-p", missing="what pointers lead to is said beside them"),
            Option("-r", missing="raw words: rd ADDRESS"),
            Option("-u", missing="a program's memory is in few dumps; vm PID"),
            Option("-c", missing="one at a time; ask for the next address", value="COUNT"),
            Option("-f", missing="an anonymous struct is shown in its place"),
        ),
        (("task_struct", "its members"), ("task_struct init_task", "with values"), ("rq.clock runqueues:0", "inside")),
    ),
    Command(
        ("whatis",),
        "what a type or a symbol is",
        _whatis,
        (Argument("TYPE | NAME", "type", True),),
        (
            Option("-o", "offsets, as always"),
            Option("--refs", "who points at the address: refs"),
            Option("-r", missing=LOADED, value="SIZE"),
            Option("-m", missing=LOADED, value="MEMBER"),
            Option("-l", missing=LOADED),
            Option("-a", missing=LOADED),
        ),
        (("list_head", "a type"), ("vfs_read", "a function")),
    ),
    Command(
        ("p", "print", "eval", "px", "pd", "p/x", "p/d"),
        "the value of an expression: variables, members, task(PID), per_cpu(NAME, CPU), sizeof(TYPE)",
        _p,
        (Argument("EXPRESSION", "symbol", True),),
        (
            Option("-x", "hexadecimal, as always"),
            Option("-d", "decimal, as always"),
            Option("-u", missing=PROGRAM),
            Option("-b", missing="bits by number: p 'VALUE >> N & 1' asks for one"),
            Option("-l", missing="numbers are of 64 bits, as always: p EXPRESSION"),
        ),
        (
            ("'task(1).mm.total_vm'", "a member, through pointers"),
            ("'per_cpu(runqueues, 0).nr_running'", "of a CPU's copy"),
            ("'sizeof(struct page)' --format json", "for a script"),
        ),
    ),
    Command(
        ("list",),
        "what a linked list holds; -s a member of each",
        _list,
        (Argument("TYPE.MEMBER", "type"), Argument("HEAD", "symbol")),
        (
            Option("-H", "the list's head, which is no entry", "HEAD"),
            Option(
                "-h", "one of its entries, from which it is gone round: a head within no entry comes as one", "ENTRY"
            ),
            Option("-s", "members of each", "TYPE.MEMBER,MEMBER"),
            Option("-o", "where in each the links are", "TYPE.MEMBER"),
            Option("-x", "hexadecimal, as always"),
            Option("-d", "decimal, as always"),
            Option("-r", missing="backwards: a walk checks the links both ways by itself"),
            Option("-B", missing="a walk ends by itself where a list comes back to where it was"),
            Option("-S", missing="members of each: list -s", value="TYPE.MEMBER"),
            Option("-O", missing="give the head itself: list TYPE.MEMBER -H HEAD", value="TYPE.MEMBER"),
            Option("-l", missing="give the place of the links as TYPE.MEMBER", value="OFFSET"),
            Option("-e", missing="all up to the list's end are shown", value="END"),
        ),
        (
            ("task_struct.tasks -H init_task.tasks -s task_struct.comm", "every process's name"),
            ("task_struct.tasks -h init_task -s task_struct.pid,comm", "the same from an entry, two members of each"),
            ("file_system_type.next file_systems -s file_system_type.name", "a chain of pointers"),
            ("module.list -H modules", "modules"),
        ),
    ),
    Command(
        ("tree",),
        "what a red-black tree holds, in order; -s a member of each",
        _tree,
        (Argument("ROOT", "symbol"),),
        (
            Option("-t", "the kind: rb", "KIND"),
            Option("-o", "where in each the node is", "TYPE.MEMBER"),
            Option("-r", "where in a struct at ROOT the root is", "TYPE.MEMBER"),
            Option("-s", "members of each", "TYPE.MEMBER,MEMBER"),
            Option("-l", "in order, as always"),
            Option("-x", "hexadecimal, as always"),
            Option("-d", "decimal, as always"),
            Option("-S", missing="members of each: tree -s", value="TYPE.MEMBER"),
            Option("-N", missing="give the root, not its first node: tree -o TYPE.MEMBER ROOT", value="NODE"),
            Option("-p", missing="all come in order; where each stands in the tree is not kept"),
            Option("-v", missing="a walk of a tree checks it by itself"),
        ),
        (("-o vmap_area.rb_node vmap_area_root -s vmap_area.va_start", "where vmalloc's areas begin"),),
    ),
)
