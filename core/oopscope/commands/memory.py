"""Commands about memory, code and types: kmem, rd, dis, sym, struct, whatis, p and their kin."""

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
    missing,
)

ADDRESS = Argument("NAME | ADDRESS", "symbol", True)
SOURCE = "source lines need debug symbols, and oopscope works without: dis shows what the machine ran"
PROGRAM = "a program's memory is in few dumps; vm PID"
KEYWORDS = ("struct", "union", "enum")


def _kmem(line: Line) -> Request:
    """What crash's kmem shows: -s slabs, -z zones, else all of memory; of an address what it is."""
    name = line.names[-1] if line.names else ""
    if "-s" in line.options:
        return TableOf("slabs", key_of(name) if name else None)
    if "-z" in line.options:
        return TableOf("zones")
    if name:
        return CardOf("symbol", name)
    return TableOf("meminfo")


def _slab(line: Line) -> Request:
    return TableOf("slabs", line.first or None)


def _sym(line: Line) -> Request:
    return CardOf("symbol", line.first or None)


def _rd(line: Line) -> Request:
    """Words from an address on; `rd ADDRESS 32` for so many."""
    count = as_number(line.names[1]) if len(line.names) > 1 else None
    if len(line.names) > 1 and count is None:
        return Say(f"rd: {line.names[1][:20]} is no count of words")
    return CardOf("memory", f"{line.first}/{count}" if count is not None else line.first or None)


def _dis(line: Line) -> Request:
    return CardOf("code", line.first or None)


def _struct(line: Line) -> Request:
    """A type, and perhaps the address or the symbol of one, in either order; `struct` itself may be said twice."""
    names = [word for word in line.names if word not in KEYWORDS]
    if len(names) > 1 and _is_address(names[0]):
        names[:2] = names[1::-1]
    if len(names) > 2:
        return Say("struct: one at a time; a count is not there, so ask for the next address")
    if names and "," in names[0]:
        return Say("struct: one member at a time: struct TYPE.MEMBER ADDRESS")
    return CardOf("struct", "@".join(names[:2]) or None)


def _is_address(word: str) -> bool:
    digits = word.lower().removeprefix("0x")
    return len(digits) >= 8 and not set(digits) - set("0123456789abcdef")


def _whatis(line: Line) -> Request:
    """A type where there is one of that name, else a symbol."""
    names = [word for word in line.names if word not in KEYWORDS]
    name = names[0] if names else None
    return CardOf("struct", name, (), None if len(names) < len(line.names) else CardOf("symbol", name))


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
            Option("-f", missing="free pages by order are not there: kmem -z has each zone's"),
            Option("-F", missing="free pages by order are not there: kmem -z has each zone's"),
            Option("-v", missing="the list of vmalloc areas: sym ADDRESS says in which one an address lies"),
            Option("-V", missing="the counters of vmstat: kmem -i has those of /proc/meminfo"),
            Option("-n", missing="nodes and memory sections: kmem -z has the zones of each node"),
            Option("-p", missing="a page: struct page ADDRESS; sym ADDRESS says what a page holds"),
            Option("-m", missing="a page: struct page ADDRESS"),
            Option("-c", missing="a page: struct page ADDRESS"),
            Option("-g", missing="flags of a page: struct page.flags ADDRESS"),
            Option("-o", missing="per-CPU offsets: p NAME:CPU, sym NAME:CPU"),
            Option("-h", missing="huge pages: kmem -i has HugePages of /proc/meminfo"),
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
        (ADDRESS,),
        (
            Option("-l", missing="the list of all symbols; sym NAME finds one, on the screen : completes what is read"),
            Option("-m", missing="a module's symbols; sym NAME finds them too"),
            Option("-M", missing="modules' symbols; sym NAME finds them too"),
            Option("-q", missing="a search among names; sym NAME takes whole names"),
            Option("-p", missing="the symbol before; sym ADDRESS tells which one an address lies in"),
            Option("-n", missing="the symbol after; sym ADDRESS tells which one an address lies in"),
        ),
        (("schedule", "where it is, who is in it"), ("ffffffff81000000", "what an address is")),
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
            Option("-l", missing="the struct around a member: subtract the member's offset, which struct TYPE shows"),
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
        (Option("-o", "offsets, as always"),),
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
            Option("-8", missing="bytes: the words' characters stand beside them"),
            Option("-16", missing="words are of the machine's size"),
            Option("-32", missing="words are of the machine's size"),
            Option("-d", missing="decimal: struct shows members in both"),
            Option("-a", missing="text: the words' characters stand beside them"),
            Option("-p", missing="physical addresses: ptov ADDRESS first"),
            Option("-u", missing="a program's memory is in few dumps; vm PID"),
            Option("-e", missing="a count of words instead: rd ADDRESS COUNT"),
            Option("-o", missing="add it: rd NAME+OFFSET"),
            Option("-r", missing="raw bytes: from oopscope import open, then read()"),
        ),
        (("init_task 16", "16 words"), ("init_task 16 --format csv", "for a spreadsheet")),
    ),
    Command(
        ("dis",),
        "a function's code",
        _dis,
        (ADDRESS,),
        (
            Option("-r", "up to the address: the whole function is shown, and that instruction marked"),
            Option("-f", "from the address on: the same"),
            Option("-x", "hexadecimal, as always"),
            Option("-d", missing="decimal offsets"),
            Option("-l", missing=SOURCE),
            Option("-s", missing=SOURCE),
            Option("-u", missing="a program's code is in few dumps"),
            Option("-b", missing="bytes: wide screens and --format json have them"),
        ),
        (("schedule", "a function"), ("ffffffff81000000", "the function at an address")),
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
    missing("list", nearest="a list's head as a struct: struct list_head ADDRESS, then from pointer to pointer"),
    missing("tree", nearest="a tree's node as a struct: struct rb_node ADDRESS, struct xa_node ADDRESS"),
    missing("search", nearest="sym ADDRESS says what holds an address; / searches what is shown"),
    missing("vtop", nearest="sym ADDRESS says what an address is, and why it cannot be read"),
    missing("ptov", nearest="the linear map: p page_offset_base, and add the physical address"),
)
