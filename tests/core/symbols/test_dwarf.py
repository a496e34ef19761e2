"""Types by DWARF say what the compiler laid out; those of a real vmlinux are held against its BTF by hand."""

import shutil
import subprocess
from pathlib import Path

import pytest

from oopscope.errors import NoMember, NoType
from oopscope.structs.layout import Types
from oopscope.symbols.dwarf import DwarfTypes, open_dwarf

SOURCE = """
typedef unsigned int u32; typedef _Bool bool;
enum colour { RED = 3, GREEN, BLUE = -7 };
struct inner { short a; u32 b; };
struct list_head { struct list_head *next, *prev; };
struct task_struct {
    long first; struct list_head tasks;
    union { int x; struct { char c; u32 d; }; };
    struct inner embedded[3]; char comm[16]; int grid[2][5];
    u32 low : 3, middle : 7, high : 22; const volatile u32 * const pointer; enum colour colour; bool flag;
    struct later *later;
};
struct later { int only; };
struct task_struct init_task; struct later it; struct inner i;
int main(void) { return init_task.first; }
"""


@pytest.fixture(scope="module", params=["-gdwarf-2", "-gdwarf-4", "-gdwarf-5"])
def types(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Types:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    folder = tmp_path_factory.mktemp("dwarf")
    (folder / "kernel").mkdir()
    (folder / "kernel" / "fork.c").write_text(SOURCE)
    command = [compiler, request.param, "-O0", "-o", "vmlinux", "kernel/fork.c"]
    subprocess.run(command, cwd=folder, check=True)
    found = open_dwarf(str(folder / "vmlinux"), 8)
    assert isinstance(found, DwarfTypes)
    return Types(lambda: found)  # type: ignore[return-value]


def place(types: Types, path: str) -> tuple[int, int, str]:
    member = types.member("task_struct", path)
    return member.offset, member.size, member.kind


def test_members(types: Types) -> None:
    assert place(types, "first") == (0, 8, "int")
    assert place(types, "tasks") == (8, 16, "struct")
    assert place(types, "tasks.prev") == (16, 8, "ptr")
    assert place(types, "x") == (24, 4, "int")
    assert place(types, "d") == (28, 4, "uint")
    assert place(types, "embedded") == (32, 24, "array")
    assert place(types, "embedded[2].b") == (52, 4, "uint")
    assert place(types, "comm") == (56, 16, "array")
    assert types.member("task_struct", "grid").count == 10
    assert place(types, "colour")[2] == "enum"
    assert place(types, "flag")[2] == "bool"
    assert place(types, "pointer")[1:] == (8, "ptr")


def test_bit_fields(types: Types) -> None:
    found = [types.member("task_struct", name) for name in ("low", "middle", "high")]
    bits = [(8 * (m.offset - 112) + m.bit_offset, m.bit_size) for m in found]
    assert bits == [(0, 3), (3, 7), (10, 22)]


def test_sizes_and_enums(types: Types) -> None:
    assert types.sizeof("inner") == 8
    assert types.sizeof("u32") == 4
    assert types.sizeof("later") == 4  # what is only declared where it is first used is found all the same
    assert types.enum("colour") == {"RED": 3, "GREEN": 4, "BLUE": -7}
    assert types.constant("GREEN") == 4
    assert types.constant("PURPLE") is None
    assert not types.has("nothing")
    with pytest.raises(NoMember):
        types.member("task_struct", "nothing")


def test_what_is_no_dwarf(tmp_path: Path) -> None:
    file = tmp_path / "vmlinux"
    for raw in (b"", b"\x7fELF", b"\x7fELF\2\1\1" + bytes(99)):
        file.write_bytes(raw)
        with pytest.raises(NoType):
            open_dwarf(str(file), 8)


def test_spelling(types: Types) -> None:
    def spelt(path: str) -> str:
        return types.btf.type_name(types.member("task_struct", path).type, path)

    assert [spelt(path) for path in ("comm", "embedded", "later", "low", "colour")] == [
        "char comm[16]", "struct inner embedded[3]", "struct later *later", "u32 low", "enum colour colour",
    ]  # fmt: skip
    assert spelt("pointer") == "u32 *pointer"
