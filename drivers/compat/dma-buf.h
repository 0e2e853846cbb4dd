/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The namespace of dma-buf's symbols, and the flags of a mapping, on all kernels.
 */
#ifndef COMPAT_DMA_BUF_H
#define COMPAT_DMA_BUF_H

#include <linux/dma-buf.h>
#include <linux/mm.h>
#include <linux/module.h>

#ifdef COMPAT_IMPORT_NS_BARE
#define COMPAT_IMPORT_DMA_BUF	MODULE_IMPORT_NS(DMA_BUF)
#else
#define COMPAT_IMPORT_DMA_BUF	MODULE_IMPORT_NS("DMA_BUF")
#endif

/* Caller is in the mmap of a file. */
static inline void compat_vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
#ifdef COMPAT_HAS_VM_FLAGS_SET
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

#endif
