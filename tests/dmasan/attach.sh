#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# dmasan: to which devices it is attached, how it is refused, and that a driver gets
# its device back as it was. Uses the NVMe disk and the network card of the board "pc".

# shellcheck source=tests/dmasan/lib.sh
. "$(dirname "$0")/lib.sh"

disk=/dev/nvme0n1

read_disk() {
	# The disk comes some time after its driver.
	for i in 1 2 3 4 5 6 7 8 9 10; do
		[ ! -b $disk ] || break
		sleep 0.5
	done
	dd if=$disk of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null
}

test_wrong_names() {
	expect_refused 'Invalid argument' "$nvme" "$san/attach"
	expect_refused 'Invalid argument' 'pci:' "$san/attach"
	expect_refused 'Invalid argument' ':x' "$san/attach"
	expect_refused 'Invalid argument' 'usb:1-1' "$san/attach"
	expect_refused 'Invalid argument' 'plat:x' "$san/attach"
	expect_refused 'Invalid argument' "pci:$(printf '%0100d' 0)" "$san/attach"
	expect_refused 'Invalid argument' "pci:$(printf '%0200d' 0)" "$san/attach"
	expect_refused 'No such device' 'pci:0000:77:00.0' "$san/attach"
	expect_refused 'No such file' "pci:$nvme" "$san/detach"
	expect_refused 'Invalid argument' 'nothing' "$san/detach"
	expect is_empty "$san/devices"
}

test_bound_device() {
	expect [ "$(driver_of "$nvme")" = nvme ]
	echo "pci:$nvme" >"$san/attach" || bad 'not attached'
	expect is_attached "pci:$nvme"
	expect [ "$(driver_of "$nvme")" = nvme ]
	expect_refused 'File exists' "pci:$nvme" "$san/attach"
	expect read_disk
	expect [ "$(counter "pci:$nvme" maps)" -gt 10 ]
	expect_silence
}

test_second_device() {
	echo "pci:$card" >"$san/attach" || bad 'not attached'
	expect is_attached "pci:$card"
	expect is_attached "pci:$nvme"
	echo "pci:$card" >"$san/detach" || bad 'not detached'
	expect [ "$(driver_of "$card")" = e1000e ]
	expect is_attached "pci:$nvme"
}

test_unbound_and_bound() {
	echo "$nvme" >/sys/bus/pci/drivers/nvme/unbind
	expect grep -q "^pci:$nvme waits for a driver" "$san/devices"
	echo "$nvme" >/sys/bus/pci/drivers/nvme/bind
	expect is_attached "pci:$nvme"
	expect read_disk
	expect_silence
}

test_detached() {
	echo "pci:$nvme" >"$san/detach" || bad 'not detached'
	expect is_empty "$san/devices"
	expect [ "$(driver_of "$nvme")" = nvme ]
	expect read_disk
}

test_device_without_dma() {
	expect insmod /work/tests/kmod/dmasan_test.ko
	dmesg -c >/dev/null
	expect_refused 'Input/output error' platform:dmasan-test.1 "$san/attach"
	expect is_empty "$san/devices"
	dmesg >/tmp/log
	expect grep -q 'dmasan-test.1: dmasan: not attached (-5): it has no DMA mask' /tmp/log
	expect rmmod dmasan_test
}

# The disk tries again what it was refused, or fails; nothing else happens.
test_injected_errors() {
	echo "pci:$nvme" >"$san/attach"
	expect read_disk
	echo 20 >"$parameters/fail_every"
	dd if=$disk of=/dev/null bs=64k count=100 iflag=direct 2>/dev/null
	echo 0 >"$parameters/fail_every"
	expect [ "$(counter "pci:$nvme" injected)" -gt 0 ]
	expect read_disk
	expect_silence
	echo "pci:$nvme" >"$san/detach"
}

# Attached and detached while it works.
test_under_load() {
	for i in 1 2 3 4 5; do
		(dd if=$disk of=/dev/null bs=64k count=1000 iflag=direct 2>/dev/null) &
		echo "pci:$nvme" >"$san/attach" || bad 'not attached'
		read_disk
		(dd if=$disk of=/dev/null bs=64k count=1000 iflag=direct 2>/dev/null) &
		echo "pci:$nvme" >"$san/detach" || bad 'not detached'
		wait
	done
	expect read_disk
	# Linux 6.1's nvme frees these when it has been unbound, which may be when it has
	# been bound again, and attached to.
	expect_silence
}

# Nobody has to detach before.
test_module_removed() {
	echo "pci:$nvme" >"$san/attach"
	expect is_attached "pci:$nvme"
	expect rmmod dmasan
	expect [ ! -e "$san" ]
	expect [ "$(driver_of "$nvme")" = nvme ]
	expect read_disk
	expect modprobe dmasan attach="pci:$nvme,pci:0000:77:00.0,platform:0000:77:00.0"
	expect is_attached "pci:$nvme"
	expect grep -q '^pci:0000:77:00.0 waits for a driver' "$san/devices"
	expect grep -q '^platform:0000:77:00.0 waits for a driver' "$san/devices"
	expect read_disk
	expect rmmod dmasan
	expect read_disk
	# shellcheck disable=SC2251
	! modprobe dmasan attach=nonsense 2>/dev/null || bad 'a wrong name was taken'
}

modprobe nvme
modprobe e1000e
nvme=$(find_pci 0x0108)
card=$(find_pci 0x0200)
read_disk
modprobe dmasan
run_tests
