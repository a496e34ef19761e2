"""Commands about memory and code: kmem, rd, dis, sym, search and their kin."""

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
    operand,
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


def _search(line: Line) -> Request:
    if "-c" in line.options:
        return CardOf("search", f'"{" ".join((line.options["-c"], *line.names)).strip()}')
    if len(line.names) != 1:
        return Say("search wants one value, or with -c a text: search init_task")
    return CardOf("search", operand(line.first) if as_number(line.first) is None else line.first)


def _refs(line: Line) -> Request:
    if len(line.names) != 1:
        return Say("refs wants one address or a name: refs init_task")
    return CardOf("references", operand(line.first))


def _translate(way: str) -> Callable[[Line], Request]:
    return lambda line: CardOf("translation", f"{way}:{line.first}")


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
            Option("-m", missing="a page: struct page ADDRESS", value="MEMBERS"),
            Option("-c", missing="a page: struct page ADDRESS"),
            Option("-C", missing="a page: struct page ADDRESS"),
            Option("-l", missing="pages by list: kmem -V counts them, kmem -n by node", value="LIST"),
            Option("-I", missing="without a cache: kmem -s --where name!=NAME", value="NAME"),
            Option("-r", missing="caches of control groups are among the others: kmem -s"),
            Option("-x", missing="sizes come as people read them; --format json has bytes"),
            Option("-d", missing="sizes come as people read them; --format json has bytes"),
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
            Option("-v", missing="all symbols with sizes are not there: sym -l"),
        ),
        (
            ("schedule", "where it is, who is in it"),
            ("ffffffff81000000", "what an address is"),
            ("-q do_sched", "by a part of the name"),
        ),
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
            Option("-e", missing="a count of words instead: rd ADDRESS COUNT", value="END"),
            Option("-f", missing="offsets in the dump's file; rd ADDRESS reads memory"),
            Option("-m", missing="a hypervisor's own addresses; rd ADDRESS reads the machine's"),
            Option("-N", missing="numbers in the network's order: rd -8 ADDRESS shows the bytes as they lie"),
            Option("-R", missing="the order of bytes is the machine's: rd -8 ADDRESS shows them as they lie"),
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
            Option("-l", lacks=SOURCE),
            Option("-s", missing=SOURCE),
            Option("-u", missing="a program's code is in few dumps"),
            Option("-b", missing="bytes: wide screens and --format json have them", value="COUNT"),
        ),
        (("schedule", "a function"), ("-r schedule+10", "up to there"), ("schedule 5", "five instructions")),
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
            Option("-s", missing="all of the dump is searched", value="START"),
            Option("-e", missing="all of the dump is searched", value="END"),
            Option("-l", missing="all of the dump is searched", value="LENGTH"),
            Option("-m", missing="a mask: search finds whole words", value="MASK"),
            Option("-x", missing="what stands around a place: rd ADDRESS", value="COUNT"),
            Option("-w", missing="words of 64 bits and texts are found: search VALUE, search -c TEXT"),
            Option("-h", missing="words of 64 bits and texts are found: search VALUE, search -c TEXT"),
            Option("-v", missing="all of the kernel's memory that the dump has is searched"),
            Option("-V", missing="all of the kernel's memory that the dump has is searched"),
            Option("-K", missing="all of the kernel's memory that the dump has is searched"),
            Option("-M", missing="all of the kernel's memory that the dump has is searched"),
            Option("-T", missing="stacks are searched with the rest"),
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
        (
            Option("-k", "of the kernel, as always"),
            Option("-u", missing=PROGRAM),
            Option("-c", missing=PROGRAM, value="PID"),
        ),
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
