"""Roles of functions by their names."""

import re

import pytest

from cases import case_of
from oopscope.kernel import functions
from oopscope.kernel.functions import Names, alternatives, first_letters


def test_a_name_is_looked_for_where_it_can_begin() -> None:
    """By its first letter, a name is of a role or not as it is by the whole regular expression."""
    symbols = case_of("6.1-null").kernel.symbols
    named = ["panic", "vpanic", "__die_body", "x86_pmu_handle_irq", "ndelay", "kfree", "_"]
    names = [*[*symbols.names()][::40], *named, ""]
    roles = [role for role in vars(functions).values() if isinstance(role, Names)]
    assert len(roles) >= 8 and len(names) > 1000
    for role in roles:
        whole = re.compile(role._text)
        assert [name for name in names if role.has(name)] == [name for name in names if whole.fullmatch(name)]


@pytest.mark.parametrize(
    "text, letters",
    [("abc", "a"), ("_*ab", "_a"), ("v?panic", "vp"), ("(ab|_*c)?d", "a_cd"), ("(a|(b|c)d)e", "abc"), (r"\w+x", None),
     ("[ab]c", None), ("(a|[bc])", None), ("___?slab", "_"), ("_{0,4}do_x", "_d"), ("(a|b)?", None)],
)  # fmt: skip
def test_first_letters(text: str, letters: str | None) -> None:
    assert first_letters(text) == (frozenset(letters) if letters else None)


def test_alternatives() -> None:
    assert alternatives(r"a(b|c)|(d|(e|f))g|h|") == ["a(b|c)", "(d|(e|f))g", "h", ""]


@pytest.mark.parametrize(
    "symbol",
    ["panic", "die.cold", "crash_kexec", "el1h_64_sync", "handle_bad_stack", "do_protection_exception", "illegal_op",
     "__do_pgm_check", "bad_page_fault", "program_check_exception", "machine_check_exception", "riscv_crash_save_regs",
     "do_trap_ecall_u", "el1_brk64", "do_el1_brk64", "el1_abort", "__report_bug", "do_bp"],
)  # fmt: skip
def test_dying_on_every_machine(symbol: str) -> None:
    assert functions.is_dying(symbol)


@pytest.mark.parametrize("symbol", ["vfs_read", "el1h_64_irq", "io_int_handler", "bad_inode_create"])
def test_what_is_no_part_of_dying(symbol: str) -> None:
    assert not functions.is_dying(symbol)


@pytest.mark.parametrize("symbol", ["vectors", "__delay_cycles"])
def test_arm64s_wait_after_a_panic_is_part_of_dying(symbol: str) -> None:
    assert functions.is_dying(symbol)


@pytest.mark.parametrize(
    "name", ["i8042_panic_blink", "print_irq_inversion_bug", "validate_chain.clone.24", "get_taint"]
)
def test_what_reports_or_dies_is_not_to_blame(name: str) -> None:
    assert functions.is_dying(name)


@pytest.mark.parametrize(
    "name", ["lock_acquire", "folio_unlock", "crc32c_le", "__phys_addr", "ioread32", "lock_timer_base"]
)
def test_who_was_handed_a_bad_argument_passes_the_blame_on(name: str) -> None:
    assert functions.is_helper(name)
