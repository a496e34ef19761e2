"""What a file system says of itself: its own options as /proc/mounts has them, its state, what it counts.

Follows fs/ext4/{ext4.h,super.c}, mm/shmem.c, fs/overlayfs/{ovl_entry.h,super.c}, fs/fuse/{fuse_i.h,inode.c},
fs/xfs/{xfs_mount.h,xfs_super.c} and fs/nfs/super.c. One function a type of file system, in the table at the end; its
types may be its module's. What equals its default is not printed, as there. Of overlay what has a default that a
parameter of the module sets is left out.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from oopscope.errors import Implausible
from oopscope.kernel.kernel import Kernel
from oopscope.linux.optional_module import types_of
from oopscope.linux.percpu_counter import percpu_sum
from oopscope.linux.system import memory_bytes
from oopscope.linux.ticks import hz
from oopscope.structs.layout import Types
from oopscope.structs.plan import Plan

EXT4_SHUTDOWN, EXT4_ERROR_FS = 1 << 1, 2  # a bit of s_ext4_flags; of s_mount_state
EXT4_ERRORS = {0x10: "continue", 0x20: "remount-ro", 0x40: "panic"}
EXT4_DATA = {0x400: "journal", 0x800: "ordered", 0xC00: "writeback"}
# Bits of s_mount_opt in the order in which they are printed: the word where one is set and where it is clear.
EXT4_BITS = (
    (0x80, "minixdf", "bsddf"), (0x4, "grpid", "nogrpid"), (0x20000000, "block_validity", "noblock_validity"),
    (0x400000, "dioread_nolock", "dioread_lock"), (0x40000000, "discard", "nodiscard"),
    (0x8000000, "delalloc", "nodelalloc"), (0x800000, "journal_checksum", "nojournal_checksum"),
    (0x20000, "barrier", "nobarrier"), (0x10000, "noauto_da_alloc", "auto_da_alloc"), (0x8, "debug", ""),
)  # fmt: skip
COMMIT_SECONDS, MAX_BATCH_US, READAHEAD_BLOCKS = 5, 15_000, 32
OVERLAY_UUID = ("off", "null", "auto", "on")  # b0504bfe1b8a "ovl: add support for unique fsid per instance", 6.6
TMPFS_MODE = 0o1777
NO_LIMIT = 0xFFFFFFFF
MAX_PATH = 4096


# fs/xfs/xfs_mount.h: bits of m_features, and one of m_opstate; fs/xfs/libxfs/xfs_log_format.h: bits of m_qflags
XFS_BITS = (
    (57, "ikeep"), (52, "wsync"), (49, "noalign"), (58, "swalloc"), (63, "nouuid"), (62, "norecovery"),
    (59, "filestreams"), (55, "grpid"), (54, "discard"), (51, "largeio"), (60, "dax=always"), (61, "dax=never"),
)  # fmt: skip
XFS_MAX_LOG = 64
XFS_SMALL_INODES, XFS_ALLOCSIZE, XFS_SHUTDOWN = 56, 50, 1 << 2
XFS_QUOTA = (
    (0x1, 0x2, "usrquota", "uqnoenforce"),
    (0x8, 0x200, "prjquota", "pqnoenforce"),
    (0x40, 0x80, "grpquota", "gqnoenforce"),
)  # counted, enforced; fmt: skip


# include/uapi/linux/nfs_mount.h and include/linux/nfs_fs_sb.h: bits of nfs_server.flags
NFS_SOFT = ((0x1, "soft"), (0x400000, "softerr"))
NFS_BITS = (
    (0x8, "posix"), (0x10, "nocto"), (0x20, "noac"), (0x200, "nolock"), (0x800, "noacl"), (0x4000, "nordirplus"),
    (0x8000, "nosharecache"), (0x40000, "noresvport"),
)  # fmt: skip
NFS_PROTOCOLS = {6: "tcp", 17: "udp", 256: "rdma"}
NFS_FLAVOURS = {0: "null", 1: "sys", 390003: "krb5", 390004: "krb5i", 390005: "krb5p"}
NFS_4 = 4


class Own(NamedTuple):
    """What a file system says of itself."""

    state: str = ""  # beside rw and ro
    options: str | None = None
    used: int | None = None  # bytes
    errors: int | None = None


class Ext4(NamedTuple):
    """struct ext4_sb_info."""

    es: int
    opt: int
    defaults: int
    state: int
    flags: int
    commit: int
    min_batch: int
    max_batch: int
    stripe: int
    readahead: int


class Ext4Disk(NamedTuple):
    """struct ext4_super_block, little endian."""

    errors: int
    error_count: int


class Tmpfs(NamedTuple):
    """struct shmem_sb_info."""

    max_blocks: int
    used: int
    max_inodes: int
    mode: int
    uid: int
    gid: int


class Overlay(NamedTuple):
    """struct ovl_fs."""

    lower: int
    upper: int
    work: int
    default_permissions: int
    uuid: int | None  # 5830fb6b54f7 "ovl: introduce new "uuid=off" option for inodes index feature", 5.11
    volatile: int | None  # c86243b090bc "ovl: provide a mount option "volatile"", 5.10
    userxattr: int | None  # 2d2f2d7322ff "ovl: user xattr", 5.11


class FuseConnection(NamedTuple):
    """struct fuse_conn."""

    user_id: int
    group_id: int
    default_permissions: int
    allow_other: int
    max_read: int
    connected: int | None
    chan: int | None  # of a struct of its own by 7.2: it has the word whether the server is there


class Xfs(NamedTuple):
    """struct xfs_mount."""

    features: int
    state: int
    allocsize_log: int
    logbufs: int
    logbsize: int
    log: int
    realtime: int
    align: int
    width: int
    sectors_log: int
    quota: int


# Words for bits instead of m_flags since 0560f31a09e5 "xfs: convert mount flags to features", 5.15.
XFS = Plan(
    "xfs_mount", Xfs, features="m_features", state="m_opstate", allocsize_log="m_allocsize_log", logbufs="m_logbufs",
    logbsize="m_logbsize", log="m_logname", realtime="m_rtname", align="m_dalign", width="m_swidth",
    sectors_log="m_blkbb_log", quota="m_qflags",
)  # fmt: skip


class Nfs(NamedTuple):
    """struct nfs_server."""

    client: int
    calls: int
    flags: int
    rsize: int
    wsize: int
    namelen: int
    port: int


class NfsClient(NamedTuple):
    """struct nfs_client."""

    operations: int
    minor: int | None


class NfsCalls(NamedTuple):
    """struct rpc_clnt."""

    transport: int
    timeout: int
    auth: int


class NfsTimeout(NamedTuple):
    """struct rpc_timeout."""

    initval: int
    retries: int


NFS = Plan("nfs_server", Nfs, client="nfs_client", calls="client")
NFS_CLIENT = Plan("nfs_client", NfsClient, operations="rpc_ops", minor="cl_minorversion")
NFS_CALLS = Plan("rpc_clnt", NfsCalls, transport="cl_xprt", timeout="cl_timeout", auth="cl_auth")
NFS_TIMEOUT = Plan("rpc_timeout", NfsTimeout, initval="to_initval", retries="to_retries")
EXT4 = Plan(
    "ext4_sb_info", Ext4, es="s_es", opt="s_mount_opt", defaults="s_def_mount_opt", state="s_mount_state",
    flags="s_ext4_flags", commit="s_commit_interval", min_batch="s_min_batch_time", max_batch="s_max_batch_time",
    stripe="s_stripe", readahead="s_inode_readahead_blks",
)  # fmt: skip
EXT4_DISK = Plan("ext4_super_block", Ext4Disk, errors="s_errors", error_count="s_error_count")
TMPFS = Plan("shmem_sb_info", Tmpfs, used="&used_blocks", uid="uid.val", gid="gid.val")
# An array of directories since b36a5780cb44 "ovl: modify layer parameter parsing", 6.5: the first is the option whole.
OVERLAY = Plan(
    "ovl_fs", Overlay, lower=("config.lowerdirs", "config.lowerdir"), upper="config.upperdir", work="config.workdir",
    default_permissions="config.default_permissions", uuid="config.uuid", volatile="config.ovl_volatile",
    userxattr="config.userxattr",
)  # fmt: skip
FUSE = Plan("fuse_conn", FuseConnection, user_id="user_id.val", group_id="group_id.val")


def _ext4(kernel: Kernel, types: Types, info: int) -> Own:
    """Return ext4's options, and how many errors it saw."""
    own = EXT4.bind(types, kernel.memory, kernel.endian).row(info)
    disk = EXT4_DISK.bind(types, kernel.memory, kernel.endian).row(own.es)
    state = ["shut down"] if own.flags & EXT4_SHUTDOWN else []
    state += ["errors seen"] if own.state & EXT4_ERROR_FS else []
    count = types.has_member("ext4_sb_info", "s_error_count")  # beside what is on disk since 5.11
    at = info + types.member("ext4_sb_info", "s_error_count").offset if count else 0
    errors = kernel.memory.u32(at) if count else disk.error_count
    return Own(", ".join(state), ",".join(_ext4_words(kernel, own, disk)), None, errors)


