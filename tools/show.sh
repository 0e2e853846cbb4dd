#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows what a DMA channel does for a program, on the board's own controller: "make run".

step() {
	printf '\n# %s\n' "$1"
	eval "$1" || exit
}

# The median of what a job of 64 KiB took, in microseconds; METHOD is dma or cpu.
median() { # METHOD
	awk -v method="\"$1\"," '
		$1 == "\"method\":" { on = $2 == method }
		on && $1 == "\"latency_p50_ns\":" { printf "%.1f", $2 / 1000 }
	' results
}

modprobe dmafd || exit
cd /tmp || exit
step 'dmafd list | grep -v " device " | head -n 4'
step 'dd if=/dev/urandom of=from bs=1M count=8 2>/dev/null'
step 'dmafd copy from to'
step 'cmp from to && echo the same'
step 'dmafd bench --json --sizes 64K --duration 20ms >results'
dma=$(median dma) cpu=$(median cpu)
[ -n "$dma" ] && [ -n "$cpu" ] || exit
cat <<END
64 KiB, median: $dma us by $(dmafd list -q | awk '/^dma/ { print $4; exit }') through dmafd, $cpu us by the CPU

The controller itself read and wrote the program's memory: no copy in between.
What that cost is shown in microseconds of this emulator, whose clock counts the
CPU's instructions: 1000 of them are 1 us. Its controller and its memory take no
time. So the first figure is all work of the kernel for a job, mostly mapping
pages and flushing caches line by line, and the second a copy that never waits
for memory. What a real board needs for either, 'dmafd bench' tells there.
END
