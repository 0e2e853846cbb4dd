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

# EXCUSED is a pattern for what is reported rightly, of a driver of the kernel.
expect_silence() { # [EXCUSED]
	reported=$(grep -v -e "${1:-^$}" "$san/reports" | head -n 5)
	[ -z "$reported" ] || bad "$reported"
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

run_tests() {
	number=0 all=0
	tests=$(sed -n 's/^\(test_[a-z_]*\)().*/\1/p' "$0")
	echo 'KTAP version 1'
	echo "1..$(echo "$tests" | wc -w)"
	for test in $tests; do
		number=$((number + 1)) failed=0
		"$test"
		if [ $failed = 0 ]; then
			echo "ok $number $test"
		else
			echo "not ok $number $test"
			all=1
		fi
	done
	return $all
}
