/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RECIPES_H
#define RECIPES_H

#include <linux/types.h>

#include "rig.h"

/*
 * Each recipe is one way to give memory to a device and to get it back. It logs
 * what it did and returns 0, or an error; then nothing of it is left, except
 * when rig->stuck says that the device still has it.
 *
 * EIO is data that is not what it should be.
 */
typedef int recipe_fn(struct rig *rig);

/* recipes.c: the eight ways to map memory */
recipe_fn recipe_single;
recipe_fn recipe_bidirectional;
recipe_fn recipe_sync;
recipe_fn recipe_page;
recipe_fn recipe_sg;
recipe_fn recipe_create;
recipe_fn recipe_iterate;
recipe_fn recipe_pages;

/* more.c: what goes with it */
recipe_fn recipe_alignment;
recipe_fn recipe_masks;
recipe_fn recipe_unwind;
recipe_fn recipe_bounce;

/*
 * facts.c: what a driver can ask about the machine that it runs on. Writes it to
 * buf, which is a page, as lines of the form "NAME: VALUE"; returns the length.
 */
ssize_t recipe_facts(struct rig *rig, char *buf);

/* Data to recognise: another one for each seed. */
static inline u8 pattern(u32 seed, u32 i)
{
	return seed * 37 + i * 7 + (i >> 8);
}

static inline void fill(u8 *buf, u32 len, u32 seed)
{
	u32 i;

	for (i = 0; i < len; i++)
		buf[i] = pattern(seed, i);
}

/* 0 if it is all there, and EIO otherwise. */
static inline int check(const u8 *buf, u32 len, u32 seed)
{
	u32 i;

	for (i = 0; i < len; i++)
		if (buf[i] != pattern(seed, i))
			return -EIO;
	return 0;
}

#endif