def _ext4_words(kernel: Kernel, own: Ext4, disk: Ext4Disk) -> Iterator[str]:
    for bit, word, without in EXT4_BITS:
        if (own.opt ^ own.defaults) & bit and (word if own.opt & bit else without):
            yield word if own.opt & bit else without
    usual = {1: 0x10, 2: 0x20, 3: 0x40}.get(disk.errors, 0x10)  # s_errors: what tune2fs -e set
    yield from (f"errors={word}" for bit, word in EXT4_ERRORS.items() if own.opt & bit and bit != usual)
    seconds = own.commit // hz(kernel)
    if seconds != COMMIT_SECONDS:
        yield f"commit={seconds}"
    if own.min_batch:
        yield f"min_batch_time={own.min_batch}"
    if own.max_batch != MAX_BATCH_US:
        yield f"max_batch_time={own.max_batch}"
    if own.stripe:
        yield f"stripe={own.stripe}"
    data = own.opt & 0xC00
    if data and data != own.defaults & 0xC00:
        yield f"data={EXT4_DATA[data]}"
    if own.readahead != READAHEAD_BLOCKS:
        yield f"inode_readahead_blks={own.readahead}"


def _tmpfs(kernel: Kernel, types: Types, info: int) -> Own:
    """Return tmpfs's options, and how much it holds."""
    own, page = TMPFS.bind(types, kernel.memory, kernel.endian).row(info), kernel.memory.page_size
    words = []
    half = memory_bytes(kernel) // page // 2
    words += [f"size={own.max_blocks * page >> 10}k"] if own.max_blocks != half else []
    words += [f"nr_inodes={own.max_inodes}"] if own.max_inodes != half else []
    words += [f"mode={own.mode & 0o7777:03o}"] if own.mode & 0o7777 != TMPFS_MODE else []
    words += [f"uid={own.uid}"] if own.uid else []
    words += [f"gid={own.gid}"] if own.gid else []
    return Own("", ",".join(words), percpu_sum(kernel, own.used) * page, None)


