# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# KTAP for scripts on a board. A script sources this file, lists its functions in the
# order in which they are to run, and ends with
#
#	run_tests NAME...
#
# A test fails if its function does: what it printed is shown then. $tmp is a folder for
# files; it is empty at the start of each test.

tmp=/tmp/tools

# For a test to end by "return": what is expected failed.
fail() {
	echo "$*"
	return 1
}

skip() {
	echo "$*" >/tmp/tools.skip
	return 1
}

# expect STATUS COMMAND...: output is left in $tmp/out and $tmp/err.
expect() {
	expected=$1
	shift
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ "$got" -eq "$expected" ] && return
	echo "status $got instead of $expected: $*"
	cat "$tmp/out" "$tmp/err"
	return 1
}

# says FILE TEXT: it is a part of a line there.
says() {
	grep -qF -e "$2" "$1" && return
	echo "'$2' is not in $1:"
	cat "$1"
	return 1
}

same() { # FILE FILE
	cmp "$1" "$2"
}

run_test() { # NAME
	rm -rf "$tmp" /tmp/tools.skip
	mkdir "$tmp"
	number=$((number + 1))
	if "$1" >/tmp/tools.log 2>&1; then
		echo "ok $number $1"
	elif [ -e /tmp/tools.skip ]; then
		echo "ok $number $1 # SKIP $(cat /tmp/tools.skip)"
	else
		sed 's/^/# /' /tmp/tools.log
		echo "not ok $number $1"
		failed=1
	fi
}

run_tests() { # NAME...
	number=0 failed=0
	printf 'KTAP version 1\n1..%d\n' $#
	for name; do
		run_test "$name"
	done
	rm -rf "$tmp" /tmp/tools.log /tmp/tools.skip
	exit "$failed"
}
