#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# "dmafd san" on the board "pc", with the driver of its device "edu", which makes a
# mistake when asked to. Each test ends at its first step that fails.
#
# Tests are called by name, and numbers and paths here need no quotes.
# shellcheck disable=SC2317,SC2086

# shellcheck source=tests/tools/common.sh
. "$(dirname "$0")/common.sh"

instances=/sys/kernel/tracing/instances

find_edu() {
	for dir in /sys/bus/pci/devices/*; do
		[ "$(cat "$dir/vendor" "$dir/device" | xargs)" != '0x1234 0x11e8' ] || basename "$dir"
	done
}

edu_with() { # MISTAKE
	! grep -q '^edu ' /proc/modules || rmmod edu || return
	insmod /work/tests/kmod/edu.ko mistake="$1"
}

# The device is used twice, which all of its mistakes need.
use_edu() {
	echo one >/dev/edu && head -c 4 /dev/edu >/dev/null && echo two >/dev/edu &&
		head -c 4 /dev/edu >/dev/null
}

forget_reports() { echo clear >/sys/kernel/debug/dmasan/reports; }

as_user() { # ARGUMENT...
	start-stop-daemon -S -q -c 1000:1000 -x "$(command -v dmafd)" -- "$@"
}

# ---- what is missing ----

no_module() {
	for words in status report watch 'attach pci:0000:00:00.0' 'detach --all'; do
		expect 3 dmafd san $words && says "$tmp/err" 'dmafd san: dmasan is not loaded' &&
			says "$tmp/err" '  modprobe dmasan' || return
	done
	modprobe dmasan
}

no_permission() {
	expect 3 as_user san status && says "$tmp/err" 'no permission on /sys/kernel/debug/dmasan' &&
		says "$tmp/err" '  that is for root: sudo dmafd san'
}

# The command gives up before it makes anything.
no_debugfs() {
	umount /sys/kernel/debug || return
	expect 3 dmafd san status && says "$tmp/err" 'there is no /sys/kernel/debug/dmasan' &&
		says "$tmp/err" 'mount -t debugfs none /sys/kernel/debug'
	result=$?
	mount -t debugfs none /sys/kernel/debug && return $result
}

no_tracefs() {
	umount /sys/kernel/tracing || return
	# It is mounted there as well, by itself, where debugfs is.
	expect 0 dmafd san watch --time 100ms || { mount -t tracefs none /sys/kernel/tracing; return 1; }
	umount /sys/kernel/debug/tracing
	mount -t tmpfs none /sys/kernel/debug/tracing || return
	expect 3 dmafd san watch && says "$tmp/err" 'mount -t tracefs none /sys/kernel/tracing'
	result=$?
	umount /sys/kernel/debug/tracing
	mount -t tracefs none /sys/kernel/tracing && return $result
}

# ---- command lines ----

wrong_words() {
	for words in dance attach detach 'status x' 'report x' 'watch x' 'status --rebind' \
		'attach --json pci:x' 'report --count 1' 'watch --count 0' 'watch --count x' \
		'watch --time x' 'watch --time 0' 'report --kind overruns' 'report --kind overrun,' \
		'detach --all pci:x' 'attach nothing' 'attach /x:y' 'attach pci:' 'attach tree:x'; do
		expect 2 dmafd san $words || return
	done
	expect 2 dmafd san report --kind overruns && says "$tmp/err" "there is no kind 'overruns'" ||
		return
	expect 2 dmafd san attach "$edu" && says "$tmp/err" "  there is pci:$edu" &&
		expect 1 dmafd san attach pci:0000:77:00.0 &&
		says "$tmp/err" "'modprobe dmasan attach=pci:0000:77:00.0' waits for it" &&
		expect 1 dmafd san detach "pci:$edu" && says "$tmp/err" 'is not attached' &&
		expect 1 dmafd san detach pci:0000:77:00.0
}

# A bus whose devices leave DMA to others.
other_bus() {
	expect 1 dmafd san attach --rebind "cpu:$(ls /sys/bus/cpu/devices)" &&
		says "$tmp/err" 'attach to its controller, on the bus pci, platform or amba'
}

# ---- attach and detach ----

attach_free() {
	expect 0 dmafd san attach "pci:$edu" && says "$tmp/out" "pci:$edu: attached, no driver" &&
		expect 0 dmafd san status && says "$tmp/out" 'waits for a driver' || return
	edu_with none && use_edu && expect 0 dmafd san status &&
		grep -q "^pci:$edu  *edu  *2  *[0-9]* .*nothing$" "$tmp/out" || return
	expect 1 dmafd san attach --rebind "pci:$edu" && says "$tmp/err" 'it is attached already' &&
		expect 0 dmafd san detach "pci:$edu" &&
		says "$tmp/out" "pci:$edu: detached, driver edu" &&
		expect 0 dmafd san status && says "$tmp/out" 'no device is attached'
}

attach_bound() {
	edu_with none || return
	expect 1 dmafd san attach "pci:$edu" && says "$tmp/err" 'belongs to its driver edu' &&
		says "$tmp/err" '  --rebind ' || return
	expect 0 dmafd san attach --rebind "pci:$edu" &&
		says "$tmp/out" "pci:$edu: attached, driver edu" && use_edu &&
		expect 1 dmafd san attach --rebind pci:0000:77:00.0 "pci:$edu" &&
		expect 0 dmafd san detach --all --quiet && [ ! -s "$tmp/out" ] &&
		use_edu && [ -z "$(cat /sys/kernel/debug/dmasan/devices)" ] || return
	# The worst of several counts, not the last.
	expect 1 dmafd san attach --rebind pci:0000:77:00.0 "pci:$edu" &&
		says "$tmp/out" "pci:$edu: attached, driver edu" &&
		expect 0 dmafd san detach --all
}

# Its probe fails, since it gets no memory mapped.
attach_refused() {
	edu_with none && echo 1 >/sys/module/dmasan/parameters/fail_every || return
	expect 1 dmafd san attach --rebind "pci:$edu" &&
		says "$tmp/err" "pci:$edu: attached, but edu has not taken it again" &&
		says "$tmp/err" '  dmesg tells why'
	result=$?
	echo 0 >/sys/module/dmasan/parameters/fail_every
	dmafd san detach --all >/dev/null && return $result
}

# ---- what was found ----

report_none() {
	edu_with none && dmafd san attach -r "pci:$edu" >/dev/null && use_edu || return
	expect 0 dmafd san report && says "$tmp/out" 'nothing was found' &&
		expect 0 dmafd san report --quiet && [ ! -s "$tmp/out" ]
}

report_each_kind() {
	while read -r mistake kind; do
		edu_with "$mistake" && use_edu || return
		[ "$mistake" = no-sync-for-cpu ] || head -c 2048 /dev/edu >/dev/null
		expect 0 dmafd san status && says "$tmp/out" " $kind=" || return
		rmmod edu
		expect 6 dmafd san report --kind "$kind" &&
			says "$tmp/out" "$edu: $kind: " && says "$tmp/out" '[edu]' &&
			says "$tmp/out" '  mapped    make_buffer' &&
			says "$tmp/out" '  detected  ' && says "$tmp/out" '  to do ' || return
		expect 6 dmafd san report --quiet --clear && [ ! -s "$tmp/out" ] &&
			expect 0 dmafd san report || return
	done <<EOT
no-sync-for-cpu sync-for-cpu
no-sync-for-device sync-for-device
overrun overrun
EOT
}

# Bytes, numbers, directions and addresses, of which edu's driver has no wrong ones.
report_numbers() {
	insmod /work/tests/kmod/dmasan_test.ko &&
		expect 0 dmafd san attach --rebind platform:dmasan-test || return
	for name in told_bytes told_numbers; do
		echo "only=$name" >/sys/kernel/debug/dmasan_test/run
	done
	expect 6 dmafd san report -d dmasan-test &&
		says "$tmp/out" '  bytes     at 300: was 0000000000000000, is 0500000000000000' &&
		says "$tmp/out" '  mapping   1000 bytes at ' &&
		says "$tmp/out" '  expected  1000, is 999' && says "$tmp/out" '  now       TO_DEVICE' &&
		says "$tmp/out" '  expected  0x257, is 0x258' || return
	expect 0 dmafd san detach platform:dmasan-test && rmmod dmasan_test &&
		echo forget >/sys/kernel/debug/dmasan/reports
}

report_filtered() {
	edu_with no-sync-for-cpu && use_edu || return
	expect 0 dmafd san report -k leak,overrun && expect 6 dmafd san report -k leak,sync-for-cpu &&
		expect 0 dmafd san report -d pci:0000:77:00.0 &&
		expect 6 dmafd san report -d "pci:$edu" && expect 6 dmafd san report -d "$edu" &&
		expect 6 dmafd san report -j || return
	[ "$(grep -c '"kind"' "$tmp/out")" = 1 ]
}

# ---- watch ----

# Waits until somebody watches.
wait_for_watch() {
	for i in 1 2 3 4 5 6 7 8 9 10; do
		! grep -qs 1 $instances/dmafd-san-*/events/dmasan/dmasan_report/enable || return 0
		sleep 0.3
	done
	fail 'nobody watches'
}

