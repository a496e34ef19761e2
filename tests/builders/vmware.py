"""VMware's state files, with memory inside or not."""

import struct

Regions = list[tuple[int, int, int]]  # page in the memory file, physical page, pages


def tag(
    name: str, indices: tuple[int, ...], value: bytes, block: bool = False, pad: int = 0, packed: bool = False
) -> bytes:
    """Return one tag, its value inline or as a block."""
    kind = (62 if packed else 63) if block else len(value)
    head = bytes([len(indices) << 6 | kind, len(name)]) + name.encode() + struct.pack(f"<{len(indices)}I", *indices)
    if block:
        head += struct.pack("<QQH", len(value), len(value), pad) + bytes(pad)
    return head + value


def memory_tags(regions: Regions, memory: bytes | None = None, packed: bool = False) -> bytes:
    """Return the group "memory"."""
    out = tag("regionsCount", (), struct.pack("<I", len(regions)))
    for n, region in enumerate(regions):
        for name, number in zip(("regionPageNum", "regionPPN", "regionSize"), region, strict=True):
            out += tag(name, (n,), struct.pack("<I", number))
    if memory is not None:
        out += tag("Memory", (0, 0), memory, block=True, pad=37, packed=packed)
    return out + b"\0\0"


def cpu_tags(cpus: int, blocks: bool) -> bytes:
    """Return the group "cpu": register n holds 0x1000 * (cpu + 1) + n, in blocks as newer files have them or not."""
    names = ["rax", "rcx", "rdx", "rbx", "rbp", "rsp", "rsi", "rdi", *(f"r{n}" for n in range(8, 16))]
    out = tag("cpu:numVCPUs", (), struct.pack("<I", cpus))
    for cpu in range(cpus):
        values = [0x1000 * (cpu + 1) + n for n in range(16)]
        control = [0x80050033, 0, 0xDEAD, 0x1234000 + cpu, 0x6F0, 0, 0, 0, 0]
        if blocks:
            out += tag("gpregs", (cpu,), struct.pack("<16Q", *values), block=True)
            out += tag("CR64", (cpu,), struct.pack("<9Q", *control), block=True)
            out += tag("IDTR", (cpu,), struct.pack("<HQ", 0xFFF, 0xFFFFFE0000000000), block=True)
        else:
            out += b"".join(tag(name, (cpu,), struct.pack("<Q", v)) for name, v in zip(names, values, strict=True))
            out += b"".join(tag("CR64", (cpu, n), struct.pack("<Q", control[n])) for n in range(5))
            out += tag("IDTR", (cpu, 1), struct.pack("<I", 0)) + tag("IDTR", (cpu, 2), struct.pack("<I", 0xFFFFFE00))
        out += tag("rip", (cpu,), struct.pack("<Q", 0xFFFFFFFF81000000 + cpu)) + tag("eflags", (cpu,), b"\x46\2\0\0")
        for n in range(8):
            out += tag("S", (cpu, n), struct.pack("<H", n * 8)) + tag("S.base64", (cpu, n), struct.pack("<Q", n << 20))
    return out + b"\0\0"


def vmss(groups: dict[str, bytes], magic: int = 0xBED2BED2) -> bytes:
    """Return a state file of these groups, and one of other things before them."""
    groups = {"Checkpoint": tag("fileversion", (), b"\7\0\0\0") + b"\0\0", **groups}
    out, at = struct.pack("<III", magic, 8, len(groups)), 12 + 80 * len(groups)
    for name, body in groups.items():
        out += name.encode().ljust(64, b"\0") + struct.pack("<QQ", at, len(body))
        at += len(body)
    return out + b"".join(groups.values())
