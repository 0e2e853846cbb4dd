# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# For tests of dmasan that run on a board: functions named test_... in the script
# that sources this are the tests, and run_tests runs them.

san=/sys/kernel/debug/dmasan
parameters=/sys/module/dmasan/parameters

# Fails the test that runs.
bad() { # MESSAGE
	echo "# $*"
	failed=1
}

# The test that runs can't be done here.
skip() { # REASON
	skipped=$*
}

# shellcheck disable=SC2015
expect() { # COMMAND...
	"$@" || bad "failed: $*"
}

# What dd says of a write that fails ends with the error.
expect_refused() { # TEXT VALUE FILE
	if said=$(printf '%s' "$2" | dd of="$3" bs=4096 2>&1); then
		bad "taken: '$2' by $3"
	elif [ "${said#*"$1"}" = "$said" ]; then
		bad "'$2': expected '$1', but it said: $said"
	fi
}

is_attached() { # NAME
	grep -q "^$1 attached " "$san/devices"
}

# The value of a counter of a device.
counter() { # NAME COUNTER
	sed -n "s/^$1 .*[ ]$2=\([0-9]*\).*/\1/p" "$san/devices"
}

# A file in debugfs always has the length 0.
is_empty() { # FILE
	[ -z "$(cat "$1")" ]
}

# Bugs of others, which are not ours to be mended; docs/dmasan.md tells of them.
known_reports() {
	cat <<EOT
kind=leak .* mapped=e1000_alloc_rx_buffers_ps+
kind=device-write .* mapped=e1000_xmit_frame+.* detected=e1000_put_txbuf
kind=device-write .* mapped=igb_xmit_frame_ring+.* detected=igb_poll+
kind=cpu-write .* direction=TO_DEVICE .* mapped=igb_xmit_frame_ring+.* detected=igb_poll+
kind=cpu-write .* direction=FROM_DEVICE .* detected=igb_clean_rx_ring+
kind=bad-free .* detected=nvme_dbbuf_dma_free+
device=3f980000.usb kind=overrun .* direction=FROM_DEVICE .* detected=usb_hcd_unmap_urb_for_dma+
EOT
}

expect_silence() {
	known_reports >/tmp/known
	told=$(grep -v -f /tmp/known "$san/reports" | head -n 5)
	[ -z "$told" ] || bad "$told"
}

# The address of the first device of a class on the PCI bus.
find_pci() { # CLASS
	for dir in /sys/bus/pci/devices/*; do
		if [ "$(cut -c1-6 "$dir/class")" = "$1" ]; then
			echo "${dir##*/}"
			return
		fi
	done
}

driver_of() { # PCI-ADDRESS
	basename "$(readlink "/sys/bus/pci/devices/$1/driver")"
}

# Whether the kernel's own checker looks at each mapping, too.
has_dma_debug() {
	[ "$(cat /sys/kernel/debug/dma-api/disabled 2>/dev/null)" = N ]
}

run_these() { # NAME...
	number=0 all=0
	echo 'KTAP version 1'
	echo "1..$#"
	for test; do
		number=$((number + 1)) failed=0 skipped=
		"$test"
		if [ $failed = 0 ]; then
			echo "ok $number $test${skipped:+ # SKIP $skipped}"
		else
			echo "not ok $number $test"
			all=1
		fi
	done
	return $all
}

run_tests() {
	# shellcheck disable=SC2046 # they are words
	run_these $(sed -n 's/^\(test_[a-z_]*\)().*/\1/p' "$0")
}
