// SPDX-License-Identifier: MIT
/* A memory controller that does not exist, and errors that it never had: what EDAC's tables are held against. */
#include <linux/edac.h>
#include <linux/module.h>
#include <linux/platform_device.h>

/* Of drivers/edac/edac_mc.h, which is no header for modules of others. */
struct mem_ctl_info *edac_mc_alloc(unsigned int number, unsigned int layers, struct edac_mc_layer *of, unsigned int size);
int edac_mc_add_mc_with_groups(struct mem_ctl_info *mci, const struct attribute_group **groups);
void edac_mc_handle_error(const enum hw_event_mc_err_type type, struct mem_ctl_info *mci, const u16 count,
			  const unsigned long page, const unsigned long offset, const unsigned long syndrome, const int top,
			  const int mid, const int low, const char *message, const char *detail);

static int __init labedac_init(void)
{
	struct edac_mc_layer layers[2] = {
		{ .type = EDAC_MC_LAYER_CHIP_SELECT, .size = 2, .is_virt_csrow = true },
		{ .type = EDAC_MC_LAYER_CHANNEL, .size = 2 },
	};
	struct platform_device *device = platform_device_register_simple("labedac", -1, NULL, 0);
	struct mem_ctl_info *mci = edac_mc_alloc(0, 2, layers, 0);
	int i, result;

	if (IS_ERR(device) || !mci)
		return -ENOMEM;
	mci->pdev = &device->dev;
	mci->mtype_cap = MEM_FLAG_DDR4;
	mci->edac_ctl_cap = mci->edac_cap = EDAC_FLAG_SECDED;
	mci->mod_name = "labedac";
	mci->ctl_name = "LAB-9000";
	mci->dev_name = dev_name(&device->dev);
	for (i = 0; i < mci->tot_dimms; i++) {
		struct dimm_info *dimm = mci->dimms[i];

		snprintf(dimm->label, sizeof(dimm->label), "LAB_DIMM_%c", 'A' + i);
		dimm->nr_pages = 1 << (14 + i);
		dimm->grain = 64;
		dimm->mtype = MEM_DDR4;
		dimm->dtype = DEV_X8;
		dimm->edac_mode = EDAC_SECDED;
	}
	result = edac_mc_add_mc_with_groups(mci, NULL);
	pr_info("labedac: %d\n", result);
	if (result)
		return result;
	edac_mc_handle_error(HW_EVENT_ERR_CORRECTED, mci, 7, 0x1234, 0x40, 0, 0, 1, -1, "lab", "");
	edac_mc_handle_error(HW_EVENT_ERR_CORRECTED, mci, 3, 0x2234, 0x80, 0, 1, 0, -1, "lab", "");
	edac_mc_handle_error(HW_EVENT_ERR_UNCORRECTED, mci, 1, 0x3234, 0, 0, 1, 1, -1, "lab", "");
	edac_mc_handle_error(HW_EVENT_ERR_CORRECTED, mci, 2, 0, 0, 0, -1, -1, -1, "lab nowhere", "");
	return 0;
}

module_init(labedac_init);
MODULE_LICENSE("GPL");
