"""The lines of /proc/meminfo: what each counts. See Documentation/filesystems/proc.rst."""

from oopscope.explain import Text

TEXTS: dict[str, Text] = {
    "MemTotal": Text(
        "RAM that the kernel manages: the machine's without what firmware, the kernel's image and reservations "
        "(crashkernel=) took at boot.",
    ),
    "MemFree": Text("RAM that nothing uses. It being small is normal: the rest caches files."),
    "MemAvailable": Text(
        "The kernel's estimate of how much programs could get without swapping: free pages, and what of cache and "
        "slabs can be dropped.",
        "",
        "This, not MemFree, tells whether memory was short.",
    ),
    "Buffers": Text("Cache of block devices themselves: file-system metadata, and raw reads."),
    "Cached": Text(
        "Pages of files kept in memory, tmpfs and shared memory among them (Shmem): those cannot simply be dropped.",
    ),
    "SwapCached": Text("Pages that are in swap and in memory both."),
    "Active": Text("Pages used lately: reclaimed last."),
    "Inactive": Text("Pages not used lately: reclaimed first."),
    "Active(anon)": Text("Programs' own pages that were used lately; tmpfs counts here too."),
    "Inactive(anon)": Text("Programs' own pages not used lately: to be swapped out, if there is swap."),
    "Active(file)": Text("Cached pages of files used lately."),
    "Inactive(file)": Text("Cached pages of files not used lately: dropped first."),
    "Unevictable": Text("Pages that may not be reclaimed: locked, ramfs, SysV locked segments."),
    "Mlocked": Text("Pages that programs locked in memory (mlock)."),
    "SwapTotal": Text("Size of all swap areas. Zero: programs' pages cannot go anywhere when memory is short."),
    "SwapFree": Text("Swap not in use."),
    "Dirty": Text(
        "Cached data that waits to be written to disk.",
        "Very much of it, with tasks blocked in writing, means that the disk cannot keep up.",
    ),
    "Writeback": Text("Data being written to disk right now.", "If it never shrinks, the device does not answer."),
    "AnonPages": Text(
        "Memory of programs that is no file's: heaps and stacks, mapped into page tables.",
        "",
        "When this is what is large: the tasks by RSS.",
    ),
    "Mapped": Text("Pages of files that programs have mapped: libraries, mapped data."),
    "Shmem": Text(
        "Shared memory and tmpfs. Only swap can take it; a full /dev/shm or /run eats RAM.",
        "",
        "Files in tmpfs mounts survive the program that wrote them.",
    ),
    "KReclaimable": Text("Kernel memory that can be reclaimed under pressure: SReclaimable and a few more."),
    "Slab": Text(
        "The kernel's own small objects: SReclaimable and SUnreclaim together.",
        "",
        "The Slabs pane tells which caches.",
    ),
    "SReclaimable": Text("Slabs that can be reclaimed: mostly cached directory entries and inodes."),
    "SUnreclaim": Text(
        "Slabs that cannot be reclaimed.",
        "If it has grown over days, the kernel leaks: one cache in the Slabs pane stands out, most often kmalloc-N "
        "or a driver's.",
    ),
    "KernelStack": Text("The stacks of all threads, 16 KiB each on x86_64.", "Very much means very many threads."),
    "PageTables": Text(
        "Page tables of all programs.",
        "Large where many processes map much shared memory in small pages: huge pages help.",
    ),
    "Committed_AS": Text("Memory that programs have asked for and may yet use: how much would be needed if all did."),
    "CommitLimit": Text("What vm.overcommit_memory=2 would allow."),
    "VmallocUsed": Text("Memory from vmalloc: modules, large tables, BPF programs, stacks."),
    "Percpu": Text("Per-CPU variables allocated at run time, of all CPUs: counters of cgroups, networks, BPF maps."),
    "AnonHugePages": Text("Programs' memory in transparent huge pages; counted in AnonPages too."),
    "HugePages_Total": Text("Huge pages set aside (hugetlbfs). They serve nothing else, used or not."),
    "HugePages_Free": Text("Huge pages set aside and not used."),
    "Hugetlb": Text("Memory in hugetlbfs pages of all sizes, used or not."),
    "Zswap": Text("Memory that holds compressed swap."),
    "CmaTotal": Text(
        "Memory set aside for large contiguous allocations of devices; movable pages may use it meanwhile.",
    ),
    "CmaFree": Text("Of that, what is free."),
    "NFS_Unstable": Text("Data sent to an NFS server and not yet confirmed."),
    "Bounce": Text("Pages copied through low memory for devices that reach no further."),
    "SecPageTables": Text("Secondary page tables, such as KVM's."),
    "Zswapped": Text("Swapped pages that are kept compressed in memory: their size before."),
    "WritebackTmp": Text("Temporary buffers of FUSE for writing back; always 0 since 6.16."),
    "VmallocTotal": Text("Room of addresses for vmalloc: it is no memory, and never runs out on 64 bits."),
    "VmallocChunk": Text("Kept for old programs; always 0."),
    "HardwareCorrupted": Text(
        "Pages that the hardware reported as faulty, and that are used no more.",
        "Anything but 0 means that memory modules fail: see the log for machine checks.",
    ),
    "ShmemHugePages": Text("tmpfs and shared memory in transparent huge pages; counted in Shmem too."),
    "ShmemPmdMapped": Text("Of those, what is mapped by programs as a whole."),
    "FileHugePages": Text("Cached files in transparent huge pages; counted in Cached too."),
    "FilePmdMapped": Text("Of those, what is mapped by programs as a whole."),
    "Unaccepted": Text("Memory of a confidential guest that it has not taken from the hypervisor yet."),
    "Balloon": Text("Memory that the guest gave back to its hypervisor (virtio_balloon and the like)."),
    "GPUActive": Text("System memory that graphics devices use."),
    "GPUReclaim": Text("System memory that graphics drivers keep and would give back."),
    "HugePages_Rsvd": Text("Huge pages that are promised to programs (mmap) and not touched yet."),
    "HugePages_Surp": Text("Huge pages beyond the pool's size, as overcommit allows."),
    "Hugepagesize": Text("The size of a huge page by default."),
    "DirectMap4k": Text(
        "How much of memory the kernel maps by 4 KiB pages. It grows as large pages are split, and costs some speed."
    ),
    "DirectMap2M": Text("How much of memory the kernel maps by 2 MiB pages."),
    "DirectMap1G": Text("How much of memory the kernel maps by 1 GiB pages."),
}
