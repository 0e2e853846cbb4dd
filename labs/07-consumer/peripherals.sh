#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes the peripherals that dma_consumer wants, with dmasim, the simulated DMA
# controller of this repository:
#
#	echo	a FIFO that gives back what it gets
#	source	one that counts, 8192 numbers of 16 bits a second
#
# Where the device tree has them, loading dmasim is enough.
#
# Usage: peripherals.sh up|down

sim=/sys/kernel/config/dmasim/lab
device=dma_consumer

in_device_tree() {
	[ -d /proc/device-tree/soc/dma_consumer ]
}

put() { # PERIPHERAL OPTION=VALUE...
	folder=$sim/peripherals/$1
	mkdir "$folder" || return
	shift
	for option; do
		echo "${option#*=}" >"$folder/${option%%=*}" || return
	done
}

up() {
	[ -d /sys/module/dmasim ] || modprobe dmasim controller=0 || return
	in_device_tree && return
	mkdir "$sim" &&
		put echo line=1 address=0xd0001000 tx_client=$device:tx rx_client=$device:rx &&
		put source kind=source line=2 address=0xd0002000 pattern=counter16 \
			rate=16384 depth=65536 rx_client=$device:source &&
		echo 1 >$sim/live
}

down() {
	in_device_tree && return
	echo 0 >$sim/live || return
	for folder in "$sim"/peripherals/*; do
		[ ! -d "$folder" ] || rmdir "$folder"
	done
	rmdir $sim
}

case ${1:-} in
up | down) "$1" ;;
*)
	echo 'Usage: peripherals.sh up|down' >&2
	exit 2
	;;
esac
