#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# dmasan: what docs/dmasan.md promises of its parameters and reports, with the driver of
# the board "pc"'s device "edu", which makes a mistake when asked to.
#
# Numbers and paths here need no quotes.
# shellcheck disable=SC2086

# shellcheck source=tests/dmasan/lib.sh
. "$(dirname "$0")/lib.sh"

edu=pci:0000:00:01.0

# The device addresses 28 bits.
needs_edu() {
	grep -q 'zone *DMA$' /proc/zoneinfo && return
	skip 'this kernel keeps no memory that the device reaches'
	return 1
}

# The driver is loaded after the module, so that it is attached at once.
begin() { # MISTAKE [PARAMETER]...
	mistake=$1
	shift
	modprobe dmasan attach=$edu "$@" || bad 'dmasan is not loaded'
	insmod /work/tests/kmod/edu.ko mistake=$mistake || bad 'edu is not loaded'
	expect is_attached $edu
}

end() {
	expect rmmod edu
	expect rmmod dmasan
}

use_edu() {
	expect sh -c 'echo one >/dev/edu && head -c 4 /dev/edu >/dev/null && echo two >/dev/edu &&
		head -c 4 /dev/edu >/dev/null'
}

found() { # KIND
	[ "$(counter $edu "$1")" -gt 0 ] 2>/dev/null
}

test_attach_at_load() {
	needs_edu || return
	begin none
	use_edu
	expect_silence
	# Two buffers, each used twice.
	expect grep -q "^$edu attached .* maps=2 syncs=8 buffers=0 unwatched=0 injected=0$" \
		$san/devices
	end
}

test_strict() {
	needs_edu || return
	begin early-write
	use_edu
	expect_silence
	echo Y >$parameters/strict
	use_edu
	expect found cpu-write
	end
}

test_driver_filter() {
	needs_edu || return
	begin no-sync-for-device driver=educated
	use_edu
	expect_silence
	expect [ -z "$(counter $edu sync-for-device)" ]
	echo edu >$parameters/driver
	use_edu
	expect found sync-for-device
	end
}

# What a program maps is the buffer without its red zones, and the device sees it.
test_coherent_mmap() {
	has_dma_debug && skip 'of a long buffer the kernel warns, since it is there twice' && return
	modprobe dmasim && name=$(basename /sys/bus/platform/devices/dmasim.*) && modprobe -r dmasim
	expect modprobe dmasan attach=platform:$name
	expect modprobe dmasim
	expect insmod /work/labs/04-mmap/dma_mmap_driver.ko make_device=1
	expect [ "$(/work/labs/04-mmap/dma_mmap_app hello | tail -n 1)" = \
		'source and destination are the same' ]
	expect [ "$(counter platform:$name buffers)" -ge 1 ]
	expect rmmod dma_mmap_driver
	expect_silence
	expect rmmod dmasim
	expect rmmod dmasan
}

# A place once in the log, each time in the counters.
test_once_in_the_log() {
	needs_edu || return
	begin no-sync-for-device
	dmesg -c >/dev/null
	use_edu
	use_edu
	use_edu
	expect [ "$(counter $edu sync-for-device)" -ge 5 ]
	expect [ "$(dmesg | grep -c 'dmasan: sync-for-device')" = 1 ]
	expect [ "$(wc -l <$san/reports)" = 1 ]
	echo forget >$san/reports
	expect is_empty $san/reports
	use_edu
	expect [ "$(wc -l <$san/reports)" = 1 ]
	end
}

# Runs cases of tests/kmod/dmasan, and leaves what they found in the log and the file.
begin_cases() { # NAME
	expect modprobe dmasan attach=platform:dmasan-test line=64
	expect insmod /work/tests/kmod/dmasan_test.ko
	dmesg -c >/dev/null
	echo "only=$1" >/sys/kernel/debug/dmasan_test/run
	expect grep -q "^ok 1 $1" /sys/kernel/debug/dmasan_test/results
	dmesg >/tmp/log
}

end_cases() {
	expect rmmod dmasan_test
	expect rmmod dmasan
}

logged() { # TEXT
	grep -q "dmasan-test dmasan-test: dmasan: $1" /tmp/log || bad "not in the log: $1"
}

test_what_the_log_says() {
	begin_cases told_bytes
	logged 'cpu-write: the CPU wrote to .* \[size=1000 bytes\] \[mapped TO_DEVICE\] \[offset=300\] \[was=0000000000000000\] \[is=0500000000000000\]'
	logged 'Mapped at:'
	logged ' tell_owned+.* \[dmasan_test\]'
	logged 'Detected at:'
	logged 'write-after-unmap: '
	logged 'Unmapped at:'
	logged ' tell_late+.* \[dmasan_test\]'
	end_cases
	begin_cases told_numbers
	logged 'bad-sync: .* \[expected=0x190\] \[seen=0x1f4\]'
	logged 'wrong-direction: .* \[mapped FROM_DEVICE\] \[now TO_DEVICE\]'
	end_cases
	begin_cases every_other_fails
	logged 'unchecked-error: '
	logged 'Refused at:'
	end_cases
}

# Places differ by where it was mapped, where it was found, and what it is.
test_places() {
	begin_cases told_few_places
	expect [ "$(wc -l <$san/reports)" = 4 ]
	end_cases
	begin_cases told_many_places
	expect [ "$(wc -l <$san/reports)" = 128 ]
	expect [ "$(sed -n 's/.*size=\([0-9]*\) .*/\1/p' $san/reports | sed -n '1p;$p' | xargs)" = \
		'65 192' ]
	end_cases
}

# What is unmapped stays within bounds, and so do the blocks that are kept.
test_memory_is_bounded() {
	has_dma_debug && skip 'the kernel warns of what is not watched, since it is there twice' && return
	expect modprobe dmasan attach=pci:$nvme memory_kb=2048 quarantine_kb=512
	expect modprobe nvme
	for i in 1 2 3 4 5 6 7 8 9 10; do
		[ ! -b /dev/nvme0n1 ] || break
		sleep 0.5
	done
	for bs in 4k 16k 64k 256k 1M; do
		dd if=/dev/nvme0n1 of=/dev/null bs=$bs count=20 iflag=direct 2>/dev/null
		expect [ "$(counter "pci:$nvme" memory)" -le 2097152 ]
		expect [ "$(counter "pci:$nvme" quarantine)" -le 524288 ]
	done
	# What does not fit is moved all the same.
	echo 64 >$parameters/memory_kb
	expect [ "$(dd if=/dev/nvme0n1 bs=1M count=4 iflag=direct 2>/dev/null | wc -c)" = 4194304 ]
	expect [ "$(counter "pci:$nvme" unwatched)" -gt 0 ]
	expect_silence
	expect rmmod nvme
	expect [ "$(grep -c waits $san/devices)" = 1 ]
	expect rmmod dmasan
}

nvme=$(find_pci 0x0108)
modprobe -r nvme 2>/dev/null
run_tests