def _overlay(kernel: Kernel, types: Types, info: int) -> Own:
    """Return overlay's directories, and what else it was told."""
    own = OVERLAY.bind(types, kernel.memory, kernel.endian).row(info)
    lower = kernel.memory.word(own.lower) if own.lower and types.has_member("ovl_fs", "config.lowerdirs") else own.lower
    words = [f"{word}={_path(kernel, at)}" for word, at in
             (("lowerdir", lower), ("upperdir", own.upper), ("workdir", own.work)) if at]  # fmt: skip
    words += ["default_permissions"] if own.default_permissions else []
    words += [_overlay_uuid(types, own)] if _overlay_uuid(types, own) else []
    words += ["volatile"] if own.volatile else []
    words += ["userxattr"] if own.userxattr else []
    return Own("", ",".join(words))


def _overlay_uuid(types: Types, own: Overlay) -> str:
    """Return how identity is made, unless that is the usual way: off or not, since 6.6 one of four."""
    if own.uuid is None:
        return ""
    usual = OVERLAY_UUID.index("auto") if types.member("ovl_fs", "config.uuid").size > 1 else 1
    return f"uuid={OVERLAY_UUID[own.uuid]}" if own.uuid != usual and own.uuid < len(OVERLAY_UUID) else ""


def _path(kernel: Kernel, at: int) -> str:
    return kernel.memory.text(at, MAX_PATH)


def _fuse(kernel: Kernel, types: Types, info: int) -> Own:
    """Return what a FUSE server was mounted with, and whether it is gone."""
    if types.has(
        "fuse_mount"
    ):  # a super block's own since fcee216beb9c "fuse: split fuse_mount off of fuse_conn", 5.10
        info = kernel.memory.word(info + types.member("fuse_mount", "fc").offset)
    own = FUSE.bind(types, kernel.memory, kernel.endian).row(info)
    words = [f"user_id={own.user_id}", f"group_id={own.group_id}"]
    words += ["default_permissions"] if own.default_permissions else []
    words += ["allow_other"] if own.allow_other else []
    words += [f"max_read={own.max_read}"] if own.max_read != NO_LIMIT else []
    connected = own.connected
    if connected is None and own.chan:
        connected = kernel.memory.u32(own.chan + types.member("fuse_chan", "connected").offset)
    return Own("its server is gone" if connected == 0 else "", ",".join(words))


