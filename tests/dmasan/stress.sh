#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# dmasan under load, for kernels that look for mistakes of dmasan itself: attached, detached,
# removed, with parameters that change, and without memory. tests/dmasan/boots boots the
# board "pc" for each of these.
#
# Tests are called by name.
# shellcheck disable=SC2317

# shellcheck source=tests/dmasan/lib.sh
. "$(dirname "$0")/lib.sh"

disk=/dev/nvme0n1
rounds=${ROUNDS:-2}

set_parameter() { # NAME VALUE
	echo "$2" >"$parameters/$1" || bad "$1 does not take '$2'"
}

# A parameter, and what it is in each of six rounds.
changes() {
	cat <<EOT
redzone 128 0 4096 1 64 1000000
quarantine_kb 1024 0 64 1 16384 4294967295
line 64 0 32 7 64 0
stacks Y N Y N Y Y
driver nobody e1000e nvme nobody - nvme
fail_every 0 0 7 100 3 0
EOT
	# Without a block the kernel's own checker takes a mapping for two.
	has_dma_debug || cat <<EOT
map_max_kb 256 4 0 16 256 64
memory_kb 65536 100 0 1000 300 65536
EOT
}

# Every byte is zero, or it could not be read; what is read goes nowhere else.
read_on() {
	while [ -e /tmp/busy ]; do
		data=$(dd if="$disk" bs=$((4096 << ($1 * 2))) count=10 iflag=direct 2>/dev/null |
			tr -d '\0' | wc -c)
		[ "$data" = 0 ] || echo "other data than the disk has" >>/tmp/wrong
		sleep 0.3
	done
}

ping_on() {
	while [ -e /tmp/busy ]; do
		ping -q -c 10 -i 0.05 -s 1400 10.0.2.2 >/dev/null 2>&1
		sleep 0.3
	done
}

look_on() {
	while [ -e /tmp/busy ]; do
		cat "$san/devices" "$san/reports" >/dev/null 2>&1
		sleep 0.3
	done
}

begin_load() {
	: >/tmp/busy
	rm -f /tmp/wrong
	for i in 1 3; do
		read_on "$i" &
	done
	ping_on &
	look_on &
}

end_load() {
	rm /tmp/busy
	wait
	[ ! -e /tmp/wrong ] || bad "$(cat /tmp/wrong)"
}

network_up() {
	interface=$(basename "$(ls -d /sys/bus/pci/devices/"$card"/net/*)")
	ip addr add 10.0.2.15/24 dev "$interface" 2>/dev/null
	ip link set "$interface" up
}

attach_both() {
	echo "pci:$nvme" >"$san/attach" || bad 'no disk'
	echo "pci:$card" >"$san/attach" || bad 'no card'
	network_up
}

detach_both() {
	echo "pci:$nvme" >"$san/detach" || bad 'the disk is not detached'
	echo "pci:$card" >"$san/detach" || bad 'the card is not detached'
}

parameters_change() {
	attach_both
	begin_load
	changes >/tmp/changes
	for i in 1 2 3 4 5 6; do
		while read -r name values; do
			# shellcheck disable=SC2086 # they are words
			set_parameter "$name" "$(echo $values | cut -d ' ' -f $i)"
			sleep 0.1
		done </tmp/changes
	done
	set_parameter fail_every 0
	end_load
	expect [ "$(counter "pci:$nvme" maps)" -gt 20 ]
	expect_silence
	detach_both
}

# By two at once, which the module sorts out; and by sysfs.
attach_and_detach() {
	attach_both
	begin_load
	for i in $(seq "$rounds"); do
		(
			echo "pci:$nvme" >"$san/detach"
			echo "pci:$nvme" >"$san/attach"
		) 2>/dev/null &
		echo "pci:$nvme" >"$san/detach" 2>/dev/null
		echo "$nvme" >/sys/bus/pci/drivers/nvme/unbind 2>/dev/null
		echo "$nvme" >/sys/bus/pci/drivers/nvme/bind 2>/dev/null
		echo "pci:$nvme" >"$san/attach" 2>/dev/null
		wait $!
	done
	end_load
	expect is_attached "pci:$nvme"
	expect_silence
	detach_both
}

