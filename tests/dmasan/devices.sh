#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# dmasan: drivers of the kernel that are right get every byte, and nothing is reported.
# tests/dmasan/machine boots a board with the devices.
#
# Tests are called by name.
# shellcheck disable=SC2317

# shellcheck source=tests/dmasan/lib.sh
. "$(dirname "$0")/lib.sh"

size=4194304

# The last PCI device of a class and, if that is said, of a maker or model.
find_last() { # CLASS [NUMBER]
	for dir in /sys/bus/pci/devices/*; do
		case "$(cat "$dir/class" "$dir/vendor" "$dir/device" | xargs)" in
		"$1"*"${2-}"*) echo "pci:${dir##*/}" ;;
		esac
	done | tail -n 1
}

attach() { # BUS:DEVICE
	device=$1
	[ -n "$1" ] || { bad 'there is no such device'; return 1; }
	dmafd san attach --quiet --rebind "$1" || { bad "not attached: $1"; return 1; }
}

# The disks below a device; those of NVMe may be below their subsystem.
disks_of() { # BUS:DEVICE-OR-PATH
	case $1 in
	/*) place=$1 ;;
	*) place=$(readlink -f "/sys/bus/${1%%:*}/devices/${1#*:}") ;;
	esac
	for block in /sys/block/*; do
		at=$(readlink -f "$block")
		is_below "$place" || continue
		case "$(cat "$block/hidden" "$block/size" | xargs)" in
		'1 '* | '0 0') ;;
		*) echo "${block##*/}" ;;
		esac
	done
}

# Whether $at is, or the subsystem's that has a controller there.
is_below() { # PATH
	[ "${at#"$1"/}" = "$at" ] || return 0
	for controller in "$1"/nvme/nvme*; do
		[ ! -e "${at%/*}/${controller##*/}" ] || return 0
	done
	return 1
}

# Some come some time after their driver.
wait_for_disk() { # BUS:DEVICE-OR-PATH
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		[ -z "$(disks_of "$1")" ] || break
		sleep 0.5
	done
	disks_of "$1" | head -n 1
}

data_of() { # DISK OPTION...
	from=/dev/$1
	shift
	dd if="$from" "$@" 2>/dev/null | md5sum
}

# Random data, written in some ways, is what is read in others.
check_disk() { # DISK
	[ -n "$1" ] || { bad 'the disk did not come'; return; }
	dd if=/tmp/data of="/dev/$1" bs=256k oflag=direct 2>/dev/null || bad 'not written'
	[ "$(data_of "$1" bs=64k count=$((size / 65536)) iflag=direct)" = "$sum" ] ||
		bad "$1 gave other data"
	dd if=/tmp/data of="/dev/$1" bs=4k count=300 seek=4000 oflag=direct 2>/dev/null
	[ "$(data_of "$1" bs=4k count=300 skip=4000)" = \
		"$(dd if=/tmp/data bs=4k count=300 2>/dev/null | md5sum)" ] || bad 'small requests'
	dd if=/tmp/data of="/dev/$1" bs=64k conv=fsync 2>/dev/null || bad 'not written'
	echo 3 >/proc/sys/vm/drop_caches
	[ "$(data_of "$1" bs=512 count=$((size / 512)))" = "$sum" ] || bad "$1 gave other data"
	echo "# $((size * 4 / 1048576)) MiB by $1"
}

# Debug kernels have few drivers, all others those that are tested.
has_driver() { # MODULE
	! has_dma_debug || grep -q "/$1\.ko" "/lib/modules/$(uname -r)/modules.dep"
}

needs_driver() { # MODULE
	has_driver "$1" && return
	skip "this kernel has no $1"
	return 1
}

# A disk with a file system in use is not taken away.
check_mounted() { # DISK
	has_driver ext4 || return 0
	modprobe ext4
	mkdir -p /tmp/mnt
	if ! mke2fs "/dev/$1" >/dev/null 2>&1 || ! mount -t ext4 "/dev/$1" /tmp/mnt; then
		bad 'no file system'
		return
	fi
	cp /tmp/data /tmp/mnt/data
	! dmafd san detach "$device" >/tmp/said 2>&1 || bad 'detached while it was mounted'
	grep -q '/tmp/mnt is mounted from it' /tmp/said || bad "$(cat /tmp/said)"
	umount /tmp/mnt && mount -t ext4 "/dev/$1" /tmp/mnt
	[ "$(md5sum </tmp/mnt/data)" = "$sum" ] || bad 'a file lost data'
	umount /tmp/mnt
}

