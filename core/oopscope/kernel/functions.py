"""What functions of the kernel are for, by their names: one list of each role, used by everything that looks at stacks.

`dying` is what reports or dies and is never to blame; `waiting` is a lock's or a wait's own code; `helper` is a leaf
that was handed a bad argument, so that its caller is to blame; `entry` is where an interrupt, an exception or a system
call comes in; `allocator` is the memory allocators' own code. Names are compared without what a compiler appends
(`.isra.0`, `.constprop.0`, `.part.0`, `.cold`, `.llvm.123`). It knows no stack and no dump.
"""

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache

from oopscope.kernel.frame import Frame, FrameKind
from oopscope.lazy_re import lazy_re

_TOKEN = lazy_re(r"\\.|\[[^\]]*\]|.", re.DOTALL)  # of a regular expression: an escape, a class, a character
_WORD, _ANY_LOW_LINES = r"\w*", "_*"  # what a name may go on with, and begin with
_OPTIONAL = lazy_re(r"[*?]|\{0?,\d*\}")
_SUFFIX = lazy_re(r"(\.(isra|constprop|part|cold|clone|llvm|lto_priv|localalias|cfi_jt|cfi)[.\d]*)+$")


def plain(symbol: str) -> str:
    """Return a function's name without the suffixes that a compiler gave it."""
    return _SUFFIX.sub("", symbol)


