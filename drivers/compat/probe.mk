# SPDX-License-Identifier: GPL-2.0-only
#
# What differs between kernels is found in the headers that a module is built
# with, not guessed from their version: distributions carry changes back. A
# module's Makefile includes this file; dma-ops.h beside it makes use of what was
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
compat-probe = $(if $(shell grep '$(2)' $(srctree)/include/linux/$(1)),-D$(3))

ccflags-y += $(call compat-probe,hrtimer.h,void hrtimer_setup\>,COMPAT_HAS_HRTIMER_SETUP)
