#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the examples, and those of the manual pages, on a simulated controller, or on the
# board's own, and prints KTAP.

set -u
sim=/sys/kernel/config/dmasim/examples port=/sys/kernel/config/dmafd/adc
number=0 failed=0

tell() { # STATUS NAME
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number $2"
	else
		failed=1
		echo "not ok $number $2"
	fi
}

try() { # REGEX COMMAND...
	want=$1
	shift
	out=$("$@" 2>&1)
	status=$?
	echo "$out" | sed 's/^/# /'
	[ $status -eq 0 ] && echo "$out" | grep -qE "$want"
	tell $? "$*"
}

set_all() { # FOLDER ATTRIBUTE=VALUE...
	folder=$1
	shift
	for option; do
		echo "${option#*=}" >"$folder/${option%%=*}" || return
	done
}

# With a device that gives samples, and a port to it.
make_controller() {
	modprobe dmasim controller=0 && mkdir $sim $sim/peripherals/adc $port &&
		set_all $sim/peripherals/adc kind=source pattern=counter32 rate=1000000 depth=65536 line=2 \
			address=0xd0002000 rx_client=examples-adc:rx &&
		set_all $sim live=1 &&
		set_all $port channel=examples-adc:rx direction=rx address=0xd0002000 width=4 \
			burst=4 live=1
}

modprobe dmafd || exit 1
[ "$BOARD" != smdkc210 ] || modprobe pl330 || exit 1
[ "$BOARD" = raspi3b ] || make_controller || exit 1
echo 'KTAP version 1'
set -- tests/lib/pages/*
ring=1
[ "$BOARD" != raspi3b ] || ring=0
echo "1..$(($# + 4 + ring))"
try '^1048576 bytes copied$' examples/copy
try '^64 blocks, sum [0-9]+$' examples/pipeline
try '^320x200 cut out of 640x480$' examples/crop
try '^262144 bytes shared$' examples/share
[ $ring = 0 ] || try '^20 periods, [0-9]+ lost, sum [0-9]+$' examples/adc-ring adc 20
for page; do
	try '' "$page"
done
[ "$BOARD" = raspi3b ] || rmdir $port $sim/peripherals/adc $sim
exit $failed
