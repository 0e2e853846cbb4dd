// SPDX-License-Identifier: GPL-2.0-only
/* A program that has no test. */
#include "harness.h"
