// SPDX-License-Identifier: MIT
/* A live patch, a kprobe and a panic notifier, which the tables of hooks list. */
#include <linux/module.h>
#include <linux/livepatch.h>
#include <linux/kprobes.h>
#include <linux/notifier.h>
#include <linux/seq_file.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0)
#include <linux/panic_notifier.h>
#endif
static int lablp_show(struct seq_file *m, void *v) { seq_puts(m, "patched\n"); return 0; }
static struct klp_func funcs[] = { { .old_name = "cmdline_proc_show", .new_func = lablp_show }, { } };
static struct klp_object objs[] = { { .funcs = funcs }, { } };
static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objs };
static int lablp_pre(struct kprobe *p, struct pt_regs *r) { return 0; }
static struct kprobe probe = { .symbol_name = "do_sys_openat2", .pre_handler = lablp_pre, .offset = 0 };
static int lablp_panic(struct notifier_block *n, unsigned long e, void *d) { return 0; }
static struct notifier_block nb = { .notifier_call = lablp_panic, .priority = 77 };
static int __init lablp_init(void)
{
	int k = register_kprobe(&probe); atomic_notifier_chain_register(&panic_notifier_list, &nb);
	pr_info("lablp: kprobe %d patch %d\n", k, klp_enable_patch(&patch)); return 0;
}
static void __exit lablp_exit(void) { }
module_init(lablp_init); module_exit(lablp_exit);
MODULE_LICENSE("GPL"); MODULE_INFO(livepatch, "Y");
