"""PCI devices, IPC, hooks, consoles, the page cache and BPF, against the guest's account and what its devices are."""

import struct
from typing import Any

from builders.altered import changed
from cases import case_of
from core.linux.account import account
from oopscope.kernel.kernel import Kernel
from oopscope.linux.bpf import bpf_maps, bpf_programs
from oopscope.linux.bpf_names import bpf_names
from oopscope.linux.console import consoles
from oopscope.linux.hooks import hooks
from oopscope.linux.ipc import counted, ipc_objects
from oopscope.linux.page_cache import cached_files
from oopscope.linux.pci import pci_devices
from oopscope.subsystems import table

LIFE = "6.1-life"


def life() -> Kernel:
    return case_of(LIFE).kernel


def test_each_row_has_a_name_of_its_own() -> None:
    for key in ("routes", "neighbours", "pci", "ipc", "hooks", "consoles"):
        rows = list(table(key).rows(life()))
        assert rows
        assert len({table(key).name_of(row) for row in rows}) == len(rows), key
        assert table(key).counted(life(), len(rows)).complete, key


def test_pci_devices_of_the_board() -> None:
    rows = {row.slot: row for row in pci_devices(life())}
    assert [(rows[f"0000:00:0{at}"].id, rows[f"0000:00:0{at}"].kind) for at in ("0.0", "1.0", "1.1")] == [
        ("8086:1237", "host bridge"),
        ("8086:7000", "ISA bridge"),
        ("8086:7010", "IDE"),
    ]
    virtio = [row for row in rows.values() if row.driver == "virtio-pci"]
    assert [row.kind for row in virtio] == ["Ethernet", "SCSI", "SCSI"]
    assert all(row.state == "enabled" and row.regions for row in virtio)


def test_a_device_of_another_bus_is_dropped_and_said() -> None:
    def moved(kernel: Kernel) -> Any:
        return pci_devices(kernel)[0].address + kernel.types.member("pci_dev", "devfn").offset, b"\x77"

    kernel = changed(LIFE, moved)
    assert len(pci_devices(kernel)) == len(pci_devices(life())) - 1
    assert "is another" in next(iter(kernel.problems)).message


def test_shared_memory_is_that_of_sysvipc() -> None:
    lines = [line.split() for line in account(LIFE)["ipc"][1:] if len(line.split()) > 14]
    rows = [row for row in ipc_objects(life()) if row.kind == "shared memory"]
    told = [(int(w[0]), int(w[1]), w[2], int(w[3]), int(w[4]), int(w[6])) for w in lines]
    assert [(int(row.key, 16), row.id, row.perms, row.bytes, row.pid, row.entries) for row in rows] == told
    assert len(ipc_objects(life())) == counted(life())


def test_what_is_called_at_a_panic() -> None:
    found = {(row.kind, row.where, row.function) for row in hooks(life())}
    assert ("notifier", "at a panic", "rcu_panic") in found
    assert ("notifier", "at an oops or a trap", "kprobe_exceptions_notify") in found
    assert all(row.function and not row.function.startswith("0x") for row in hooks(life()))


def test_a_chain_of_notifiers_that_loops_ends() -> None:
    def loops(kernel: Kernel) -> Any:
        first = next(row for row in hooks(kernel) if row.where == "at a panic").address
        return first + kernel.types.member("notifier_block", "next").offset, first.to_bytes(8, "little")

    kernel = changed(LIFE, loops)
    assert len([row for row in hooks(kernel) if row.where == "at a panic"]) == 1
    assert any("loops" in problem.message for problem in kernel.problems)


def test_the_console_that_the_guest_spoke_on() -> None:
    (row,) = consoles(life())
    assert (row.name, row.function) == ("ttyS0", "univ8250_console_write")
    assert {"enabled", "is /dev/console"} <= set(row.flags)


def test_files_in_memory_are_those_of_their_file_systems() -> None:
    rows = cached_files(life())
    assert all(row.bytes > 0 for row in rows)
    assert [row.bytes for row in rows] == sorted((row.bytes for row in rows), reverse=True)


def test_a_kernel_without_bpf_programs_has_none() -> None:
    assert bpf_programs(life()) == []
    assert bpf_maps(life()) == []


def with_bpf() -> Kernel:
    """A kernel with one program, one map and one name, made where its log lay: whole structs, at the lowest ID."""

    def made(kernel: Kernel) -> Any:
        types, at = kernel.types.member, _buffer(kernel)
        prog, aux, bpf_map, used, name = at, at + 0x200, at + 0x800, at + 0xA00, at + 0xA40
        raw = bytearray(0xD00)

        def put(base: int, type_name: str, member: str, value: int | bytes) -> None:
            found = types(type_name, member)
            data = value if isinstance(value, bytes) else value.to_bytes(found.size, "little")
            place = base - at + found.offset
            raw[place : place + len(data)] = data

        put(prog, "bpf_prog", "aux", aux)
        put(prog, "bpf_prog", "len", 2)
        put(prog, "bpf_prog", "type", 1)
        put(prog, "bpf_prog", "tag", bytes.fromhex("a04f5eef06a7f555"))
        for member, value in (("used_map_cnt", 1), ("used_maps", used), ("load_time", 7_000_000_000)):
            put(aux, "bpf_prog_aux", member, value)
        put(aux, "bpf_prog_aux", "name", b"lab_filter")
        put(aux, "bpf_prog_aux", "attach_func_name", name)
        put(bpf_map, "bpf_map", "map_type", 2)
        put(bpf_map, "bpf_map", "max_entries", 10)
        put(bpf_map, "bpf_map", "key_size", 4)
        put(bpf_map, "bpf_map", "name", b"lab_array")
        raw[0xA00:0xA08] = struct.pack("<Q", bpf_map)
        raw[0xA40:0xA4C] = b"do_sys_open\0"
        return at, bytes(raw)

    def headed(symbol: str, offset: int) -> Any:
        def head(kernel: Kernel) -> Any:
            found = kernel.types.member
            where = kernel.symbol(symbol) + found("idr", "idr_rt").offset + found("xarray", "xa_head").offset
            return where, struct.pack("<Q", _buffer(kernel) + offset)

        return head

    return changed(LIFE, made, headed("prog_idr", 0), headed("map_idr", 0x800))


def _buffer(kernel: Kernel) -> int:
    """A page that nothing here reads: where the log's text lies."""
    ring = kernel.memory.word(kernel.symbol("prb"))
    data = kernel.memory.word(ring + kernel.types.member("printk_ringbuffer", "text_data_ring.data").offset)
    return (data + 4095) & ~4095


def test_a_program_and_its_map() -> None:
    kernel = with_bpf()
    (program,) = bpf_programs(kernel)
    assert (program.id, program.name, program.type, program.tag) == (
        0,
        "lab_filter",
        "socket filter",
        "a04f5eef06a7f555",
    )
    assert (program.attached, program.maps, program.loaded_seconds) == ("do_sys_open", ("0 lab_array",), 7.0)
    assert (program.compiled, program.instructions) == (None, 2)
    (found,) = bpf_maps(kernel)
    assert (found.name, found.type, found.key_size, found.most, found.entries) == ("lab_array", "array", 4, 10, None)
    assert bpf_names(kernel).at(0xFFFFFFFFC0000000) is None
