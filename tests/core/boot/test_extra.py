"""Files that add what a dump lacks: taken if they fit the dump, refused with one line if they do not."""

import struct
from pathlib import Path

import pytest

from builders.altered import DUMPS, Altered, stored
from oopscope.boot.attach import attach, open_kernel
from oopscope.boot.extra import Extra
from oopscope.boot.types_file import _as_stated
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


def test_the_log_beside_is_not_read_in_place_of_a_dump_for_a_wrong_option(
    tmp_path: Path, btf: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dump could be read; what was given with it is at fault."""
    (tmp_path / "vmcore").symlink_to(DUMPS / "7.2-sysrq.kdump")
    (tmp_path / "vmcore-dmesg.txt").symlink_to(DUMPS / "7.2-sysrq.dmesg.txt")
    (file := tmp_path / "types.btf").write_bytes(btf)
    monkeypatch.setenv("OOPSCOPE_BTF", str(file))
    with pytest.raises(FormatError, match="not the types of this kernel"):
        open_kernel([tmp_path / "vmcore"])


def nameless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oopscope.kernel.kernel.Kernel._look_up", lambda _kernel, _name: None)


def test_types_of_a_kernel_that_does_not_name_its_data(
    tmp_path: Path, btf: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were refused as another kernel's, for want of a symbol; what VMCOREINFO says of structs tells."""
    file = tmp_path / "types.btf"
    file.write_bytes(btf)
    nameless(monkeypatch)
    kernel = attach(stored("5.10-sysrq.kdump"), quiet, None, Extra(btf=file))
    assert kernel.types.sizeof("task_struct") > 0 and not list(kernel.problems)
    with pytest.raises(FormatError, match=r"not the types of this kernel: by them (SIZE|OFFSET)\("):
        attach(stored("7.2-sysrq.kdump"), quiet, None, Extra(btf=file))


def test_types_that_nothing_tells_of_are_taken_with_a_word(
    tmp_path: Path, btf: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "types.btf"
    file.write_bytes(btf)
    nameless(monkeypatch)
    monkeypatch.setattr("oopscope.boot.types_file._as_stated", lambda *_: False)
    kernel = attach(stored("5.10-sysrq.kdump"), quiet, None, Extra(btf=file))
    assert [p.message for p in kernel.problems] == [
        f"{file}: nothing in the dump tells whether these are the types of its kernel"
    ]


@pytest.mark.parametrize("name", ["5.10-sysrq", "6.1-panic", "6.12-nmi", "7.2-bug", "7.3-oom"])
def test_types_agree_with_what_vmcoreinfo_states(name: str) -> None:
    kernel = attach(stored(f"{name}.kdump"), quiet)
    assert _as_stated(kernel, kernel.types, "its own")


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


def test_vmcoreinfo_from_a_file_that_does_not_say_where_the_image_lies(tmp_path: Path) -> None:
    """Before 4.10 it does not; it was refused as another boot's. The container tells, or the kernel's banner."""
    name = "6.1-null.kdump"
    text = next(n.desc for n in stored(name).notes() if n.name == "VMCOREINFO").rstrip(b"\0")
    file = tmp_path / "vmcoreinfo"
    file.write_bytes(b"".join(line for line in text.splitlines(True) if b"phys_base" not in line))
    whole = attach(stored(name), quiet)
    for dump in (stored(name), Altered(stored(name), bare=True)):
        given = attach(dump, quiet, None, Extra(vmcoreinfo=file))
        assert given.info.raw == whole.info.raw
    with pytest.raises(FormatError, match="another boot"):
        attach(Altered(stored("5.10-sysrq.kdump"), bare=True), quiet, None, Extra(vmcoreinfo=file))


def test_options(tmp_path: Path, btf: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "types.btf"
    file.write_bytes(btf)
    assert run(["show", "tasks", str(DUMPS / "5.10-sysrq.kdump"), "--btf", str(file)]) == DONE
    assert run(["show", "tasks", str(DUMPS / "7.2-sysrq.kdump"), "--btf", str(file)]) == DAMAGED
    with pytest.raises(SystemExit) as stopped:
        run(["bt", str(DUMPS / "5.10-sysrq.kdump"), "--btf", str(tmp_path / "none")])
    assert stopped.value.code == USAGE
    assert "no file" in capsys.readouterr().err
