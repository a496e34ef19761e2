"""The wait-for graph as plain data: what proves a circle, who stands behind whom, and how it is drawn."""

from typing import Any

from oopscope.report.waits import graph_of, picture, waits_data
from oopscope.stacks.groups import folded
from oopscope.waits.graph import Claim, Node, joined
from oopscope.waits.rows import rows_of


def task(pid: int, note: str = "D") -> Any:
    return Node(f"task:{pid}", "task", f"t{pid}", 0x1000 + pid, pid, note)


def lock(name: str, **more: Any) -> Any:
    return Node(f"mutex:{name}", "mutex", name, 0x2000, None, **more)


def waits(pid: int, thing: Any, since: float = 1.0, basis: str = "linked") -> Any:
    return Claim(task(pid), thing, "waits_for", basis, since, "on its stack")


def held(thing: Any, pid: int, basis: str = "recorded") -> Any:
    return Claim(thing, task(pid), "held_by", basis)


A, B, C = lock("a"), lock("b"), lock("c")


def test_two_that_wait_for_each_other_are_a_circle_with_others_behind() -> None:
    graph = joined([waits(1, A), held(A, 2), waits(2, B, 9.0), held(B, 1), waits(3, A), waits(4, C), held(C, 3)])
    assert graph.circles == (("task:1", "mutex:a", "task:2", "mutex:b"),)
    assert sorted(graph.behind(*graph.circles[0])) == ["task:3", "task:4"]
    text = [line.text.rstrip() for line in picture(graph)]
    assert text[:3] == [
        " DEADLOCK, 2 more wait behind it" + " " * 37 + "since 9.00s",
        "  1 t1  waits for  mutex a  held by  2 t2",
        "  2 t2  waits for  mutex b  held by  1 t1",
    ]
    assert all(len(line) <= 80 for line in text)


def test_a_circle_of_long_names_keeps_to_its_columns() -> None:
    long = [lock("a_lock_with_a_name [of_a_module_of_ours]"), lock("b_lock_with_a_name [of_a_module_of_ours]")]
    claims = [waits(1111111, long[0]), held(long[0], 2222222), waits(2222222, long[1]), held(long[1], 1111111)]
    for columns in (60, 80, 140):
        assert max(len(line.text.rstrip()) for line in picture(joined(claims), columns)) <= columns


def test_what_is_likely_or_one_of_several_closes_no_circle() -> None:
    assert joined([waits(1, A), held(A, 2, "likely"), waits(2, B), held(B, 1)]).circles == ()
    pipe = lock("p", any=True)
    claims = [waits(1, pipe), held(pipe, 2), held(pipe, 3), waits(2, B), held(B, 1)]
    assert joined(claims).circles == ()
    assert len(joined([*claims[:2], *claims[3:]]).circles) == 1  # the only one who could end the wait


def test_who_needs_one_of_several_stands_behind_none_and_hides_none() -> None:
    children = lock("children", any=True)
    graph = joined([waits(1, children), held(children, 2), held(children, 3), waits(2, A), held(A, 9), waits(3, B)])
    assert graph.behind(A.id) == ["task:2"]
    assert graph.roots == ("mutex:b", "task:9")
    text = "\n".join(line.text for line in picture(graph))
    assert "mutex a" in text
    assert "mutex b" in text


def test_a_task_that_is_recorded_as_its_own_holder_is_no_circle() -> None:
    assert joined([waits(1, A), held(A, 1)]).circles == ()


def test_circles_of_three_and_two_that_share_nothing_are_told_apart() -> None:
    graph = joined(
        [
            waits(1, A),
            held(A, 2),
            waits(2, B),
            held(B, 3),
            waits(3, C),
            held(C, 1),
            waits(7, lock("x")),
            held(lock("x"), 8),
            waits(8, lock("y")),
            held(lock("y"), 7),
        ]
    )
    assert sorted(len(ring) for ring in graph.circles) == [4, 6]


