#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: dmasan.sh [BUS:NAME]
#
# Loads dmasan, and has it watch a device: by default the DMA controller that has
# the first channel, for which the labs map their memory. "rmmod dmasan" ends that.

set -eu

# The device of the first channel, and the bus that it is on.
controller() {
	device=$(readlink -f /sys/class/dma/dma0chan0/device)
	bus=$(readlink -f "$device/subsystem")
	echo "${bus##*/}:${device##*/}"
}

modprobe dmasan
echo "${1:-$(controller)}" >/sys/kernel/debug/dmasan/attach
