"""Commands about memory, code and types: kmem, rd, dis, sym, struct, whatis, p and their kin."""

from collections.abc import Callable

from oopscope.commands.command import (
    Argument,
    CardOf,
    Command,
    Line,
    Option,
    Request,
    Say,
    TableOf,
    as_number,
    key_of,
)

ADDRESS = Argument("NAME | ADDRESS", "symbol", True)
SOURCE = "source lines need debug symbols, and oopscope works without: dis shows what the machine ran"
PROGRAM = "a program's memory is in few dumps; vm PID"
# The tables that kmem's options ask for, beside -s.
OF_OPTION = {
    "-z": "zones",
    "-v": "vmallocs",
    "-V": "vmstat",
    "-f": "freelists",
    "-n": "nodes",
    "-h": "hugepages",
}
FORMS = {"-8": "8", "-16": "16", "-32": "32", "-64": "64", "-d": "d", "-a": "a", "-p": "p"}
HEX = set("0123456789abcdef")
KEYWORDS = ("struct", "union", "enum")


def _kmem(line: Line) -> Request:
    """What crash's kmem shows: -s slabs, a table for another option, else all of memory; of an address what it is."""
    name = line.names[-1] if line.names else ""
    if "-s" in line.options:
        return TableOf("slabs", key_of(name) if name else None)
    table = next((OF_OPTION[option] for option in OF_OPTION if option in line.options), None)
    if table is not None:
        return TableOf(table)
    if name:
        return CardOf("symbol", name)
    return TableOf("meminfo")


def _slab(line: Line) -> Request:
    return TableOf("slabs", line.first or None)


def _rd(line: Line) -> Request:
    """Words from an address on; `rd ADDRESS 32` for so many."""
    count = as_number(line.names[1]) if len(line.names) > 1 else None
    if len(line.names) > 1 and count is None:
        return Say(f"rd: {line.names[1][:20]} is no count of words")
    form = next((FORMS[name] for name in FORMS if name in line.options), "")
    place = f"{line.first}+{line.options['-o']}" if line.options.get("-o") and line.names else line.first
    if form:
        count = count if count is not None else 256 if form == "a" else 16
        return CardOf("memory", f"{place}/{count}/{form}")
    return CardOf("memory", f"{place}/{count}" if count is not None else place or None)


def _dis(line: Line) -> Request:
    """A function's code; `-r` up to the address, `-f` from it on, a count so many instructions."""
    part = "/to" if "-r" in line.options else "/from" if "-f" in line.options else ""
    if len(line.names) > 1:
        count = as_number(line.names[1])
        if count is None or count < 1:
            return Say(f"dis: {line.names[1][:20]} is no count of instructions")
        part = f"/{count}"
    return CardOf("code", line.first + part if line.names else None)


def _sym(line: Line) -> Request:
    for option, way in (("-q", "q"), ("-m", "m"), ("-M", "m"), ("-p", "p"), ("-n", "n"), ("-l", "l")):
        if option in line.options:
            word = line.options[option] or line.first
            if not word and way not in "ml":
                return Say(f"sym {option} wants a name: sym {option} schedule")
            return CardOf("symbols", f"{way}:{word if option not in ('-M', '-l') else ''}")
    return CardOf("symbol", line.first) if line.names else Say("sym wants a name or an address: sym schedule")


def _operand(word: str) -> str:
    """Return an address as an expression has it: bare digits of an address with their 0x."""
    return f"0x{word}" if len(word) >= 8 and not set(word.lower()) - HEX else word


def _list(line: Line) -> Request:
    """`list TYPE.MEMBER -H HEAD -s TYPE.MEMBER`: a walk as an expression."""
    return _walk("list", "list task_struct.tasks -H init_task.tasks -s task_struct.comm", line)


def _tree(line: Line) -> Request:
    """`tree -t rb -r TYPE.MEMBER ROOT -s TYPE.MEMBER`: a walk as an expression."""
    kind = line.options.get("-t", "rb")
    if not kind.startswith("rb"):
        return Say(f"tree -t {kind[:10]}: red-black trees are there alone; struct xa_node ADDRESS, struct maple_node "
                   "ADDRESS show a node")  # fmt: skip
    return _walk("tree", "tree -r vmap_area.rb_node vmap_area_root -s vmap_area.va_start", line)


def _walk(kind: str, usage: str, line: Line) -> Request:
    names, options = list(line.names), line.options
    member = options.get("-o") or options.get("-r") or (names.pop(0) if names and "." in names[0] and not
                                                        names[0].startswith("init_") else "")  # fmt: skip
    head = options.get("-H") or options.get("-h") or (names.pop(0) if names else "")
    function = "ring" if kind == "list" and "-h" in options and "-H" not in options else kind
    outer, _, path = member.partition(".")
    if not head or names:
        return Say(f"{kind} wants a head: {usage}")
    if not path:
        if kind == "tree":
            return Say(f"tree wants the node's place: {usage}")
        outer, path = "list_head", "next"
    head = _operand(head)
    if "-H" in options and as_number(head) is not None:
        head = f"*({head})"  # where the links begin, also those that are plain pointers
    walked = f"{function}({head}, {outer}, {path})"
    shown = options.get("-s", "")
    if "," in shown:
        return Say(f"{kind} -s: one member at a time")
    return CardOf("value", walked + (f".{shown.partition('.')[2]}" if "." in shown else ""))


