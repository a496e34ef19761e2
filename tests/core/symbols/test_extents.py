"""How far a symbol reaches: to the next one, unless that is far off and what lies between belongs to none."""

import pytest

from cases import case_of
from oopscope.symbols.kallsyms_tables import extent_of


@pytest.mark.parametrize("name", ["7.2-sysrq"])
def test_a_table_of_kallsyms_is_as_long_as_it_is(name: str) -> None:
    symbols = case_of(name).kernel.symbols
    tables = symbols.tables
    start = symbols.symbol("kallsyms_seqs_of_names")
    assert extent_of(tables, start) == 3 * tables.count
    assert symbols.name_at(start + 3 * tables.count - 1)[0] == "kallsyms_seqs_of_names"
    assert symbols.name_at(start + 3 * tables.count) is None  # the build's strings follow, for a megabyte
    assert symbols.name_at(start + 0x1466A2) is None


@pytest.mark.parametrize(
    "name, start, end, reaches",
    [
        ("schedule", 0, 0x1000, 0x1000),
        ("a_large_array", 0, 300 << 10, 300 << 10),
        ("__log_buf", 0, 2 << 20, 2 << 20),
        ("__start_BTF", 0, 5 << 20, 5 << 20),
        ("__stop_notes", 0, 4 << 20, 1),
        ("_etext", 0, 0x100, 1),
        ("io_tlb_end", 0, 8, 8),
        ("linux_banner", 0, 2 << 20, 4096),
        ("jumptable.49", 0, 600 << 10, 4096),
        ("CSWTCH.1", 0, 100 << 10, 4096),
    ],
)
def test_what_is_likely(name: str, start: int, end: int, reaches: int) -> None:
    symbols = case_of("7.2-sysrq").kernel.symbols
    assert symbols._likely_end(start, end, name) == reaches
