"""VMware's debug.guest, of every version; its memory file is the RAM between the holes."""

import struct

PAGE = 4096
GAPS = {1: 13, 3: 14, 4: 14, 5: 14, 6: 15, 7: 8}


def guestdump(pages: int, holes: list[tuple[int, int]], cpus: int = 1, version: int = 4, machine: int = 1) -> bytes:
    """Return the file: so many pages of RAM, (page, pages) of each hole; register n holds 0x1000 * (cpu + 1) + n."""
    last = (pages + sum(n for _, n in holes)) * PAGE - 1
    numbers = [n for hole in (*holes, (0, 0), (0, 0))[:2] for n in hole]
    out = struct.pack("<II", version, cpus) + b"\x5a" * GAPS[version]
    if version == 1:
        out += struct.pack("<QIII4I", last, pages, 0, len(holes), *numbers) + bytes(8 * len(holes) + 4)
    else:
        out += struct.pack("<QQII4Q", last, pages, 0, len(holes), *numbers)
    if version == 7:
        out += struct.pack("<I7x", machine)
    for cpu in range(cpus):
        out += struct.pack("<I3Q80xQ", 0x80050033, 0xDEAD, 0x1234000 + cpu, 0x6F0, 0xFFFFFE0000000000)
        out += b"\xa5" * (45 if version < 4 else 42)
        out += struct.pack("<21Q", *(0x1000 * (cpu + 1) + n for n in range(21))) + b"\xa5" * 65 + bytes(PAGE)
    return out
