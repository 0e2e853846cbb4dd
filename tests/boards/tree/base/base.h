/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TREE_BASE_H
#define TREE_BASE_H

/* 42 */
int tree_answer(void);

#endif
