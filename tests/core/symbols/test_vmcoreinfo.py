"""VMCOREINFO: numbers that are none are absent, whatever the key."""

import pytest

from oopscope.symbols.kallsyms_tables import locate
from oopscope.symbols.vmcoreinfo import VmcoreInfo


@pytest.mark.parametrize("said", ["", "xx", "\ufffd\ufffd", "-5", str(1 << 64), "9" * 5000])
def test_a_plain_key_that_is_no_number(said: str) -> None:
    info = VmcoreInfo.parse(f"OSRELEASE=6.1\nCRASHTIME={said}\nKERNELOFFSET={said}\n".encode())
    assert info.plain("CRASHTIME") is None
    assert info.get("OSRELEASE") == "6.1"


def test_a_plain_key_that_is_one() -> None:
    info = VmcoreInfo.parse(b"CRASHTIME=1790000000\nIDENTITYBASE=e0000000\n")
    assert (info.plain("CRASHTIME"), info.plain("IDENTITYBASE", 16)) == (1790000000, 0xE0000000)
    assert info.plain("BUILD-ID") is None


def test_tables_of_symbols_at_address_zero_are_none() -> None:
    keys = ("num_syms", "names", "token_table", "token_index")
    info = VmcoreInfo.parse("".join(f"SYMBOL(kallsyms_{key})={n:x}\n" for n, key in enumerate(keys)).encode())

    def read(address: int, size: int) -> bytes:
        raise AssertionError(f"nothing is read at {address:#x}, {size} bytes")

    assert locate(read, info) is None
