"""File systems against /proc/self/mountinfo of a guest that had made one of them fail."""

from builders.altered import changed
from cases import case_of
from core.linux.account import account
from oopscope.kernel.kernel import Kernel
from oopscope.linux.filesystem import SUPER_BLOCK, file_systems

LIFE = "6.1-life"


def test_every_mount_s_file_system() -> None:
    rows = {target: row for row in file_systems(case_of(LIFE).kernel) for target in row.targets}
    lines = [line.split() for line in account(LIFE)["mountinfo"] if " - " in line]
    assert set(rows) == {words[4] for words in lines}
    for words in lines:
        row, at = rows[words[4]], words.index("-")
        mode, *options = words[at + 3].split(",")
        assert (row.device, row.type) == (words[2], words[at + 1])
        assert row.state.partition(",")[0] == mode
        if row.options is not None:
            assert row.options == ",".join(word for word in options if word != "inode64")
    assert rows["/tmp/small"].options == "size=512k,mode=700"


def test_errors_that_a_file_system_saw() -> None:
    rows = {row.name: row for row in file_systems(case_of(LIFE).kernel) if row.type == "ext4"}
    (line,) = [line for line in account(LIFE)["ext4"] if line.startswith("errors_count")]
    assert (rows["vda"].state, rows["vda"].errors) == ("rw, errors seen", int(line.split()[1]))
    assert (rows["loop0"].state, rows["loop0"].errors) == ("rw", 0)
    assert rows["vda"].targets == ("/data", "/tmp/sub")


def test_one_that_is_frozen_and_what_is_none() -> None:
    def frozen(kernel: Kernel) -> tuple[int, bytes]:
        row = next(row for row in file_systems(kernel) if row.name == "loop0")
        return row.address + kernel.bind(SUPER_BLOCK).offset("frozen"), (4).to_bytes(4, "little")

    def other(kernel: Kernel) -> tuple[int, bytes]:
        loop, vda = ({row.name: row.address for row in file_systems(kernel)}[name] for name in ("loop0", "vda"))
        root = kernel.bind(SUPER_BLOCK).offset("root")
        return vda + root, kernel.memory.read(loop + root, 8)

    found = changed(LIFE, frozen, other)
    rows = {row.name: row for row in file_systems(found)}
    assert rows["loop0"].state == "rw, frozen"
    assert "vda" not in rows
    assert "has another's root" in next(p.message for p in found.problems if p.section == "filesystems")
