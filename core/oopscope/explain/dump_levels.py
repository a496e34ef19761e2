"""The bits of makedumpfile's dump level: which pages each leaves out, and what is lost with them."""

from oopscope.explain import Text

_LOOK = "Coverage counts what was left out."

TEXTS: dict[str, Text] = {
    "1": Text("Pages full of zeros are left out. Nothing is lost: they are read as zeros.", "", "", "coverage"),
    "2": Text("Page cache that no program has mapped privately is left out: contents of files.", "", _LOOK, "coverage"),
    "4": Text("Page cache in private use is left out: contents of files that programs changed.", "", _LOOK, "coverage"),
    "8": Text(
        "Memory of programs is left out: their heaps and stacks. Arguments and environment go with it; the kernel's "
        "own tables stay, so that tasks, stacks, files and mappings are known.",
        "",
        _LOOK,
        "coverage",
    ),
    "16": Text("Free pages are left out. What was in them before they were freed is lost.", "", _LOOK, "coverage"),
    "0": Text("Nothing is left out: the dump is as large as memory. Everything can be looked at."),
    "31": Text(
        "All five kinds are left out: zeros, both kinds of page cache, memory of programs, free pages. The usual "
        "level: a few hundred MB of many GB, and enough for a verdict.",
        "",
        _LOOK,
        "coverage",
    ),
    "17": Text("Zeros and free pages are left out; memory of programs is there, with what was private in it."),
}