def _search(line: Line) -> Request:
    if "-c" in line.options:
        return CardOf("search", f'"{" ".join((line.options["-c"], *line.names)).strip()}')
    if len(line.names) != 1:
        return Say("search wants one value, or with -c a text: search init_task")
    return CardOf("search", _operand(line.first) if as_number(line.first) is None else line.first)


def _translate(way: str) -> Callable[[Line], Request]:
    return lambda line: CardOf("translation", f"{way}:{line.first}")


def _struct(line: Line) -> Request:
    """A type, and perhaps the address or the symbol of one, in either order; `struct` itself may be said twice."""
    names = [word for word in line.names if word not in KEYWORDS]
    if len(names) > 1 and _is_address(names[0]):
        names[:2] = names[1::-1]
    if len(names) > 2:
        return Say("struct: one at a time; a count is not there, so ask for the next address")
    if "-l" in line.options:
        outer, _, member = line.options["-l"].rpartition(".")
        if len(names) < 2 or not member:
            return Say("struct -l wants a member, a type and its address: struct task_struct -l tasks ADDRESS")
        past = member if as_number(member) is not None else f"offsetof({outer or names[0]}, {member})"
        names[1] = f"({_operand(names[1])} - {past})"
    return CardOf("struct", "@".join(names[:2]) or None)


def _is_address(word: str) -> bool:
    digits = word.lower().removeprefix("0x")
    return len(digits) >= 8 and not set(digits) - set("0123456789abcdef")


def _whatis(line: Line) -> Request:
    """A type where there is one of that name, else a symbol; with `--refs` who points at an address."""
    if "--refs" in line.options:
        return _refs(line)
    names = [word for word in line.names if word not in KEYWORDS]
    name = names[0] if names else None
    return CardOf("struct", name, (), None if len(names) < len(line.names) else CardOf("symbol", name))


def _refs(line: Line) -> Request:
    if len(line.names) != 1:
        return Say("refs wants one address or a name: refs init_task")
    return CardOf("references", _operand(line.first))


def _p(line: Line) -> Request:
    """The value of an expression, or of a variable."""
    return CardOf("value", " ".join(line.names) or None)


