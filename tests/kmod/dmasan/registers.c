// SPDX-License-Identifier: GPL-2.0-only
/* Registers of other devices, and the rest of what is not the driver's memory. */
#include "cases.h"
#include "rig.h"

/* There is no memory; nobody goes there, either. */
#define REGISTERS	((phys_addr_t)0xff000000)

static noinline void right_registers(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr = dma_map_resource(dev, REGISTERS, 64, DMA_FROM_DEVICE, 0);

	if (KT_EXPECT_EQ(t, 0, dma_mapping_error(dev, addr)))
		dma_unmap_resource(dev, addr, 64, DMA_FROM_DEVICE, 0);
}

static noinline void wrong_registers_size(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr = compat_ops_map_resource(raw_ops(t), dev, REGISTERS, 64, DMA_TO_DEVICE);

	compat_ops_unmap_resource(raw_ops(t), dev, addr, 32, DMA_TO_DEVICE);
	barrier();
}

void registers_size(struct kt *t)
{
	RUN_PAIR(t, "wrong-size", wrong_registers_size, right_registers);
}

static noinline void wrong_registers_twice(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr = compat_ops_map_resource(raw_ops(t), dev, REGISTERS, 64, DMA_TO_DEVICE);

	compat_ops_unmap_resource(raw_ops(t), dev, addr, 64, DMA_TO_DEVICE);
	compat_ops_unmap_resource(raw_ops(t), dev, addr, 64, DMA_TO_DEVICE);
	barrier();
}

void registers_twice(struct kt *t)
{
	RUN_PAIR(t, "bad-unmap", wrong_registers_twice, right_registers);
}

/* They are not memory that anybody keeps a copy of. */
static noinline void wrong_registers_sync(struct kt *t)
{
	struct device *dev = rig_of(t)->dev;
	dma_addr_t addr = compat_ops_map_resource(raw_ops(t), dev, REGISTERS, 64, DMA_TO_DEVICE);

	raw_for_cpu(t, addr, 64, DMA_TO_DEVICE);
	compat_ops_unmap_resource(raw_ops(t), dev, addr, 64, DMA_TO_DEVICE);
	barrier();
}

void registers_sync(struct kt *t)
{
	RUN_PAIR(t, "bad-sync", wrong_registers_sync, right_registers);
}
