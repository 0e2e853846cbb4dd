#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests dmashadow on the board that this runs on, and prints KTAP. Arguments are
# those of the test module: only=TEXT runs the tests whose name contains TEXT.

here=$(dirname "$0")
files=/sys/kernel/debug/shadow_test

print_help() {
	cat <<EOT
Usage: shadow.sh [KEY=VALUE]...
Test the DMA mapping of simulated devices.

KEY=VALUE    an argument of the test module, such as only=edge
EOT
}

fail() { # REASON
	printf 'KTAP version 1\n1..1\n# %s\nnot ok 1 shadow\n' "$*"
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
insmod "$here/shadow_test.ko" || fail "shadow_test.ko can't be loaded"
status=0
run "$@"
rmmod shadow_test || status=1
rmmod dmashadow || status=1
exit $status
