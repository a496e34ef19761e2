// SPDX-License-Identifier: MIT
/* What only the kernel itself can do in the fuller guest: leaks, a work item that hangs, timers, parameters. */
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

static int hoard = 20000;
module_param(hoard, int, 0644);
MODULE_PARM_DESC(hoard, "objects of kmalloc-256 that are lost");
static int areas = 4;
module_param(areas, int, 0444);
MODULE_PARM_DESC(areas, "areas of vmalloc that are lost");
static int pages;
module_param(pages, int, 0444);
MODULE_PARM_DESC(pages, "pages that are lost");
static char *label = "life";
module_param(label, charp, 0444);
static bool loud = true;
module_param(loud, bool, 0600);
static unsigned long sizes[3] = { 1, 2, 3 };
static int nsizes;
module_param_array(sizes, ulong, &nsizes, 0444);

struct lablife_ops {
	int (*open)(void);
};

struct thing {
	struct thing *next;
	struct lablife_ops *ops;
	char pad[200];
};

static int lablife_open(void)
{
	return 0;
}

static struct lablife_ops lablife_ops = { lablife_open };
static struct thing *things;
static void *last_area;
static struct page *last_page;
static DECLARE_COMPLETION(never);
static struct workqueue_struct *wq;

noinline void lablife_stuck(struct work_struct *w);
noinline void lablife_later(struct work_struct *w);
noinline void lablife_hoard(void);

noinline void lablife_stuck(struct work_struct *w)
{
	wait_for_completion(&never);
}

noinline void lablife_later(struct work_struct *w)
{
}

static DECLARE_WORK(stuck, lablife_stuck);
static DECLARE_WORK(behind1, lablife_later);
static DECLARE_WORK(behind2, lablife_later);
static DECLARE_DELAYED_WORK(delayed, lablife_later);

static void lablife_timer(struct timer_list *t)
{
}

static enum hrtimer_restart lablife_hrtimer(struct hrtimer *t)
{
	return HRTIMER_NORESTART;
}

static DEFINE_TIMER(timer, lablife_timer);
static struct hrtimer hr;

/* Each is reached from nowhere but the one that came after it, or from nothing at all. */
noinline void lablife_hoard(void)
{
	int objects, i;

	for (objects = 0; objects < hoard; objects++) {
		struct thing *t = kmalloc(sizeof(*t), GFP_KERNEL);

		if (!t)
			break;
		t->next = things;
		t->ops = &lablife_ops;
		things = t;
	}
	pr_info("lablife: %d objects\n", objects);
	for (i = 0; i < areas; i++) {
		last_area = vmalloc(areas > 4 ? PAGE_SIZE : 1 << 20);
		if (!last_area)
			break;
	}
	pr_info("lablife: %d areas\n", i);
	for (i = 0; i < pages; i++) {
		last_page = alloc_page(GFP_KERNEL);
		if (!last_page)
			break;
	}
	pr_info("lablife: %d pages\n", i);
}

static int __init lablife_init(void)
{
	lablife_hoard();
	wq = alloc_workqueue("lablife", WQ_MEM_RECLAIM, 1);
	queue_work_on(1, wq, &stuck);
	queue_work_on(1, wq, &behind1);
	queue_work_on(1, wq, &behind2);
	schedule_delayed_work(&delayed, 4000 * HZ);
	mod_timer(&timer, jiffies + 5000 * HZ);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	hrtimer_setup(&hr, lablife_hrtimer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
#else
	hrtimer_init(&hr, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hr.function = lablife_hrtimer;
#endif
	hrtimer_start(&hr, ms_to_ktime(6000000), HRTIMER_MODE_REL);
	return 0;
}

module_init(lablife_init);
MODULE_LICENSE("GPL");
MODULE_VERSION("1.2.3");
