#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests dmasan on the board that this runs on, and prints KTAP. Arguments are those
# of the test module: only=TEXT runs the tests whose name contains TEXT.

here=$(dirname "$0")
files=/sys/kernel/debug/dmasan_test

print_help() {
	cat <<EOT
Usage: dmasan.sh [KEY=VALUE]...
Test what dmasan finds, with a driver and a device of its own.

KEY=VALUE    an argument of the test module, such as only=overrun
EOT
}

fail() { # REASON
	printf 'KTAP version 1\n1..1\n# %s\nnot ok 1 dmasan\n' "$*"
	exit 1
}

run() { # ARGUMENT...
	# shellcheck disable=SC2320 # the write is what may fail
	echo "$@" >"$files/run" || status=1
	cat "$files/results"
	# A missing result is a failure by itself.
	! grep -q '^not ok' "$files/results" || status=1
}

case ${1:-} in
-h | --help) print_help && exit ;;
esac
insmod "$here/../../drivers/dmashadow.ko" || fail "dmashadow.ko can't be loaded"
# The device does not exist yet.
insmod "$here/../../drivers/dmasan.ko" attach=platform:dmasan-test line=64 ||
	fail "dmasan.ko can't be loaded"
insmod "$here/dmasan_test.ko" || fail "dmasan_test.ko can't be loaded"
status=0
run "$@"
rmmod dmasan_test || status=1
rmmod dmasan || status=1
rmmod dmashadow || status=1
exit $status
