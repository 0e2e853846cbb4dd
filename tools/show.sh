#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows what a DMA channel does for a program, on the board's own controller: "make run".

step() {
	printf '\n# %s\n' "$1"
	eval "$1" || exit
}

modprobe dmafd || exit
cd /tmp || exit
step 'dmafd list | head -n 4'
step 'dd if=/dev/urandom of=from bs=1M count=8 2>/dev/null'
step 'dmafd copy -v from to'
step 'cmp from to && echo the same'
step 'dmafd bench --sizes 4K,64K,256K --duration 10ms'
cat <<EOF

The memory of a program was moved by $(dmafd list -q | awk 'NR == 1 { print $4 }'), not by the CPU. Time here counts
instructions, 1 ns each, and memory costs nothing: "dma" is the work of the driver, which
maps pages and flushes caches line by line, and "cpu" a copy that never waits for memory.
The controller's own time, and the CPU's waiting, only a real board tells: run dmafd bench
there.
EOF
