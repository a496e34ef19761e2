"""Files that add what a dump lacks: taken if they fit the dump, refused with one line if they do not."""

import struct
from pathlib import Path

import pytest

from builders.altered import DUMPS, Altered, stored
from oopscope.boot.attach import attach
from oopscope.boot.extra import Extra
from oopscope.cli import DAMAGED, DONE, USAGE, run
from oopscope.errors import FormatError
from oopscope.stacks.tasks import all_tasks


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VMCOREINFO", "BTF", "VMLINUX"):
        monkeypatch.setenv(f"OOPSCOPE_{name}", "")


def quiet(_text: str) -> None:
    pass


def btf_of(name: str) -> bytes:
    kernel = attach(stored(name), quiet)
    start, stop = kernel.symbol("__start_BTF"), kernel.symbol("__stop_BTF")
    return kernel.memory.read(start, stop - start)


def vmlinux(btf: bytes, build_id: bytes) -> bytes:
    """Make the least ELF file that has types and a build id."""
    note = struct.pack("<III", 4, len(build_id), 3) + b"GNU\0" + build_id
    names = b"\0.notes\0.BTF\0.shstrtab\0"
    at_note, at_btf = 64, 64 + len(note)
    at_names = at_btf + len(btf)
    shoff = at_names + len(names)
    head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 0, shoff, 0, 64, 0, 0, 64, 4, 3)
    table = bytes(64)
    for name, kind, at, size in ((1, 7, at_note, len(note)), (8, 1, at_btf, len(btf)), (13, 3, at_names, len(names))):
        table += struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, at, size, 0, 0, 1, 0)
    return head + note + btf + names + table


@pytest.fixture(scope="module")
def btf() -> bytes:
    return btf_of("5.10-sysrq.kdump")


def test_types_from_a_file(tmp_path: Path, btf: bytes) -> None:
    name = "5.10-sysrq.kdump"
    own = attach(stored(name), quiet)
    file = tmp_path / "types.btf"
    file.write_bytes(btf)
    given = attach(stored(name), quiet, None, Extra(btf=file))
    assert given.types is not own.types and all_tasks(given) == all_tasks(own)
    file.write_bytes(vmlinux(btf, bytes.fromhex(own.info.get("BUILD-ID") or "")))
    assert all_tasks(attach(stored(name), quiet, None, Extra(vmlinux=file))) == all_tasks(own)


def test_types_of_another_kernel(tmp_path: Path, btf: bytes) -> None:
    file = tmp_path / "types.btf"
    file.write_bytes(btf)
    with pytest.raises(FormatError, match="not the types of this kernel"):
        attach(stored("7.2-sysrq.kdump"), quiet, None, Extra(btf=file))
    file.write_bytes(vmlinux(btf, bytes(20)))
    with pytest.raises(FormatError, match="another kernel's"):
        attach(stored("5.10-sysrq.kdump"), quiet, None, Extra(vmlinux=file))


@pytest.mark.parametrize("raw", [b"", b"\x9f\xeb\x01\x00", bytes(4096), b"\x7fELF" + bytes(60)])
def test_files_that_hold_no_types(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(raw)
    for extra in (Extra(btf=file), Extra(vmlinux=file), Extra(vmcoreinfo=file)):
        with pytest.raises(FormatError, match=str(file)):
            attach(stored("5.10-sysrq.kdump"), quiet, None, extra)


def test_vmcoreinfo_from_a_file(tmp_path: Path) -> None:
    name = "6.1-null.kdump"
    text = next(n.desc for n in stored(name).notes() if n.name == "VMCOREINFO")
    file = tmp_path / "vmcoreinfo"
    file.write_bytes(text)
    given = attach(Altered(stored(name), bare=True), quiet, None, Extra(vmcoreinfo=file))
    assert all_tasks(given) == all_tasks(attach(stored(name), quiet))
    with pytest.raises(FormatError, match="another boot"):
        attach(stored("6.1-div0.kdump"), quiet, None, Extra(vmcoreinfo=file))


def test_options(tmp_path: Path, btf: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "types.btf"
    file.write_bytes(btf)
    assert run(["show", "tasks", str(DUMPS / "5.10-sysrq.kdump"), "--btf", str(file)]) == DONE
    assert run(["show", "tasks", str(DUMPS / "7.2-sysrq.kdump"), "--btf", str(file)]) == DAMAGED
    with pytest.raises(SystemExit) as stopped:
        run(["bt", str(DUMPS / "5.10-sysrq.kdump"), "--btf", str(tmp_path / "none")])
    assert stopped.value.code == USAGE
    assert "no file" in capsys.readouterr().err
