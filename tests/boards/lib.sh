# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of boards/boot share. Their command line is BOARD KERNEL.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/harness/ktap.sh
. "$root/tests/harness/ktap.sh"

board=${1:-pc} kernel=${2:-6.1}
# Far more than a boot takes: whoever comes here hangs.
readonly TOO_LONG=300

# boots [OPTION]... [-- COMMAND...]; the kernel log is in $tmp/log.
boots() {
	timeout -k 5 "$TOO_LONG" "$root/boards/boot" "$board" --kernel "$kernel" \
		--timeout 60 --log-file "$tmp/log" "$@"
}