def _xfs(kernel: Kernel, types: Types, info: int) -> Own:
    """Return xfs's options (xfs_fs_show_options()) but attr2, which all have, and whether it was shut down."""
    own = XFS.bind(types, kernel.memory, kernel.endian).row(info)
    if max(own.allocsize_log, own.sectors_log) >= XFS_MAX_LOG:
        raise Implausible("sizes of xfs by powers of two that no number has", info)
    words = [word for bit, word in XFS_BITS if own.features >> bit & 1]
    words.append("inode32" if own.features >> XFS_SMALL_INODES & 1 else "inode64")
    words += [f"allocsize={(1 << own.allocsize_log) >> 10}k"] if own.features >> XFS_ALLOCSIZE & 1 else []
    words += [f"logbufs={own.logbufs}"] if own.logbufs > 0 else []
    words += [f"logbsize={own.logbsize >> 10}k"] if own.logbsize > 0 else []
    for name, at in (("logdev", own.log), ("rtdev", own.realtime)):
        words += [f"{name}={_path(kernel, at)}"] if at else []
    for name, blocks in (("sunit", own.align), ("swidth", own.width)):
        words += [f"{name}={blocks << own.sectors_log}"] if blocks else []
    quota = [word if own.quota & on else weak for counted, on, word, weak in XFS_QUOTA if own.quota & counted]
    return Own("shut down" if own.state & XFS_SHUTDOWN else "", ",".join(words + (quota or ["noquota"])))


def _nfs(kernel: Kernel, types: Types, info: int) -> Own:
    """Return NFS's options (nfs_show_mount_options()) but its mount daemon's and for how long attributes are kept."""
    memory, bound = kernel.memory, (kernel.memory, kernel.endian)
    own = NFS.bind(types, *bound).row(info)
    server, calls = NFS_CLIENT.bind(types, *bound).row(own.client), NFS_CALLS.bind(types, *bound).row(own.calls)
    version = memory.u32(server.operations + types.member("nfs_rpc_ops", "version").offset)
    words = [f"vers={version}.{server.minor or 0}" if version >= NFS_4 else f"vers={version}"]
    words += [f"rsize={own.rsize}", f"wsize={own.wsize}", f"namlen={own.namelen}"]
    words.append(next((word for bit, word in NFS_SOFT if own.flags & bit), "hard"))
    words += [word for bit, word in NFS_BITS if own.flags & bit]
    protocol = memory.u32(calls.transport + types.member("rpc_xprt", "prot").offset)
    words.append(f"proto={NFS_PROTOCOLS.get(protocol, protocol)}")
    words += [f"port={own.port}"] if own.port else []
    timeout = NFS_TIMEOUT.bind(types, *bound).row(calls.timeout)
    words += [f"timeo={10 * timeout.initval // hz(kernel)}", f"retrans={timeout.retries}"]
    flavour = memory.u32(calls.auth + types.member("rpc_auth", "au_flavor").offset)
    return Own("", ",".join([*words, f"sec={NFS_FLAVOURS.get(flavour, flavour)}"]))


Says = Callable[[Kernel, Types, int], Own]
# By a file system's type: what it says, a type of its own, and the module that has it.
KNOWN: dict[str, tuple[Says, str, str]] = {
    **dict.fromkeys(("ext4", "ext3", "ext2"), (_ext4, "ext4_sb_info", "ext4")),
    **dict.fromkeys(("tmpfs", "devtmpfs", "rootfs"), (_tmpfs, "shmem_sb_info", "")),
    "overlay": (_overlay, "ovl_fs", "overlay"),
    "xfs": (_xfs, "xfs_mount", "xfs"),
    "nfs": (_nfs, "nfs_server", "nfs"),
    "nfs4": (_nfs, "nfs_server", "nfs"),
    "fuse": (_fuse, "fuse_conn", "fuse"),
    "fuseblk": (_fuse, "fuse_conn", "fuse"),
}


class OptionReader:
    """What the file systems of one kernel say of themselves."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def says(self, name: str, info: int, operations: int) -> Own:
        """Return what a file system of a type says, by its s_fs_info and its s_op; Absent where its types are not had.

        ext2 may be its own and no ext4, devtmpfs and rootfs ramfs and no tmpfs: their operations tell.
        """
        known = KNOWN.get(name)
        expected = OPERATIONS.get(name)
        if known is None or not info or (expected and operations != self._kernel.find_symbol(expected)):
            return Own()
        says, struct, module = known
        return says(self._kernel, types_of(self._kernel, module, struct), info)


OPERATIONS = dict.fromkeys(("tmpfs", "devtmpfs", "rootfs"), "shmem_ops") | {"ext2": "ext4_sops", "ext3": "ext4_sops"}
