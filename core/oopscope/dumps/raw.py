"""Raw images of memory: the offset in the file is the physical address.

What QEMU's pmemsave, dd of /dev/mem, LiME's padded format and most clouds' exports write. There is no signature, so a
file is taken for one only when the text that a kernel leaves in its memory is found in it.
"""

import re
from collections.abc import Iterator, Sequence

from oopscope.dumps import PlacedDump
from oopscope.errors import FormatError
from oopscope.lazy_re import lazy_re
from oopscope.qemu_boards import split
from oopscope.sources import ByteSource, next_data

HOLE = 0xC0000000
MIN_SIZE = 8 << 20
MAX_SEARCHED = 4 << 30  # bytes: two to four seconds
_STRIDE, _OVERLAP = 4 << 20, 256
# The note that a kernel keeps for a dump's reader (not the word alone, which program text has too), or both banners.
_NOTE = lazy_re(rb"VMCOREINFO\0.{0,3}OSRELEASE=[0-9]", re.DOTALL)
_BANNER = lazy_re(rb"Linux version [2-9]\.[0-9]{1,3}\.[^\n]{1,200} #[^\n]{1,200}\n")
_PROC_BANNER = b"%s version %s ("
# Disks hold kernels and their logs as well; so do kernel images and other ELF files, which begin as memory never does.
_OTHERS = (
    (0, b"\x7fELF"),
    (510, b"\x55\xaa"),
    (0x438, b"\x53\xef"),
    (0, b"XFSB"),
    (0x10040, b"_BHRfS_M"),
    (512, b"EFI PART"),
)


def probe(source: ByteSource) -> bool:
    """Tell whether a file without a known signature looks like the memory of a Linux machine; may read 4 GiB of it."""
    if source.size < MIN_SIZE or any(source.read_at(at, len(magic)) == magic for at, magic in _OTHERS):
        return False
    banner = proc_banner = False
    for block in _blocks(source):
        if _NOTE.search(block):
            return True
        banner = banner or _BANNER.search(block) is not None
        proc_banner = proc_banner or _PROC_BANNER in block
        if banner and proc_banner:
            return True
    return False


def _blocks(source: ByteSource) -> Iterator[bytes]:
    """Yield what is not zero of the file's beginning, in blocks that overlap."""
    zeros = bytes(_STRIDE)
    at, step, end = 0, _STRIDE - _OVERLAP, min(source.size, MAX_SEARCHED)
    while at < end:
        block = source.read_at(at, _STRIDE)
        if block != zeros:
            yield block
            at += step
        else:
            at += max(step, (next_data(source, at) - at) // step * step)


def open(sources: Sequence[ByteSource]) -> PlacedDump:
    """Open a raw image, which is one file."""
    source = sources[0]
    if len(sources) != 1:
        raise FormatError(f"{source.name}: a raw image is one file, but {len(sources)} were given")
    low = HOLE if source.name.endswith(".vmem") else source.size  # VMware's memory file without its state file
    pieces = split(source.size, low)
    return PlacedDump("raw", sources, source, [(p.physical, p.physical + p.size, p.offset) for p in pieces])
