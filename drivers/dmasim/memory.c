// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory as the controller sees it. In the flat view a device address is a
 * physical one, as on most small machines; the other two views are the shadow
 * core's.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/mm.h>

#include "dmasim.h"

const char * const dmasim_reach_names[] = {
	[DMASIM_REACHED] = "reached",
	[DMASIM_UNMAPPED] = "unmapped",
	[DMASIM_DENIED] = "denied",
	[DMASIM_NO_MEMORY_THERE] = "no-memory",
};

static bool refuse_mapping(void *ctx)
{
	struct dmasim *sim = ctx;
	u32 arg;

	return dmasim_attr_fail_map() ||
	       dmasim_fault_hit(sim->faults, BIT(DMASIM_FAULT_MAP), UINT_MAX, &arg);
}

int dmasim_memory_init(struct dmasim *sim)
{
	struct device *dev = &sim->pdev->dev;
	const struct dmasim_config *config = sim->config;
	struct shadow_params params = {
		.view = config->view == DMASIM_IOMMU ? SHADOW_IOMMU : SHADOW_NONCOHERENT,
		.line = config->line_size,
		.mask = DMA_BIT_MASK(config->dma_bits),
		.refuse = refuse_mapping,
		.ctx = sim,
	};
	int err;

	if (config->view != DMASIM_FLAT) {
		sim->space = shadow_install(dev, &params);
		if (IS_ERR(sim->space)) {
			err = PTR_ERR(sim->space);
			sim->space = NULL;
			return dev_err_probe(dev, err, "this kernel has no such view of memory\n");
		}
	}
	err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(config->dma_bits));
	if (err) {
		dmasim_memory_exit(sim);
		return dev_err_probe(dev, err, "%u address bits are too few here\n",
				     config->dma_bits);
	}
	dma_set_max_seg_size(dev, config->max_segment);
	return 0;
}

void dmasim_memory_exit(struct dmasim *sim)
{
	if (sim->space)
		shadow_remove(sim->space);
	sim->space = NULL;
}

unsigned long dmasim_memory_lock(struct dmasim *sim)
{
	return sim->space ? shadow_lock(sim->space) : 0;
}

void dmasim_memory_unlock(struct dmasim *sim, unsigned long flags)
{
	if (sim->space)
		shadow_unlock(sim->space, flags);
}

static void open_shadow(struct dmasim *sim, dma_addr_t addr, size_t want, bool write,
			struct dmasim_window *window)
{
	shadow_open(sim->space, addr, want, write, &window->shadow);
	window->is_shadow = true;
	window->ptr = window->shadow.ptr;
	window->len = window->shadow.len;
	if (window->len)
		return;
	shadow_close(&window->shadow);
	window->reach = window->shadow.fault == SHADOW_DENIED ? DMASIM_DENIED :
			DMASIM_UNMAPPED;
}

/*
 * Memory comes and goes in sections of this size at least, where there are any;
 * looking one up is not cheap.
 */
static bool is_far(phys_addr_t first, phys_addr_t last)
{
	return !IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP) || (first ^ last) >= SZ_2M;
}

static void open_flat(struct dmasim *sim, dma_addr_t addr, size_t want,
		      struct dmasim_window *window)
{
	phys_addr_t phys = dma_to_phys(&sim->pdev->dev, addr);
	phys_addr_t last = phys + want - 1;
	struct page *page;

	if (addr > DMA_BIT_MASK(sim->config->dma_bits) || last < phys ||
	    !pfn_valid(PHYS_PFN(phys)) || (is_far(phys, last) && !pfn_valid(PHYS_PFN(last)))) {
		window->reach = DMASIM_NO_MEMORY_THERE;
		return;
	}
	page = pfn_to_page(PHYS_PFN(phys));
	if (IS_ENABLED(CONFIG_HIGHMEM)) {
		window->ptr = kmap_local_page(page) + offset_in_page(phys);
		window->len = min_t(size_t, want, PAGE_SIZE - offset_in_page(phys));
		window->is_kmap = true;
		return;
	}
	window->ptr = page_address(page) + offset_in_page(phys);
	window->len = want;
}

void dmasim_window_open(struct dmasim *sim, dma_addr_t addr, size_t want, bool write,
			struct dmasim_window *window)
{
	window->ptr = NULL;
	window->len = 0;
	window->reach = DMASIM_REACHED;
	window->is_shadow = false;
	window->is_kmap = false;
	if (sim->space)
		open_shadow(sim, addr, want, write, window);
	else
		open_flat(sim, addr, want, window);
}

void dmasim_window_close(struct dmasim_window *window)
{
	if (!window->len)
		return;
	if (window->is_shadow)
		shadow_close(&window->shadow);
	else if (window->is_kmap)
		kunmap_local(window->ptr);
}
