# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# KTAP for bash scripts. A script sources this file, defines functions named
# test_..., and ends with
#
#	run_tests
#
# which runs them in the order in which they stand, each in a subshell under
# "set -e", and exits with 0 when each passed or was skipped, else with 1.
# What a test prints is shown as diagnostics when it fails.
#
# Where several tests look at the result of one costly thing, a function
# named before_all does it first; when it fails, all tests fail.
#
# $tmp is a folder for the script's files, gone when it ends.

set -euo pipefail
shopt -s inherit_errexit

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' INT TERM HUP

# Ends a test with a reason, which is shown.
fail() {
	printf '%s\n' "$*"
	exit 1
}

skip() {
	printf '%s\n' "$*" >"$tmp/.skip"
	exit 77
}

# expect_eq EXPECTED SEEN [WHAT]
expect_eq() {
	[ "$1" = "$2" ] || fail "${3:-value}: expected '$1', but it is '$2'"
}

# expect_status STATUS COMMAND... leaves the output in $tmp/out and $tmp/err.
expect_status() {
	local want=$1 status=0
	shift
	"$@" >"$tmp/out" 2>"$tmp/err" || status=$?
	[ "$status" -eq "$want" ] && return
	tail -n 20 "$tmp/out" "$tmp/err"
	fail "expected status $want, but it is $status: $*"
}

# expect_line FILE REGEX: a whole line matches.
expect_line() {
	grep -qxE -e "$2" "$1" && return
	cat "$1"
	fail "no line of $1 matches: $2"
}

expect_no_line() {
	local line
	line=$(grep -xE -m 1 -e "$2" "$1") || return 0
	fail "a line of $1 should not match '$2': $line"
}

_test_functions() {
	local name
	shopt -s extdebug
	while read -r name; do
		declare -F "$name"
	done < <(compgen -A function test_) | sort -k 2,2n | cut -d ' ' -f 1
	shopt -u extdebug
}

# Runs a function by itself and keeps what it prints.
_run() {
	rm -f "$tmp/.skip"
	set +e
	(
		trap - EXIT
		set -e
		"$1"
	) >"$tmp/.output" 2>&1 </dev/null
	status=$?
	set -e
}

_report() { # NUMBER NAME STATUS
	case $3 in
	0) printf 'ok %d %s\n' "$1" "$2" ;;
	77) printf 'ok %d %s # SKIP %s\n' "$1" "$2" "$(cat "$tmp/.skip")" ;;
	*)
		sed 's/^/# /' "$tmp/.output"
		printf 'not ok %d %s\n' "$1" "$2"
		;;
	esac
}

run_tests() {
	local names=() name number=0 status before=0 failed=0
	mapfile -t names < <(_test_functions)
	printf 'KTAP version 1\n1..%d\n' "${#names[@]}"
	if declare -F before_all >/dev/null; then
		_run before_all
		before=$status
	fi
	for name in "${names[@]}"; do
		number=$((number + 1)) status=$before
		[ "$before" -ne 0 ] || _run "$name"
		_report "$number" "${name#test_}" "$status"
		[ "$status" = 0 ] || [ "$status" = 77 ] || failed=1
	done
	[ "${#names[@]}" -gt 0 ] || failed=1
	exit "$failed"
}
