"""Problems: each once, and those of many things of a kind as one."""

from oopscope.errors import MissingPage, NoSymbol, NotMapped
from oopscope.kernel.problems import Problems


def test_what_befell_many_is_one_problem_with_a_count() -> None:
    problems = Problems()
    with problems.counted("slabs", "caches") as note:
        for n in range(80):
            note(f"kmalloc-{n}", MissingPage(0x1000 * n, "excluded"))
        note("dentry", NotMapped(0x2000))
    many, one = problems
    assert many.message.startswith(
        "80 caches (kmalloc-0, kmalloc-1, kmalloc-2 ...), the first of them: physical page at"
    )
    assert one.message == "dentry: virtual address 0x2000: not mapped" and one.address == 0x2000


def test_one_alone_is_said_as_ever() -> None:
    problems = Problems()
    with problems.counted("slabs", "caches") as note:
        note("a", NoSymbol("x"))
    assert [p.message for p in problems] == ["a: this kernel has no symbol x"]