def test_a_root_is_what_the_longest_chain_ends_in_and_is_said_with_what_it_does() -> None:
    sleeper = task(9)._replace(note="D, sleeps in lab_sleep [lab]")
    claims = [waits(1, A, 300.0), waits(2, A), held(A, 3), waits(3, B), Claim(B, sleeper, "held_by", "recorded")]
    graph = joined([*claims, waits(5, C)])
    assert graph.roots == ("task:9", "mutex:c")
    text = "\n".join(line.text.rstrip() for line in picture(graph))
    assert " mutex a                         held by 3 t3 (D, 1.00s)  2 wait, longest 5m 00s" in text
    assert "└ 3 t3  waits for  mutex b  held by 9 t9 (D)" in text
    assert "└ 9 t9  sleeps in lab_sleep [lab]" in text
    assert "mutex c                         nobody known" in text


def test_the_stronger_basis_counts_where_two_kinds_say_the_same() -> None:
    (edge, *_) = joined([waits(1, A, basis="likely"), waits(1, A, basis="recorded")]).edges
    assert edge.basis == "recorded"


def test_the_data_of_a_report_gives_the_same_graph() -> None:
    graph = joined([waits(1, A), held(A, 2), waits(2, B), held(B, 1), waits(3, C)])
    again = graph_of(waits_data(graph))
    assert (again.nodes, again.edges, again.circles, again.roots) == (
        graph.nodes, graph.edges, graph.circles, graph.roots,
    )  # fmt: skip


def test_many_names_are_folded_by_what_they_share() -> None:
    names = [*(f"w-{n}" for n in range(2400)), *(f"many{n}" for n in range(20)), "init"]
    assert folded(names) == "2,400 of w-*, 20 of many*, init"
    assert folded(["a", "b"]) == "a, b"


def test_thousands_behind_one_lock_are_one_line() -> None:
    claims = [waits(pid, A) for pid in range(2, 5002)]
    graph = joined([*claims, held(A, 1)])
    assert len(graph.behind(A.id)) == 5000
    assert len(list(picture(graph))) <= 4


def test_a_chain_of_thousands_is_drawn_by_its_beginning() -> None:
    locks = [lock(f"l{number:04}") for number in range(3001)]
    chain = [claim for at in range(1, 3001) for claim in (waits(at, locks[at]), held(locks[at], at + 1))]
    lines = [line.text for line in picture(joined(chain))]
    assert lines[0].startswith(" mutex l0001")
    assert len(lines) < 24


def test_of_a_circle_that_nothing_proves_one_thing_stands_for_all() -> None:
    claims = [waits(1, A), held(A, 2, "likely"), waits(2, B), held(B, 1, "likely"), waits(3, C)]
    text = "\n".join(line.text for line in picture(joined(claims)))
    assert text.count("held by 2 t2") == 2  # the thing that stands for all, and again where the circle closes
    assert "and so on in a circle" in text
    assert "mutex c" in text


def test_a_row_tells_which_circle_it_is_part_of_and_how_many_wait_for_the_same() -> None:
    one, two = lock("y"), lock("z")
    graph = joined([
        waits(1, A), held(A, 2), waits(2, B, 9.0), held(B, 1), waits(3, A),
        waits(5, one), held(one, 6), waits(6, two), held(two, 5),
    ])  # fmt: skip
    told = {row.pid: (row.ring, row.circle, row.behind) for row in rows_of(graph)}
    assert told == {1: (1, True, 2), 2: (1, True, 1), 3: (None, False, 2), 5: (2, True, 1), 6: (2, True, 1)}


def test_a_long_name_stands_apart_from_who_holds_it() -> None:
    graph = joined([waits(1, lock("a_name_that_is_longer_than_its_columns_are"))])
    (line,) = (line.text for line in picture(graph, 100) if "a_name" in line.text)
    assert " mutex a_name_that_is_longer_than_its_columns_are  nobody known " in line


def test_what_is_known_of_a_thing_is_not_said_of_who_may_hold_it() -> None:
    readers = lock("r", note="2 readers")
    (line, *_) = (line.text for line in picture(joined([waits(1, readers), held(readers, 2, "likely")]), 100))
    assert "held by 2 t2 (D) (likely), 2 readers" in line


def test_any_child_is_called_so() -> None:
    child = Node("child:1", "child", "any of its children", 1, None, "", True)
    (line, *_) = (line.text for line in picture(joined([waits(1, child), held(child, 2), held(child, 3)])))
    assert line.startswith(" any of its children             any of ")