class Names:
    """Names of functions, as one regular expression of many alternatives.

    Compiling all of it takes up to 8 ms. Many alternatives are plain names or beginnings of names (`_*bad_area\\w*`),
    which need none; of the others only those that a name can begin are compiled, for each first letter met.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._by_letter: dict[str, re.Pattern[str]] = {}

    @cached_property
    def _alternatives(self) -> tuple[set[str], tuple[str, ...], list[tuple[str, frozenset[str] | None]]]:
        """The names and the beginnings, which `_*` may stand before, and the others with their first letters."""
        names, beginnings, others = set[str](), set[str](), list[tuple[str, frozenset[str] | None]]()
        for one in alternatives(self._text):
            start = one.removesuffix(_WORD)
            if not start.removeprefix(_ANY_LOW_LINES).isidentifier() or start.startswith(_ANY_LOW_LINES + "_"):
                others.append((one, first_letters(one)))
            elif start == one:
                names.add(one)
            else:
                beginnings.add(start)
        return names, tuple(beginnings), others

    def has(self, name: str) -> bool:
        """Tell whether a name is one of these, as a whole."""
        names, beginnings, others = self._alternatives
        bare = _ANY_LOW_LINES + name.lstrip("_")
        if name in names or bare in names:
            return True
        if (name.startswith(beginnings) or bare.startswith(beginnings)) and name.isidentifier():
            return True
        letter = name[:1]
        if letter not in self._by_letter:
            mine = [one for one, letters in others if letters is None or letter in letters]
            self._by_letter[letter] = re.compile("|".join(mine) if mine else "(?!)")
        return self._by_letter[letter].fullmatch(name) is not None


def alternatives(text: str) -> list[str]:
    """Split a regular expression at each | that stands in no group; no class and no escape may have one or a group."""
    found, held, depth = list[str](), list[str](), 0
    for part in text.split("|"):
        held.append(part)
        depth += part.count("(") - part.count(")")
        if not depth:
            found.append("|".join(held))
            held.clear()
    return found


def first_letters(text: str) -> frozenset[str] | None:
    """Return the letters that a match of one alternative may begin with; None where that may be any."""
    if text[:2].isidentifier():
        return frozenset(text[0])
    token = _TOKEN.match(text)
    if token is None or token[0][0] in "\\[.^$":
        return None
    end, letters = token.end(), frozenset(token[0])
    if token[0] == "(":
        group = _group(text)
        end = len(group) + 2
        inner = [first_letters(one) for one in alternatives(group)]
        letters = frozenset(letter for one in inner for letter in one or ())
        if None in inner:
            return None
    left_out = _OPTIONAL.match(text, end)
    if left_out:  # then what follows it begins the match
        rest = first_letters(text[left_out.end() :])
        return None if rest is None else letters | rest
    return letters


def _group(text: str) -> str:
    """Return what stands in the group that a text begins with."""
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if not depth:
            return text[1 : token.start()]
    raise ValueError(f"a group without an end: {text}")


# Where something comes in, and behind it stands what it interrupted.
_EXCEPTIONS = Names(
    r"(asm_)?exc_\w+|error_(code|entry|exit)|(async_|xen_|asm_xenpv_)?(page_fault|general_protection|divide_error|"
    r"invalid_op|"
    r"double_fault|int3|stack_segment|debug|overflow|bounds|alignment_check|machine_check)|do_exception_error|"
    r"paranoid_exit|"
    r"el[01][ht]?_(64_)?(sync|error|da|ia|dbg|fiq|undef|inv|sp_pc|abort|pc|sys|bti|gcs|mops|fpac|"
    r"breakpt|softstp|watchpt|brk64|s[vm]e_acc|fpsimd)\w*|__(dabt|pabt|und)_(svc|usr)|handle_page_fault|"
    r"(data|instruction)_access\w*|(program_check|machine_check|alignment)_common\w*|pgm_check_handler|"
    r"handle_exception|"
    r"mcck_int_handler|mce_int_handler"
)
_IRQS = Names(
    r"asm_(sysvec|common_interrupt|spurious)\w*|(apic_timer|reschedule|call_function\w*|common|ret_from_|irq_work|"
    r"hv_stimer0|hyperv|hyperv_reenlightenment|xen_hvm|xen_do|spurious|x86_platform_ipi|threshold|thermal|error|irq_move_cleanup)_?(interrupt|intr|"
    r"callback_vector|do_upcall|hypervisor_callback)|xen_hvm_callback_vector|xen_do_hypervisor_callback|"
    r"xen_hypervisor_callback|exc_xen_hypervisor_callback|el[01][ht]?_(64_)?(irq|fiq)\w*|__irq_(svc|usr)|"
    r"io_int_handler|"
    r"ext_int_handler|hardware_interrupt_common\w*|decrementer_common\w*|ret_from_irq"
)
_NMIS = Names(
    r"(asm_)?exc_nmi\w*|asm_xenpv_exc_nmi|nmi|end_repeat_nmi|first_nmi|repeat_nmi|system_reset_\w+|nmi_restore"
)
_SYSCALLS = Names(
    r"entry_(SYSCALL|SYSENTER|INT80)\w*|(ia32_)?sys(call|enter|call32)\w*(_after_hwframe|_fastpath|_trace|_target|"
    r"_past_esp)|"
    r"system_call\w*|tracesys|ret_from_fork(_asm|_nospec_\w+)?|ret_fast_syscall|el0_svc\w*|el0t_64_sync\w*|"
    r"__sys_trace\w*|vector_swi|"
    r"kernel_thread_helper|child_rip|ia32_sysret"
)

# Part of dying: what reports, dumps, stops and panics.
_DYING = Names(
    r"v?panic(_\w+)?|(i8042_)?panic_blink|"
    r"nmi_panic\w*|_*crash_kexec|crash_(setup_regs|save_cpu|fadump|smp_send_stop|ipi_callback)|"
    r"machine_(kexec|crash_\w+)|__machine_kexec|oops_(end|begin|enter|exit)|die(_addr|_kernel_fault|_nmi|"
    r"_if_kernel)?|__die\w*|"
    r"(dump|show)_(stack|regs|trace|backtrace)\w*|print_(address_description|report|bad_pte|unlock\w+|"
    r"circular_bug\w*|"
    r"usage_bug\w*|modules|oops_end_marker|trailer|page_info)\w*|no_context|page_fault_oops|kernelmode_fixup_or_oops|"
    r"_*bad_area\w*|do_(user|kern)_addr_fault|do_kern_addr_fault|do_trap\w*|do_error_trap|do_\w+_fault|"
    r"_*do_page_fault|"
    r"do_(mem_abort|sea|bad_area|undefinstr|serror|machine_check|nmi|int3|invalid_op|divide_error|general_protection|"
    r"stack_segment|trap_\w+|el1\w+|sp_pc_abort)|(default|unknown|io|mem|pci|external)_?(nmi|do_nmi|nmi_error)\w*|"
    r"default_do_nmi|nmi_handle\w*|io_check_error|pci_serr_error|mem_parity_error|unknown_nmi_error|df_debug|"
    r"fixup_(bug|exception)\w*|handle_(bug|stack_overflow|cfi_failure|mm_fault)\w*|_*report_(bug|cfi_failure|"
    r"ubsan_failure)\w*|"
    r"_*warn(_slowpath_\w+|_printk)?|warn_slowpath_\w+|check_panic_on_warn|panic_on_rcu_stall|"
    r"make_task_dead|rewind_stack\w*|_*ubsan_\w+|refcount_(warn_saturate|error_report|dec_not_one_\w+)|"
    r"_*kasan_\w+|_*asan_\w+|__hwasan_\w+|check_memory_region\w*|end_report|start_report|"
    r"kfence_(report\w*|handle_page_fault|print_\w+)|_*kmsan_\w+|_*msan_\w+|_*kcsan_\w+|_*tsan_\w+|"
    r"_*stack_chk_fail|_*fortify_(report|panic)|bust_spinlocks|native_machine_\w+|kexec_crash_\w+|delay_(tsc|loop|mwaitx?|halt)|"
    r"_*(const_)?[un]?delay|_*delay_cycles|vectors|"
    r"emergency_restart|machine_(restart|halt|emergency_restart)|"
    r"mce_(panic|timed_out|reign|end|start)\w*|__ghes_panic\w*|ghes_(proc|in_nmi|notify|do|handle)\w*|"
    r"arm64_(serror_panic|"
    r"is_fatal_ras_serror|notify_die|force_sig\w*)|add_taint|abort|bug_handler|brk_handler|call_break_hook|"
    r"do_debug_exception|"
    r"handle_bad_stack|_+bad_stack|do_brk64|bug_brk_handler|"  # arm64, riscv
    r"do_no_context|do_fault_error|do_dat_exception|do_protection_exception|handle_fault_error(_nolock)?|__do_pgm_check|"
    r"illegal_op|do_report_trap|monitor_event_exception|_*smp_call_ipl\w*|disabled_wait|s390_handle_\w+|"  # s390
    r"(stop|dump|reipl|vmcmd)_run|on_panic_notify|do_panic|__do_restart|smp_emergency_stop|"
    r"_*bad_page_fault|hash__do_page_fault|(do_)?program_check(_exception)?|_exception(_pkey)?|die_mce|"
    r"unrecoverable_exception|ppc_panic_\w+|default_machine_kexec|kernel_bad_stack|machine_check_exception|"  # PowerPC
    r"riscv_crash_save_regs|common_exception|"
    r"do_(ade|ale|bce|bp|fpe|fpu|lsx|lasx|lbt|ri|watch|reserved)|"  # LoongArch
    r"do_(DataAbort|PrefetchAbort|translation_fault|page_fault)|__do_kernel_fault|arm_notify_die|"  # arm
    r"(early_)?brk64|reserved_\w+_handler|(irq_)?work_queue_tail|notifier_call_chain|atomic_notifier_call_chain|"
    r"notify_(die|page_fault)|kdump_nmi\w*|crash_nmi\w*|watchdog_(overflow_callback|timer_fn|hardlockup_check)\w*|"
    r"is_hardlockup|perf_event_nmi_handler|(__)?perf_event_overflow\w*|\w+_pmu_handle_irq\w*|handle_pmi_common|"
    r"hpwdt_pretimeout|ipmi_nmi|watchdog_notify_pretimeout|pretimeout_panic|sysdump\w*|save_stack(_trace\w*)?|"
    r"unwind_\w+|"
    r"stack_trace_\w+|arch_stack_walk|walk_stackframe|trap_\w+|kernel_stack_overflow|ret_from_exception|"
    r"nmi_cpu_backtrace\w*|"
    r"nmi_trigger_\w+|trigger_\w+_backtrace|arch_trigger_\w+|rcu_dump_cpu_stacks|rcu_sched_clock_irq|rcu_pending|"
    r"print_(cpu_stall|other_cpu_stall)\w*|check_cpu_stall|rcu_check_gp_kthread\w*|exit_to_user_\w+|"
    r"default_send_\w+|native_(smp_)?send_\w+|apic_send_\w+|(lock_)?dep_\w+_bug|__schedule_bug|_*might_(sleep|fault|"
    r"resched)\w*|"
    r"(validate|check_prev|check_noncircular|check_usage|__lock_acquire|lock_acquire|trace_hardirqs|trace_softirqs)\w*|"
    r"print_\w+_bug|(print|get)_taint\w*|lockdep_\w+|"
    r"mark_(lock|usage|held_locks)\w*|valid_state|debug_(print_object|locks_off|check_no_obj_freed|object_\w+)|"
    r"_*debug_(check|object)_\w+|usercopy_warn|sched_show_task\w*|warn_bogus_\w+|irqentry_(exit|enter)\w*|"
    r"rust_(begin_unwind|helper_(BUG|WARN))\w*|_R\w*core9panicking\w*|__seqprop_\w+|"
    r"(btrfs_)?assertfail|assfail|spin_(bug|dump)|object_err|stack_depot_\w+|print_track\w*|slab_(err|"
    r"bug|fix)\w*|"
    r"check_(panic_on_oom|bytes_and_report|object|slab|poison_obj)|bad_page|exc_\w+|asm_\w+|nmi_shootdown_cpus\w*|"
    r"stop_this_cpu|(__)?sysvec_reboot|smp_stop_nmi_callback|ipi_cpu_(crash_)?stop|"
    r"cpu_park_loop|stop_self"
)

# A lock's or a wait's own code: who called it waits.
_WAITING = Names(
    r"_*(raw_|native_|pv_|queued_|paravirt_|arch_)*(spin|read|write|queued_spin|queued_read|queued_write|rw|"
    r"mcs_spin|osq)_?"
    r"(lock|trylock|unlock|wait)\w*|_*(raw_)?(spin|read|write)_(un)?lock_\w+|do_raw_(spin|read|write)_\w+|"
    r"native_queued_\w+|__pv_\w+|kvm_(wait|kick_cpu)|xen_qlock_wait|hv_qlock_wait|lock_sock_nested|__lock_sock|"
    r"_*schedule(_\w+)?|_*io_schedule\w*|context_switch|__switch_to\w*|preempt_schedule\w*|_*cond_resched\w*|"
    r"_*(rt_)?mutex_\w*(lock|optimistic_spin|wait)\w*|_*rt_mutex_\w+|rt_spin_\w+|rtlock_\w+|_*ww_mutex_\w+|"
    r"_*(rwsem|down|up)_\w+|_*down(_\w+)?|_*percpu_(down|up|rwsem)\w*|call_rwsem_\w+|"
    r"_*(wait|do_wait|prepare_to_wait|finish_wait)_\w+|_*wait_on_\w+|bit_wait\w*|out_of_line_wait_\w+|"
    r"folio_wait_\w+|_*folio_lock\w*|_*lock_(page|folio|buffer)\w*|_*wait_(for|on)_\w+|do_wait_intr\w*|"
    r"(m|us|s)leep\w*|usleep_range\w*|fsleep|hrtimer_(nano)?sleep\w*|do_nanosleep|schedule_hrtimeout\w*|"
    r"_*synchronize_\w+|rcu_barrier\w*|_*flush_(work|workqueue|delayed_work)\w*|__flush_\w+|cancel_work_sync|"
    r"kthread_(stop|park)\w*|_*blk_mq_freeze_queue_wait|freezer_\w+|refrigerator|futex_wait\w*|"
    r"smp_call_function\w*|csd_lock_wait|on_each_cpu\w*|_*cpus?_read_lock|native_(safe_)?halt|default_idle\w*|"
    r"dma_fence_\w*wait\w*|_*ldsem_down_\w+|_*(filemap|wb)_(fdata)?wait\w*|rtnl_(net_)?(lock|trylock)\w*|pipe_(double_)?lock|"
    r"_*lock_sock\w*|inode_lock\w*|device_lock\w*|iterate_wait\w*"
)

# A leaf that trusts its argument: what it faults over is its caller's.
_HELPER = Names(
    r"_*(mem(cpy|set|move|cmp|chr|scan)|str(len|nlen|cpy|ncpy|scpy|lcpy|cat|lcat|cmp|ncmp|chr|rchr|str|sep|dup))\w*|"
    r"_*(x86_)?(copy_(to|from)_user|copy_user|clear_user|copy_(page|mc)|clear_page)\w*|rep_(movs|stos)\w*|"
    r"_*(list|hlist|llist|plist|klist)_(add|del|move|splice|entry|iter|next|prev|node)\w*|__list_(add|del)\w*|"
    r"klist_\w+|"
    r"_*rb_(insert|erase|next|prev|first|last)\w*|timerqueue_\w+|"
    r"_*k[vz]?(re)?(m|z)?free(_\w+)?|k(z|v)?alloc\w*|k[mzv]+alloc\w*|_*kmalloc\w*|_*kmem_cache_\w+|_*slab_\w+|"
    r"___?slab_\w+|_*do_slab_free|get_(partial|freepointer|any_partial)\w*|set_freepointer|cache_(alloc|free)\w*|"
    r"_*cache_free|cache_from_obj|"
    r"new_slab\w*|allocate_slab|deactivate_slab|free_(to_pcs|to_partial_list|block|debug_processing)|build_detached_freelist|"
    r"vfree\w*|kvfree\w*|_*free_pages\w*|page_frag_free|put_page|"
    r"kobject_(put|get|del|release|cleanup)\w*|kref_(put|get)\w*|refcount_\w+|_*refcount_\w+|put_device|get_device|"
    r"skb_(panic|over_panic|under_panic|put|push|pull|release_\w+)|consume_skb|kfree_skb\w*|_*skb_\w*panic|"
    r"usercopy_abort|__copy_overflow|__check_(object|heap_object)\w*|check_heap_object|__check_object_size|fortify_panic|"
    r"__fortify_panic|"
    r"__x86_(indirect|return)_\w+|__x86_retpoline_\w+|retbleed_\w+|srso_\w+|entry_ibpb|clear_bhb_loop|__cfi_\w+|"
    r"_*(raw_)?(atomic|atomic64)_\w+|_*test_and_\w+_bit|_*bitmap_\w+|_*find_(next|first)_\w*bit\w*|"
    r"_*(raw_)?spin_(lock|unlock|trylock)\w*|_raw_(read|write)_\w+|do_raw_spin_\w+|native_queued_\w+|queued_(spin|"
    r"read|write)_\w+|"
    r"mutex_(lock|unlock|trylock)\w*|_*mutex_lock\w*|down_(read|write|trylock)\w*|up_(read|write)\w*|complete(_all)?|"
    r"_*wake_up\w*|_*(add|remove)_wait_queue\w*|autoremove_wake_function|default_wake_function|try_to_wake_up|"
    r"_*(v?s[cn]*printf|v?printk\w*|vsnprintf|string|string_nocheck|pointer|format_decode|number)|"
    r"_*(queue|mod)_(work|delayed_work)\w*|(del|add|mod)_timer\w*|_*hrtimer_(start|cancel|try_to_cancel)\w*|"
    r"_*sanitizer_cov_\w+|write_comp_data|check_kcov_mode|_*hwasan_check\w*|read_word_at_a_time|"
    r"_*lock_(acquire|release|is_held\w*)|lock_timer_base|work_is_static_object|kthread_stop|ida_\w+|"
    r"_*read_once_word_nocheck|refcount_\w+|ref_tracker_\w+|kmalloc_slab|kobject_(add|init)\w*|proc_register|"
    r"crc(16|_itu_t|32c?|_t10dif)\w*|_*copy_(to|from|page_to|page_from)_iter\w*|hex_dump_to_buffer|print_hex_dump\w*|"
    r"(un)?lock_page|folio_(un)?lock|_*local_bh_enable\w*|_*phys_addr\w*|(drop|inc|clear|set)_nlink|fast_dput|dput|"
    r"io(read|write)(8|16|32|64)\w*|__(raw_)?(read|write)[bwlq]|mark_buffer_dirty|kfree_skbmem|_*free_(unref|frozen|one|pcp)\w*|bad_page|_*page_frag_\w+|"
    r"xas_(start|load|find|store|descend)|xa_(load|store|find)|radix_tree_\w+|idr_(find|remove|alloc)\w*|"
    r"native_(set|read|write)_\w+|crc32\w*|csum_partial\w*|_*sg_(next|init_table)|dev_driver_string|dev_name"
)
# Of the helpers, those that are themselves the place where a thing of their own broke.
_SPARED = Names(r"native_set_pte\w*|native_(read|write)_msr\w*|xas_\w+|radix_tree_\w+")

_ALLOCATOR = Names(
    r"out_of_memory|oom_\w+|pagefault_out_of_memory|mem_cgroup_out_of_memory|dump_header|check_panic_on_oom|"
    r"_*alloc_(frozen_)?pages?(_\w+)?|(_*|vma_)(folio_alloc|alloc_folio)(_\w+)?|_*get_free_pages?(_\w+)?|"
    r"get_zeroed_page\w*|"
    r"_*alloc_(frozen_)?pages\w*|kvmalloc_node|_*vmalloc_\w+|alloc_pages_\w+|allocate_slab|new_slab\w*|___?slab_alloc\w*|slab_alloc\w*|_*kmalloc\w*|"
    r"_*kmem_cache_alloc\w*|kmemdup\w*|"
    r"kz?alloc\w*|kv?malloc\w*|kvmalloc\w*|kcalloc\w*|_*vmalloc\w*|_*vzalloc\w*|_*do_kmalloc\w*|alloc_slab_page|"
    r"cache_(alloc|grow)\w*|fallback_alloc|"
    r"mem_cgroup_\w+|try_charge\w*|charge_memcg|_*mem_cgroup_\w+|obj_cgroup_charge\w*|memcg_\w+|_*memcg_\w+|"
    r"alloc_buddy\w*|dequeue_huge\w*|alloc_migrate\w*|try_to_free_\w+|shrink_\w+|do_try_to_free\w*|"
    r"page_cache_alloc\w*|"
    r"_*page_cache_alloc|filemap_alloc_folio\w*|warn_alloc\w*|alloc_thread_stack\w*|pte_alloc_one|_*pte_alloc|"
    r"_*pmd_alloc"
)

# What waits until other CPUs have answered an interrupt or have come: who does not answer is to blame.
_CALLS_CPUS = Names(
    r"(generic_|native_)?smp_call_function\w*|csd_lock_wait|_*on_each_cpu\w*|kick_all_cpus_sync|multi_cpu_stop|"
    r"(native_)?flush_tlb_(multi|others|all|kernel_range)\w*|text_poke_sync\w*|stop_machine_yield"
)

# The loop that runs softirq handlers, on its way in and out: interrupts come in between two handlers.
_SOFTIRQ_LOOP = Names(r"handle_softirqs|_{0,4}do_softirq(_own_stack)?|__softirqentry_text_start")

# The outermost functions of kernel threads, of idle CPUs and of the boot: nothing stands behind them.
_BOTTOM = Names(
    r"ret_from_(fork|kernel_thread)\w*|kernel_thread_(helper|starter)|child_rip|start_kernel|secondary_startup_64\w*|"
    r"x86_64_start_\w+|start_secondary|secondary_start_kernel|__secondary_switched|__primary_switched|common_startup_64|"
    r"start_here_common|smp_callin|rest_init"
)


@lru_cache(maxsize=8192)
def _is(role: Names, symbol: str) -> bool:
    return role.has(plain(symbol))


def entry_kind(symbol: str | None) -> FrameKind | None:
    """Return the kind of an entry function, by what comes in through it; None for any other function."""
    if symbol is None:
        return None
    if _is(_NMIS, symbol):
        return "nmi"
    if _is(_IRQS, symbol):
        return "irq"
    if _is(_SYSCALLS, symbol):
        return "syscall"
    return "exception" if _is(_EXCEPTIONS, symbol) else None


def is_dying(symbol: str | None) -> bool:
    """Return whether a function is part of reporting a death or of dying."""
    return symbol is not None and (_is(_DYING, symbol) or entry_kind(symbol) in ("exception", "nmi"))


def is_bottom(symbol: str | None) -> bool:
    """Return whether nothing stands behind a function on a stack: a thread's beginning, a system call's entry."""
    return symbol is not None and (_is(_BOTTOM, symbol) or entry_kind(symbol) == "syscall")


def is_softirq_loop(symbol: str | None) -> bool:
    """Return whether a function runs the handlers of softirqs, and is none of them."""
    return symbol is not None and _is(_SOFTIRQ_LOOP, symbol)


def is_waiting(symbol: str | None) -> bool:
    """Return whether a function is a lock's or a wait's own code."""
    return symbol is not None and _is(_WAITING, symbol)


def calls_cpus(symbol: str | None) -> bool:
    """Return whether a function waits until other CPUs have answered."""
    return symbol is not None and _is(_CALLS_CPUS, symbol)


def is_helper(symbol: str | None) -> bool:
    """Return whether a function is a leaf that faults or complains over what its caller handed it."""
    return symbol is not None and _is(_HELPER, symbol) and not _is(_SPARED, symbol)


def is_allocator(symbol: str | None) -> bool:
    """Return whether a function is the memory allocators' own, on the way to running out of memory."""
    return symbol is not None and _is(_ALLOCATOR, symbol)


def first_not(frames: Iterable[Frame], *roles: object) -> Frame | None:
    """Return the first named frame that none of some roles (is_dying, is_helper ...) claims; None for none."""
    for frame in frames:
        if frame.kind == "user":
            return None
        if frame.symbol and not any(role(frame.symbol) for role in roles):  # type: ignore[operator]
            return frame
    return None
