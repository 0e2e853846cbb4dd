#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: watched.sh LAB...
#
# Runs the labs' tests, tests/labs/LAB, while dmasan watches every device that they
# map memory for. They pass as without it, dmasan has seen what they do, and it has
# nothing to report. Prints KTAP, a test for each LAB and one for the end.
#
# A kernel with a checker of its own takes some of what dmasan does for mistakes of
# the driver (docs/dmasan.md): there the labs are skipped.

# shellcheck disable=SC2119 # nothing is excused here
# shellcheck source=tests/dmasan/lib.sh
. "$(dirname "$0")/../dmasan/lib.sh"

# What the labs map for: the controllers of the board, dmasim's (by their nodes in
# the device tree, or by their numbers), lab 08's, and for one recipe lab 06 itself.
list_devices() {
	for channel in /sys/class/dma/*/device; do
		[ ! -e "$channel" ] || basename "$(readlink "$channel")"
	done
	printf '%s\n' dmasim.0.auto dmasim.1.auto dmasim.2.auto soc:dmasim-lab \
		soc:dmasim-lines soc:dmasim-channels toy_dma soc:toy_dma dma_recipes \
		soc:dma_recipes
}

# Mappings and buffers, of all devices, since they were bound.
count_calls() {
	sed -n 's/.* maps=\([0-9]*\) .* buffers=\([0-9]*\) .*/\1 \2/p' "$san/devices" |
		awk '{ n += $1 + $2 } END { print n + 0 }'
}

# Another lab may want a board without it.
# shellcheck disable=SC2317 # "expect" calls it
remove_dmasim() {
	[ -d /sys/module/dmasim ] || return 0
	[ ! -d "$sim" ] || rmdir "$sim"
	rmmod dmasim
}

watch() { # LAB
	: >"$calls"
	# The devices come and go with the tests, and their counters with them.
	while sleep 0.3; do count_calls >>"$calls"; done &
	counter=$!
	"tests/labs/$1" >"$output" 2>&1 || bad "tests/labs/$1 fails"
	kill $counter
	[ "$failed" = 0 ] || sed 's/^/# /' "$output"
	# One is the Pi's controller's own.
	expect [ "$(sort -n "$calls" | tail -n 1)" -gt 1 ]
	expect_silence
	echo clear >"$san/reports"
	expect remove_dmasim
}

tell() { # NAME
	number=$((number + 1))
	if [ "$failed" = 0 ]; then
		echo "ok $number $1"
	else
		echo "not ok $number $1"
		all=1
	fi
	failed=0
}

echo 'KTAP version 1'
echo "1..$(($# + 1))"
sim=/sys/kernel/config/dmasim/lab
output=/tmp/watched.output calls=/tmp/watched.calls number=0 failed=0 all=0
modprobe dmasan strict=1 attach="$(list_devices | sort -u | sed 's/^/platform:/' | paste -s -d ,)" || {
	echo 'Bail out! dmasan is not attached'
	exit 1
}
for lab; do
	if [ -d /sys/kernel/debug/dma-api ]; then
		tell "$lab # SKIP this kernel has a checker of its own"
	else
		watch "$lab"
		tell "$lab"
	fi
done
# What was unmapped lately is looked at, and what was left.
while read -r name state _; do
	[ "$state" != attached ] || echo "$name" >"$san/detach" || bad "$name: not detached"
done <"$san/devices"
expect_silence
tell nothing_late
exit $all
