// SPDX-License-Identifier: GPL-2.0-only
/* What tree_top needs. */
#include <linux/module.h>

#include "base.h"

int tree_answer(void)
{
	return 42;
}
EXPORT_SYMBOL_GPL(tree_answer);

MODULE_DESCRIPTION("Is needed by another module");
MODULE_LICENSE("GPL");