watch_count() {
	dmafd san watch --count 2 >"$tmp/seen" 2>&1 &
	wait_for_watch && use_edu && use_edu
	wait $!
	got=$?
	[ $got = 6 ] || fail "status $got" || return
	says "$tmp/seen" "$edu: sync-for-cpu: the device wrote twice" &&
		says "$tmp/seen" "$edu: sync-for-cpu again" && [ -z "$(ls $instances)" ]
}

watch_time() {
	expect 0 dmafd san watch --time 300ms && [ -z "$(ls $instances)" ] || return
	dmafd san watch -k leak --time 1s >"$tmp/seen" 2>/dev/null &
	wait_for_watch && use_edu
	wait $! || fail "it saw what it was not asked for"
}

watch_stopped() {
	for signal in INT TERM HUP; do
		# A shell's child in the background ignores the first.
		(trap - INT; exec dmafd san watch --quiet) >"$tmp/seen" 2>&1 &
		wait_for_watch && use_edu && sleep 0.5 || return
		kill -$signal $!
		wait $!
		got=$?
		[ $got = 6 ] && [ -z "$(ls $instances)" ] || fail "status $got after $signal" || return
	done
}

watch_killed() {
	dmafd san watch >/dev/null 2>&1 &
	wait_for_watch || return
	kill -KILL $!
	wait $! 2>/dev/null
	[ -n "$(ls $instances)" ] || fail 'nothing was left to be removed' || return
	expect 0 dmafd san watch --time 100ms && [ -z "$(ls $instances)" ]
}

