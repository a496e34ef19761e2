"""What a number means by itself, without a look at memory: NULL, an error pointer, a poison, a bit of text.

Follows include/linux/{poison,err}.h, include/uapi/linux/magic.h and include/uapi/asm-generic/errno*.h. The words are
for people; whoever follows a meaning uses its fields.
"""

from typing import Literal, NamedTuple

from oopscope.arch import ByteOrder

Kind = Literal[
    "null", "error", "poison", "ascii", "code", "data", "stack", "percpu", "task", "slab", "page", "vmalloc",
    "struct page", "user", "nothing",
]  # fmt: skip


class Meaning(NamedTuple):
    """What a number may be, in words; `sure` False marks a guess."""

    kind: Kind
    words: str
    sure: bool = True
    pid: int | None = None  # of the task that it is, or whose stack it points into
    struct: tuple[str, int] | None = None  # a type, and the address at which one lies
    why: str = ""  # of an address: why its memory cannot be read

    def __str__(self) -> str:
        return self.words + ("" if self.sure else " ?") + (f" · {self.why}" if self.why else "")


NULL_PAGE = 4096
MAX_ERRNO = 4095
POISON_DELTA = 0xDEAD000000000000  # CONFIG_ILLEGAL_POINTER_VALUE of 64-bit machines
POINTER_POISONS = (
    (0x100, "LIST_POISON1: the next of a list entry that was deleted"),
    (0x122, "LIST_POISON2: the prev of a list entry that was deleted"),
    (0x300, "TIMER_ENTRY_STATIC"),
    (0x400, "TAIL_MAPPING: the mapping of a tail page"),
)
BYTE_POISONS = {
    0x6B: "POISON_FREE: memory of a freed object",
    0x5A: "POISON_INUSE: memory of an object that was never written",
    0xA5: "POISON_END: the last byte of a freed object",
    0xBB: "SLUB_RED_INACTIVE: the red zone of a freed object",
    0xCC: "SLUB_RED_ACTIVE: the red zone of an object in use, or freed initialisation memory",
    0xAA: "PAGE_POISON: a freed page",
    0xA7: "POOL_POISON_FREED: freed DMA pool memory",
    0xA9: "POOL_POISON_ALLOCATED: DMA pool memory that was never written",
}
STACK_END_MAGIC = 0x57AC6E9D
_ERRNO = (
    "EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST "
    "EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM "
    "ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG "
    "EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME ENOSR ENONET "
    "ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG "
    "ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE "
    "EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE "
    "EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN "
    "ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL "
    "EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD "
    "ENOTRECOVERABLE ERFKILL EHWPOISON"
)
ERRNO = tuple(_ERRNO.split())
KERNEL_ERRNO = {  # include/linux/errno.h
    512: "ERESTARTSYS", 513: "ERESTARTNOINTR", 514: "ERESTARTNOHAND", 515: "ENOIOCTLCMD", 516: "ERESTART_RESTARTBLOCK",
    517: "EPROBE_DEFER", 518: "EOPENSTALE", 519: "ENOPARAM", 521: "EBADHANDLE", 522: "ENOTSYNC", 523: "EBADCOOKIE",
    524: "ENOTSUPP", 525: "ETOOSMALL", 526: "ESERVERFAULT", 527: "EBADTYPE", 528: "EJUKEBOX", 529: "EIOCBQUEUED",
    530: "ERECALLCONFLICT",
}  # fmt: skip
MIN_TEXT = 4
TEXT = frozenset(range(0x20, 0x7F)) | {0x09, 0x0A}


def errno_name(number: int) -> str | None:
    """Return an error's name as on x86, `EFAULT` for 14; None for a number that is none."""
    name = ERRNO[number - 1] if 1 <= number <= len(ERRNO) else KERNEL_ERRNO.get(number, "-")
    return None if name == "-" else name


def number_meaning(value: int, bits: int = 64, order: ByteOrder = "little") -> Meaning | None:
    """Return what a number of so many bits means whatever memory holds; None where only memory can tell.

    order: in which its bytes lay in memory, for one that is text.
    """
    if value < NULL_PAGE:
        return Meaning("null", "NULL" if not value else f"{value}, or NULL + {value:#x}", not value)
    negative = (1 << bits) - value
    if negative <= MAX_ERRNO:
        name = errno_name(negative)
        return Meaning("error", f"-{name} (-{negative})" if name else f"-{negative}", name is not None and negative > 1)
    return _poison(value, bits) or _short_error(value, bits) or _text(value, bits, order)


def _poison(value: int, bits: int) -> Meaning | None:
    if value == STACK_END_MAGIC:
        return Meaning("poison", "STACK_END_MAGIC: the far end of a stack")
    past = value - POISON_DELTA
    if bits == 64 and 0 <= past < NULL_PAGE:
        known = [(at, name) for at, name in POINTER_POISONS if at <= past]
        at, name = known[-1] if known else (0, "the poison of pointers")
        return Meaning("poison", name if past == at else f"{name.partition(':')[0]} + {past - at:#x}", past == at)
    byte = value >> bits - 8
    if byte not in BYTE_POISONS:
        return None
    whole = byte * (((1 << bits) - 1) // 255)
    name = BYTE_POISONS[byte]
    if value == whole:
        return Meaning("poison", name)
    if value >> 16 == whole >> 16:
        return Meaning("poison", f"{name.partition(':')[0]} {value - whole:+#x}", False)
    return None


def _short_error(value: int, bits: int) -> Meaning | None:
    """An int that was -EFAULT, in the lower half of a register."""
    name = errno_name((1 << 32) - value) if bits == 64 and value < 1 << 32 else None
    return Meaning("error", f"in 32 bits -{name} (-{(1 << 32) - value})", False) if name else None


def _text(value: int, bits: int, order: ByteOrder) -> Meaning | None:
    raw = value.to_bytes(bits // 8, order).rstrip(b"\0")
    if len(raw) < MIN_TEXT or not set(raw) <= TEXT or sum(chr(byte).isalnum() for byte in raw) * 2 < len(raw):
        return None
    return Meaning("ascii", f'text "{raw.decode("ascii")}"', False)
