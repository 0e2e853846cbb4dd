# SPDX-License-Identifier: GPL-2.0-only
#
# What differs between kernels is found in the headers that a module is built
# with, not guessed from their version: distributions carry changes back. A
# module's Makefile includes this file; the headers beside it make use of what was
# found.

compat-ops := $(srctree)/include/linux/dma-map-ops.h

ifeq ($(wildcard $(compat-ops)),)
$(error $(compat-ops) is missing: are these kernel headers?)
endif

# $(call compat-op,MEMBER,MACRO): defines MACRO where struct dma_map_ops has MEMBER
compat-op = $(if $(shell grep '[*]$(1)\>' $(compat-ops)),-D$(2))

ccflags-y += $(call compat-op,map_phys,COMPAT_OPS_MAP_PHYS)
ccflags-y += $(call compat-op,alloc_pages_op,COMPAT_OPS_ALLOC_PAGES_OP)

# $(call compat-probe,HEADER,PATTERN,MACRO): defines MACRO where a line of HEADER matches
compat-probe = $(if $(shell grep -s '$(2)' $(srctree)/include/linux/$(1)),-D$(3))

ccflags-y += $(call compat-probe,hrtimer.h,void hrtimer_setup\>,COMPAT_HAS_HRTIMER_SETUP)

# What there is of io_uring's commands moved from one header to another.
compat-uring = $(call compat-probe,io_uring.h,$(1),$(2)) \
	$(call compat-probe,io_uring/cmd.h,$(1),$(2))

ccflags-y += $(call compat-probe,io_uring/cmd.h,struct io_uring_cmd {,COMPAT_URING_CMD_H)
ccflags-y += $(call compat-uring,struct io_uring_sqe.*[*]sqe;,COMPAT_URING_SQE)
ccflags-y += $(call compat-uring,void io_uring_cmd_done32\>,COMPAT_URING_DONE32)
ccflags-y += $(call compat-uring,io_uring_cmd_from_tw\>,COMPAT_URING_FROM_TW)
ccflags-y += $(call compat-uring,void io_uring_cmd_mark_cancelable\>,COMPAT_URING_CANCEL)
ccflags-y += $(call compat-probe,module.h,MODULE_IMPORT_NS.*__stringify,COMPAT_IMPORT_NS_BARE)
ccflags-y += $(call compat-probe,mm.h,void vm_flags_set\>,COMPAT_HAS_VM_FLAGS_SET)
ccflags-y += $(call compat-probe,device.h,accessors.dma_iommu,COMPAT_HAS_DEV_FLAGS)
ccflags-y += $(call compat-probe,device.h,accessors.of_node_reused,COMPAT_HAS_NODE_FLAG)
ccflags-y += $(call compat-probe,device.h,bool.*dma_iommu.*1;,COMPAT_HAS_DMA_IOMMU)
ccflags-y += $(call compat-probe,device.h,bool.*dma_skip_sync.*1;,COMPAT_HAS_DMA_SKIP_SYNC)
