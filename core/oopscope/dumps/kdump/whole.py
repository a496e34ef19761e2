"""Is a file of a kdump-compressed dump whole: what its end and a sample of its pages tell, and how many it still has.

Pages are stored in the order of their numbers, so that a file which ends too early lacks the last ones.
"""

from collections.abc import Iterator

from oopscope.dumps.kdump.part import BATCH, Descriptor, Part

SAMPLES = 64  # pages looked at for zero bytes in their place
MAX_WINDOWS = 32  # of descriptors looked at for the file's end


def fault(part: Part) -> str | None:
    """Say what the file's end and a sample of its pages tell; None when all is there."""
    end, header = part.source.size, part.header
    if end < header.descriptors:
        held = 8 * max(0, end - header.bitmap)
        return f"is cut off within its bitmaps, which tell of {held} of {8 * part.bitmap_bytes} pages"
    return _end_fault(part) or _blank(part)


def held(part: Part) -> int:
    """Return how many of its pages a file has before it ends; zero pages behind that are not counted.

    Looks at some forty windows of descriptors, whatever the file's size. What is lost in its middle is not seen.
    """
    if part.source.size < part.header.descriptors:
        return 0
    low, high = 0, -(-part.pages // BATCH)  # windows of descriptors: those before `low` are whole
    while low < high:
        middle = (low + high) // 2
        if _lost_at(part, middle) is None:
            low = middle + 1
        else:
            high = middle
    lost = _lost_at(part, low) if low * BATCH < part.pages else None
    return part.pages if lost is None else lost


def _lost_at(part: Part, window: int) -> int | None:
    """Return the first page of a window of descriptors that the file ends before; None where it has them all.

    A window of nothing but zero pages, which share one early place, tells nothing: the next ones are asked.
    """
    for n in range(window, window + MAX_WINDOWS):
        count = min(BATCH, part.pages - n * BATCH)
        if count <= 0:
            return None
        found = part.window(n * BATCH, count)
        for at, one in enumerate(found):
            if _lost(part, one):
                return n * BATCH + at
        if any(one != found[0] for one in found):
            return None
    return None


def _lost(part: Part, one: Descriptor | None) -> bool:
    """Tell whether the file ends before a page, or before its descriptor, or whether it was never written."""
    return one is None or one[0] == 0 or one[0] + one[1] > part.source.size


def _end_fault(part: Part) -> str | None:
    for window in _from_the_end(part):
        if any(one is None or one[0] + one[1] > part.source.size for one in window):
            return "is cut off: it ends before its last pages"
        if any(_lost(part, one) for one in window):
            return "was not finished: its last pages were never written"
        if any(one != window[0] for one in window):
            break
    return None


def _from_the_end(part: Part) -> Iterator[list[Descriptor | None]]:
    """Yield descriptors from the last on, in windows that grow: zero pages share one place, which is an early one.

    After many windows of nothing else, the next ones lie further and further apart.
    """
    pages, size = part.pages, 8
    for n in range(MAX_WINDOWS):
        start = max(0, pages - size)
        yield part.window(start, pages - start)
        pages, size = (start if n < MAX_WINDOWS // 2 else start // 2), BATCH
        if not pages:
            return


def _blank(part: Part) -> str | None:
    """Look at some pages all over the file: where zero bytes stand for them, a copy lost what was there.

    No page that is stored for itself is of zero bytes: makedumpfile and QEMU give those one place.
    """
    wanted = min(part.pages, SAMPLES if getattr(part.source, "fetched", None) is None else SAMPLES // 16)
    looked: dict[int, bool] = {}
    for n in range(wanted):
        where = part.descriptor(part.pages * n // wanted)
        if where and where[0] and 8 <= where[1] <= part.header.block_size and where[0] not in looked:
            looked[where[0]] = not part.source.read_at(where[0], where[1]).strip(b"\0")
    blank = sum(looked.values())
    if blank < 2:
        return None
    return f"has zero bytes in the place of pages ({blank} of {len(looked)} looked at): a copy of it went wrong"