module_removed() {
	rmmod dmasan || bad 'not removed'
	begin_load
	for i in $(seq "$rounds"); do
		modprobe dmasan attach="pci:$nvme"
		echo "pci:$nvme" >"$san/attach" 2>/dev/null
		sleep 0.3
		# Somebody may look at its files right now.
		rmmod dmasan 2>/dev/null || { sleep 0.2; rmmod dmasan; } || bad 'not removed'
	done
	end_load
	modprobe dmasan
}

# The module that tests does that, with the device that it has.
threads_race() {
	insmod /work/tests/kmod/dmasan_test.ko
	expect sh -c "echo platform:dmasan-test >$san/attach"
	echo only=threads >/sys/kernel/debug/dmasan_test/run
	expect grep -q '^ok 2' /sys/kernel/debug/dmasan_test/results
	expect rmmod dmasan_test
	echo platform:dmasan-test >"$san/detach"
}

# ---- without memory ----

# Of the allocations that dmasan makes, and no others, one of so many fails.
fail_own() { # PERCENT
	start=$(cat /sys/module/dmasan/sections/.text)
	size=$(sed -n 's/^dmasan \([0-9]*\) .*/\1/p' /proc/modules)
	for kind in failslab fail_page_alloc; do
		cd "/sys/kernel/debug/$kind" || return
		echo 0 >verbose
		echo N >ignore-gfp-wait
		echo "$start" >require-start
		printf '0x%x' $((start + size)) >require-end
		echo 32 >stacktrace-depth
		echo -1 >./times
		echo 1 >interval
		echo "$1" >probability
	done
	echo 0 >min-order
	echo N >ignore-gfp-highmem
	cd /work || return
}

allocations_fail() {
	attach_both
	read_on_once || bad 'not read before'
	begin_load
	for percent in 5 50 90; do
		fail_own "$percent"
		sleep $((rounds / 2 + 1))
	done
	fail_own 0
	end_load
	expect [ "$(counter "pci:$nvme" unwatched)" -gt 0 ]
	expect read_on_once
	expect_silence
	detach_both
}

read_on_once() {
	[ "$(dd if="$disk" bs=64k count=20 iflag=direct 2>/dev/null | wc -c)" = 1310720 ]
}

# One after the other, from the first to that which is not reached any more.
each_of_attaching() {
	insmod /work/tests/kmod/dmasan_test.ko
	failed_ones=0
	for nth in $(seq 300); do
		left=$(attach_with "$nth")
		echo platform:dmasan-test >"$san/detach" 2>/dev/null
		[ "$left" = 0 ] || break
		failed_ones=$((failed_ones + 1))
	done
	echo "# $failed_ones allocations"
	expect [ "$failed_ones" -gt 5 ]
	expect [ "$nth" -lt 300 ]
	expect sh -c "echo platform:dmasan-test >$san/attach"
	expect is_attached platform:dmasan-test
	echo only=every_size >/sys/kernel/debug/dmasan_test/run
	expect grep -q '^ok 1' /sys/kernel/debug/dmasan_test/results
	expect rmmod dmasan_test
}

# Says 0 if it has failed.
attach_with() { # NTH
	sh -c "exec 3<>/proc/self/fail-nth; echo $1 >&3
		echo platform:dmasan-test 2>/dev/null >$san/attach
		read -r left <&3; echo 0 >&3; echo \$left"
}

# ---- what the kernel looks for ----

# Races within our modules: with more than one processor the kernel has its own.
if [ -e /sys/kernel/debug/kcsan ]; then
	modprobe dmasan
	echo whitelist >/sys/kernel/debug/kcsan
	sed -n 's/.* [tT] \([^ ]*\)[[:space:]]\[dmasan\]$/\1/p' /proc/kallsyms | sort -u |
		while read -r name; do
			echo "!dmasan:$name" >/sys/kernel/debug/kcsan
		done 2>/dev/null
	echo on >/sys/kernel/debug/kcsan
fi
modprobe nvme
modprobe e1000e
nvme=$(find_pci 0x0108)
card=$(find_pci 0x0200)
for i in 1 2 3 4 5 6 7 8 9 10; do
	[ ! -b "$disk" ] || break
	sleep 0.5
done
modprobe dmasan
status=0
run_these "$@" || status=1
[ ! -e /sys/kernel/debug/kcsan ] || grep -c ' san_' /sys/kernel/debug/kcsan |
	sed 's/^/# functions that are watched for races: /'
exit $status