interface_of() { # BUS:DEVICE
	for path in /sys/class/net/*; do
		case $(readlink -f "$path") in
		*"/${1#*:}/"*) basename "$path" ;;
		esac
	done
}

# What is sent to the server comes back.
check_network() { # INTERFACE NET
	[ -n "$1" ] || { bad 'there is no interface'; return; }
	expect ip addr add "$2.15/24" dev "$1"
	expect ip link set "$1" up
	for i in 1 2 3 4 5 6 7 8 9 10; do
		! ping -q -c 1 -W 1 "$2.2" >/dev/null 2>&1 || break
	done
	ping -q -c 100 -i 0.01 -s 1400 "$2.2" >/dev/null || bad 'ping'
	# The server does not end the connection by itself.
	(timeout 60 nc "$2.9" 9 </tmp/data | head -c $size >/tmp/back) 2>/dev/null
	[ "$(md5sum </tmp/back)" = "$sum" ] || bad "$1 lost data: $(wc -c </tmp/back) bytes came"
	echo "# $((size * 2 / 1048576)) MiB by $1"
}

finish() { # LEAST
	sed -n "s/^$device /# $device /p" "$san/devices"
	[ "$(counter "$device" maps)" -ge "$1" ] || bad 'hardly anything was mapped'
	[ "$(counter "$device" unwatched)" = 0 ] || bad 'something was not watched'
	dmafd san detach --quiet "$device" || bad 'not detached'
	expect_silence
	echo clear >"$san/reports"
}

# ---- devices ----

ahci() {
	needs_driver ahci || return
	attach "$(find_last 0x0106)" || return
	modprobe ahci && modprobe sd_mod
	disk=$(wait_for_disk "$device")
	check_disk "$disk"
	check_mounted "$disk"
	finish 100
}

usb() {
	needs_driver usb-storage || return
	attach "$(find_last 0x0c03)" || return
	modprobe xhci_pci && modprobe usb-storage && modprobe sd_mod
	check_disk "$(wait_for_disk "$device")"
	finish 100
}

nvme() {
	needs_driver nvme || return
	attach "$(find_last 0x0108)" || return
	modprobe nvme
	disk=$(wait_for_disk "$device")
	check_disk "$disk"
	check_mounted "$disk"
	finish 100
}

virtio_blk() {
	needs_driver virtio_blk || return
	attach "$(find_last 0x0100)" || return
	modprobe virtio_pci && modprobe virtio_blk
	check_disk "$(wait_for_disk "$device")"
	finish 100
}

virtio_net() {
	needs_driver virtio_net || return
	attach "$(find_last 0x0200 0x1af4)" || return
	modprobe virtio_pci && modprobe virtio_net
	sleep 1
	check_network "$(interface_of "$device")" 10.0.9
	finish 100
}

e1000() {
	needs_driver e1000 || return
	attach "$(find_last 0x0200 0x100e)" || return
	modprobe e1000
	sleep 1
	check_network "$(interface_of "$device")" 10.0.8
	finish 100
}

igb() {
	needs_driver igb || return
	card=$(find_last 0x0200 0x10c9)
	[ -n "$card" ] || { skip 'this QEMU has no igb, which came with 8.0'; return; }
	attach "$card" || return
	modprobe igb
	sleep 1
	check_network "$(interface_of "$device")" 10.0.7
	finish 100
}

# A DMA controller's clients map for it.
dmasim() {
	modprobe dmafd
	modprobe -r dmasan
	# It gets the same name the next time.
	modprobe dmasim && name=$(basename /sys/bus/platform/devices/dmasim.*) && modprobe -r dmasim
	expect modprobe dmasan attach="platform:$name"
	device=platform:$name
	modprobe dmasim || bad 'no dmasim'
	dmafd test --quiet --seed 3 --rounds 200 || bad 'a job went wrong'
	expect dmafd copy --quiet /tmp/data /tmp/copy
	expect [ "$(md5sum </tmp/copy)" = "$sum" ]
	finish 20
	modprobe -r dmasim
	modprobe -r dmafd
}

usb_otg() {
	needs_driver dwc2 || return
	attach platform:3f980000.usb || return
	modprobe phy-generic
	modprobe dwc2 && modprobe usb-storage && modprobe sd_mod
	check_disk "$(wait_for_disk "$device")"
	finish 100
}

# How often a channel was done with its work.
channel_interrupts() {
	awk '/DMA IRQ/ { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }' \
		/proc/interrupts
}

# The Raspberry Pi's.
dma_controller() {
	basename /sys/bus/platform/devices/3f007000.dma*
}

# Nobody's channel is taken away.
check_channel_in_use() {
	! dmafd san detach "$device" >/tmp/said 2>&1 || bad 'detached while a channel was in use'
	grep -q 'somebody has its channel dma0chan' /tmp/said || bad "$(cat /tmp/said)"
}

# The card's driver would move bytes by itself if it got no channel.
sdhost() {
	needs_driver bcm2835 || return
	attach "platform:$(dma_controller)" || return
	before=$(channel_interrupts)
	modprobe bcm2835
	check_disk "$(wait_for_disk platform:3f202000.mmc)"
	[ $(($(channel_interrupts) - before)) -ge 100 ] || bad 'that was not done by DMA'
	check_channel_in_use
	modprobe -r bcm2835
	finish 100
}

# What bound the driver anew left clients their channels.
sdhost_afterwards() {
	needs_driver bcm2835 || return
	! is_attached "platform:$(dma_controller)" || bad 'still attached'
	before=$(channel_interrupts)
	modprobe bcm2835
	check_disk "$(wait_for_disk platform:3f202000.mmc)"
	[ $(($(channel_interrupts) - before)) -ge 100 ] || bad 'that was not done by DMA'
	modprobe -r bcm2835
}

# The emulator can't do lengths that are no multiple of four.
bcm2835_dma() {
	attach "platform:$(dma_controller)" || return
	modprobe dmafd
	expect dmafd test --quiet --align 4 --kinds copy --seed 5 --rounds 200
	expect dmafd copy --quiet /tmp/data /tmp/copy
	expect [ "$(md5sum </tmp/copy)" = "$sum" ]
	modprobe -r dmafd
	finish 20
}

case $BOARD in
pc) tests='nvme ahci usb virtio_blk virtio_net e1000 igb dmasim' ;;
virt) tests='nvme virtio_blk virtio_net dmasim' ;;
raspi3b) tests='usb_otg sdhost sdhost_afterwards bcm2835_dma' ;;
esac
head -c $size /dev/urandom >/tmp/data
sum=$(md5sum </tmp/data)
modprobe dmasan
# shellcheck disable=SC2086 # they are words
run_these ${ONLY:-$tests}