# Several see the same.
watch_together() {
	dmafd san watch -n 1 >"$tmp/a" 2>&1 &
	first=$!
	dmafd san watch -n 1 -j >"$tmp/b" 2>&1 &
	second=$!
	sleep 2
	use_edu && use_edu
	wait $first
	[ $? = 6 ] && wait $second
	[ $? = 6 ] && says "$tmp/a" sync-for-cpu && says "$tmp/b" '"kind": "sync-for-cpu"'
}

watch_unloaded() {
	dmafd san watch >"$tmp/seen" 2>&1 &
	wait_for_watch && rmmod edu && rmmod dmasan || return
	wait $!
	got=$?
	[ $got = 3 ] && says "$tmp/seen" 'dmasan was unloaded' && [ -z "$(ls $instances)" ]
}

# The device addresses 28 bits.
if ! grep -q 'zone *DMA$' /proc/zoneinfo; then
	printf 'KTAP version 1\n1..1\nok 1 san # SKIP this kernel keeps no memory that the device reaches\n'
	exit
fi
echo "user:x:1000:1000::/:/bin/sh" >>/etc/passwd
chmod 755 /work /work/tools
edu=$(find_edu)
run_tests no_module no_permission no_debugfs no_tracefs wrong_words other_bus attach_free \
	attach_bound attach_refused report_none report_each_kind report_numbers report_filtered \
	watch_count watch_time watch_stopped watch_killed watch_together watch_unloaded
