#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# dmasan: a device that it gives back is as it was, whichever way it is given back, and
# what is not attached costs nothing. Uses the device "edu" of the boards "pc" and "virt".
#
# Tests are called by name, and numbers and paths here need no quotes.
# shellcheck disable=SC2317,SC2086

# shellcheck source=tests/dmasan/lib.sh
. "$(dirname "$0")/lib.sh"

state=/sys/kernel/debug/dmastate
trace=/sys/kernel/tracing/instances/dmasan-test

find_edu() {
	for dir in /sys/bus/pci/devices/*; do
		[ "$(cat "$dir/vendor" "$dir/device" | xargs)" != '0x1234 0x11e8' ] ||
			basename "$dir"
	done
}

use_edu() {
	expect sh -c 'echo one >/dev/edu && head -c 4 /dev/edu >/dev/null'
}

# Of all devices, or all but one.
remember() { cat $state >/tmp/$1; }
others() { grep -v "^$edu " /tmp/$1; }

# What of the device's line is not its operations, nor the marks that pass them by.
rest_of() { # NAME
	sed -n "s/^$(echo $edu) //p" /tmp/$1 | sed 's/ops=[^ ]* iommu=. skip_sync=. //'
}

expect_same() { # NAME NAME
	if ! cmp -s /tmp/$1 /tmp/$2; then
		bad "$1 and $2 differ"
		diff /tmp/$1 /tmp/$2 | sed 's/^/# /'
	fi
}

# The device has other operations, which are asked for everything, and nothing else is new.
expect_taken() { # BEFORE NOW
	expect [ "$(grep "^$edu " /tmp/$1)" != "$(grep "^$edu " /tmp/$2)" ]
	expect grep -q "^$edu .* ops=0x[0-9a-f]*[1-9a-f][0-9a-f]* iommu=0 skip_sync=0 " /tmp/$2
	expect [ "$(rest_of $1)" = "$(rest_of $2)" ]
	others $1 >/tmp/others-before
	others $2 >/tmp/others-now
	expect_same others-before others-now
}

load() { # MISTAKE
	expect insmod /work/tests/kmod/edu.ko mistake=$1
}

# ---- the device is as it was ----

detached_while_bound() {
	load none
	remember bound
	expect modprobe dmasan
	remember loaded
	expect_same bound loaded
	echo $edu >$san/attach || bad 'not attached'
	remember attached
	expect_taken bound attached
	use_edu
	echo $edu >$san/detach || bad 'not detached'
	remember detached
	expect_same bound detached
	use_edu
}

unbound() {
	rmmod edu
	remember unbound
	echo $edu >$san/attach || bad 'not attached'
	remember waiting
	expect_same unbound waiting
	load none
	remember attached
	expect_taken bound attached
	use_edu
	rmmod edu
	remember unbound-again
	expect_same unbound unbound-again
}

# It was taken over before the driver's probe.
probe_failed() {
	echo 1 >$parameters/fail_every
	load none
	echo 0 >$parameters/fail_every
	expect [ ! -e /dev/edu ]
	expect grep -q "^$edu waits for a driver" $san/devices
	rmmod edu
	remember failed
	expect_same unbound failed
}

# Who maps for another's device may be unloaded before that is known to be a leak.
client_unloaded() {
	load none
	expect insmod /work/tests/kmod/dmaleaver.ko device=${edu#pci:}
	expect rmmod dmaleaver
	# Other modules come, and go.
	expect insmod /work/tests/kmod/dmarival.ko
	rmmod dmarival
	dmesg -c >/dev/null
	rmmod edu
	expect grep -q 'kind=leak .* mapped=map_for_good+.*\[dmaleaver\] ' $san/reports
	dmesg >/tmp/log
	expect grep -q 'dmasan: Mapped at:' /tmp/log
	expect grep -q 'dmasan:  map_for_good+.* \[dmaleaver\]' /tmp/log
	echo forget >$san/reports
}

# What the driver leaves behind stays mapped, and the device is the next driver's.
leaked() {
	load leak
	use_edu
	rmmod edu
	expect grep -q 'kind=leak .*\[edu\]' $san/reports
	remember leaked
	expect_same unbound leaked
	echo forget >$san/reports
}

module_removed() {
	load none
	expect is_attached $edu
	expect rmmod dmasan
	remember removed
	expect_same bound removed
	use_edu
}

# ---- what it costs ----

# What of the module was called.
called() {
	sed -n 's/.*: \([a-z_0-9.]*\) <-.*/\1/p' $trace/trace | sort | uniq -c | sort -rn | head -n 5
}

# Nothing of the module runs for a device that is not attached. When one gets a driver,
# or a module is loaded or unloaded, there is a look at the list.
nothing_runs() {
	expect modprobe dmasan
	mkdir $trace && echo ':mod:dmasan' >$trace/set_ftrace_filter &&
		echo function >$trace/current_tracer || bad 'no tracer'
	use_edu
	[ -z "$(called)" ] || bad "of dmasan ran: $(called)"
	rmmod edu
	load none
	use_edu
	expect [ -z "$(called | grep -v ' \(bind_notify\|module_notify\|san_each\)$')" ]
	expect [ "$(called | grep -c ' bind_notify$')" = 1 ]
	# It is able to see what runs.
	echo $edu >$san/attach || bad 'not attached'
	use_edu
	expect [ "$(called | wc -l)" -gt 2 ]
	echo $edu >$san/detach
	echo nop >$trace/current_tracer
	rmdir $trace
	expect rmmod edu
	expect rmmod dmasan
}

edu=pci:$(find_edu)
expect insmod /work/tests/kmod/dmastate.ko
run_these detached_while_bound unbound probe_failed client_unloaded leaked module_removed \
	nothing_runs