COMMANDS: tuple[Command, ...] = (
    Command(
        ("kmem", "free"),
        "memory; -s slabs, -z zones",
        _kmem,
        (Argument("ADDRESS | NAME"),),
        (
            Option("-i", "where memory is"),
            Option("-s", "slab caches"),
            Option("-z", "zones"),
            Option("-S", missing="the objects of a slab: struct TYPE ADDRESS, for an address that sym calls one"),
            Option("-v", "areas of vmalloc, by who asked for them"),
            Option("-V", "counters of vmstat"),
            Option("-f", "free pages by order and type"),
            Option("-F", missing="each free page by itself: kmem -f has how many there are of each order"),
            Option("-n", "nodes"),
            Option("-p", missing="a page: struct page ADDRESS; sym ADDRESS says what a page holds"),
            Option("-m", missing="a page: struct page ADDRESS"),
            Option("-c", missing="a page: struct page ADDRESS"),
            Option("-g", missing="flags of a page: struct page.flags ADDRESS"),
            Option("-o", missing="per-CPU offsets: p NAME:CPU, sym NAME:CPU"),
            Option("-h", "huge pages by size"),
        ),
        (("-i", "as /proc/meminfo"), ("-s", "slab caches"), ("-z", "zones")),
    ),
    Command(
        ("slab", "slabtop"), "slab caches, or one of them", _slab, (Argument("NAME", "slab"),), (), (("dentry", "one"),)
    ),
    Command(
        ("sym",),
        "a symbol or an address: what it is, who is in it",
        _sym,
        (ADDRESS._replace(needed=False),),
        (
            Option("-q", "those whose names hold a word"),
            Option("-m", "a module's"),
            Option("-M", "all modules'"),
            Option("-l", "all"),
            Option("-p", "it and the one before"),
            Option("-n", "it and the one after"),
        ),
        (
            ("schedule", "where it is, who is in it"),
            ("ffffffff81000000", "what an address is"),
            ("-q do_sched", "by a part of the name"),
        ),
    ),
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
            Option("-c", missing="one at a time; ask for the next address"),
            Option("-f", missing="an anonymous struct is shown in its place"),
        ),
        (("task_struct", "its members"), ("task_struct init_task", "with values"), ("rq.clock runqueues:0", "inside")),
    ),
    Command(
        ("whatis",),
        "what a type or a symbol is",
        _whatis,
        (Argument("TYPE | NAME", "type", True),),
        (Option("-o", "offsets, as always"), Option("--refs", "who points at the address: refs")),
        (("list_head", "a type"), ("vfs_read", "a function")),
    ),
    Command(
        ("rd", "x"),
        "memory as words, with what each means",
        _rd,
        (ADDRESS, Argument("COUNT", "number")),
        (
            Option("-x", "hexadecimal, as always"),
            Option("-s", "symbols, as always"),
            Option("-S", "slab objects, as always"),
            Option("-64", "words of 64 bits"),
            Option("-8", "bytes"),
            Option("-16", "units of 16 bits"),
            Option("-32", "units of 32 bits"),
            Option("-d", "words in decimal"),
            Option("-a", "a text"),
            Option("-p", "the address is physical"),
            Option("-o", "so many bytes further on", "OFFSET"),
            Option("-u", missing="a program's memory is in few dumps; vm PID"),
            Option("-e", missing="a count of words instead: rd ADDRESS COUNT"),
            Option("-r", missing="raw bytes: from oopscope import open, then read()"),
        ),
        (("init_task 16", "16 words"), ("init_task 16 --format csv", "for a spreadsheet")),
    ),
    Command(
        ("dis",),
        "a function's code",
        _dis,
        (ADDRESS, Argument("COUNT", "number")),
        (
            Option("-r", "up to the address"),
            Option("-f", "from the address on"),
            Option("-x", "hexadecimal, as always"),
            Option("-d", missing="decimal offsets"),
            Option("-l", missing=SOURCE),
            Option("-s", missing=SOURCE),
            Option("-u", missing="a program's code is in few dumps"),
            Option("-b", missing="bytes: wide screens and --format json have them"),
        ),
        (("schedule", "a function"), ("-r schedule+10", "up to there"), ("schedule 5", "five instructions")),
    ),
    Command(
        ("p", "print", "eval"),
        "the value of an expression: variables, members, task(PID), per_cpu(NAME, CPU), sizeof(TYPE)",
        _p,
        (Argument("EXPRESSION", "symbol", True),),
        (Option("-x", "hexadecimal, as always"), Option("-d", "decimal, as always"), Option("-u", missing=PROGRAM)),
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
            Option("-s", "a member of each", "TYPE.MEMBER"),
            Option("-o", "where in each the links are", "TYPE.MEMBER"),
            Option("-x", "hexadecimal, as always"),
            Option("-r", missing="backwards: a walk checks the links both ways by itself"),
            Option("-l", missing="give the place of the links as TYPE.MEMBER"),
            Option("-e", missing="all up to the list's end are shown"),
        ),
        (
            ("task_struct.tasks -H init_task.tasks -s task_struct.comm", "every process's name"),
            ("module.list -H modules", "modules"),
            ("file_system_type.next file_systems -s file_system_type.name", "a chain of pointers"),
        ),
    ),
    Command(
        ("tree",),
        "what a red-black tree holds, in order; -s a member of each",
        _tree,
        (Argument("ROOT", "symbol"),),
        (
            Option("-t", "the kind: rb", "KIND"),
            Option("-r", "where in each the node is", "TYPE.MEMBER"),
            Option("-o", "the same", "TYPE.MEMBER"),
            Option("-s", "a member of each", "TYPE.MEMBER"),
            Option("-x", "hexadecimal, as always"),
            Option("-p", missing="where each stands in the tree"),
        ),
        (("-r vmap_area.rb_node vmap_area_root -s vmap_area.va_start", "where vmalloc's areas begin"),),
    ),
    Command(
        ("search",),
        "where in memory a value or a text stands",
        _search,
        (Argument("VALUE | NAME", "symbol"),),
        (
            Option("-k", "of the kernel, as always"),
            Option("-c", "a text, not a word", "TEXT"),
            Option("-u", missing=PROGRAM),
            Option("-s", missing="all of the dump is searched"),
            Option("-m", missing="a mask: search finds whole words"),
            Option("-p", missing="physical addresses stand beside the others"),
            Option("-t", missing="stacks are searched with the rest"),
        ),
        (("init_task", "who points at it"),),
    ),
    Command(
        ("refs", "kgrep"),
        "who points at an object, and what each such word lies in",
        _refs,
        (ADDRESS,),
        (),
        (("init_task", "who points at a task, or into it"),),
    ),
    Command(
        ("vtop",),
        "a virtual address: its physical one, its page, whether the dump has it",
        _translate("v"),
        (ADDRESS,),
        (Option("-k", "of the kernel, as always"), Option("-u", missing=PROGRAM), Option("-c", missing=PROGRAM)),
        (("init_task", "where a variable lies"),),
    ),
    Command(
        ("ptov",),
        "a physical address: where it is mapped, its page, whether the dump has it",
        _translate("p"),
        (Argument("PHYSICAL", "number", True),),
        (),
        (("1000", "of an address, in hexadecimal"),),
    ),
    Command(
        ("btop",),
        "a physical address as a page frame",
        _translate("p"),
        (Argument("PHYSICAL", "number", True),),
        (),
        (("1000", "of an address, in hexadecimal"),),
    ),
    Command(
        ("ptob",),
        "a page frame as an address",
        _translate("f"),
        (Argument("FRAME", "number", True),),
        (),
        (("10", "of a frame, in hexadecimal"),),
    ),
)
