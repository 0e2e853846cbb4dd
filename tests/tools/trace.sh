#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# dmafd trace on a board. What it makes of a trace, tests/tools/timeline tests.
#
# Tests are called by name, and paths and numbers need no quotes.
# shellcheck disable=SC2317,SC2086

# shellcheck source=tests/tools/common.sh
. "$(dirname "$0")/common.sh"

instances=/sys/kernel/tracing/instances

is_simulated() { [ "$BOARD" != raspi3b ]; }
nothing_left() { [ -z "$(ls $instances)" ] || fail "left: $(ls $instances)"; }

# value KEY: of the first channel, in JSON that was written.
value() { sed -n "s/^ *\"$1\": \([0-9]*\),*$/\1/p" "$tmp/out" | head -n 1; }

is_value() { # KEY EXPECTED
	[ "$(value "$1")" = "$2" ] || fail "$1 is not $2: $(cat "$tmp/out")"
}

# ---- who may, and when ----

no_module() {
	expect 3 dmafd trace && says "$tmp/err" 'there are no tracepoints' &&
		says "$tmp/err" 'modprobe dmafd' && nothing_left
}

load() {
	modprobe dmafd && { ! is_simulated || modprobe dmasim; }
}

no_permission() {
	expect 3 start-stop-daemon -S -q -c guest -x "$(command -v dmafd)" -- trace &&
		says "$tmp/err" 'no permission on /sys/kernel/tracing' && says "$tmp/err" 'sudo'
}

# ---- what is recorded ----

# As many jobs as there were, and all of their bytes.
jobs() {
	expect 0 dmafd trace --json -o "$tmp/timeline" -- \
		dmafd test -a 4 -n 40 -s 3 --kinds copy && nothing_left &&
		is_value complete 40 && is_value failed 0 && is_value open 0 && is_value lost 0 ||
		return
	[ "$(value p50)" -gt 0 ] && [ "$(value p50)" -le "$(value max)" ] &&
		[ "$(value busy_us)" -le "$(value span_us)" ] || fail "$(cat "$tmp/out")" || return
	slices=$(grep -c '"ph": "X","name": "copy","pid": 1' "$tmp/timeline")
	[ "$slices" -eq 40 ] || fail "$slices slices"
}

bytes() {
	head -c 307200 /dev/urandom >"$tmp/a"
	expect 0 dmafd trace -j -- dmafd copy -q "$tmp/a" "$tmp/b" && same "$tmp/a" "$tmp/b" &&
		is_value bytes 307200
}

simulated() {
	is_simulated || { skip 'no controller is simulated'; return; }
	head -c 307200 /dev/urandom >"$tmp/a"
	expect 0 dmafd trace -- dmafd copy -q "$tmp/a" "$tmp/b" &&
		grep -qE '^dma[0-9]+chan[0-9]+ \(simulated\) +[1-9]' "$tmp/out" &&
		grep -qE '^dmasim.*: [0-9]+ mappings and syncs' "$tmp/out"
}

failing() {
	is_simulated || { skip 'the controller does not fail'; return; }
	dmafd sim create bad channels=1 >"$tmp/sim" || return
	echo 'fail nth=1' >/sys/kernel/config/dmasim/bad/inject
	chan=$(cat /sys/kernel/config/dmasim/bad/dma)chan0
	head -c 3000 /dev/zero >"$tmp/a"
	expect 1 dmafd trace --json -- dmafd copy -q -c "$chan" "$tmp/a" "$tmp/b"
	status=$?
	dmafd sim remove bad && [ $status -eq 0 ] && says "$tmp/err" 'dmafd: exit status 1' &&
		is_value failed 1
}

# ---- beginning and end ----

# Until it is told to stop, and then it tells what it saw.
interrupted() {
	dmafd trace >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	waited=0
	while [ ! -e $instances/dmafd-trace-$pid/trace_pipe ] && [ $waited -lt 100 ]; do
		sleep 0.1 && waited=$((waited + 1))
	done
	sleep 1
	head -c 3000 /dev/zero >"$tmp/a"
	dmafd copy -q "$tmp/a" "$tmp/b" && sleep 1 && kill -INT $pid && wait $pid &&
		grep -qE '^dma[0-9]+chan[0-9]+ +1 ' "$tmp/out" && nothing_left
}

duration() {
	expect 0 dmafd trace -d 500ms && says "$tmp/out" '0 events' || return
	cp "$(command -v busybox)" "$tmp/dawdle" 2>/dev/null || cp /bin/busybox "$tmp/dawdle"
	ln -s dawdle "$tmp/sleep"
	expect 0 dmafd trace -d 500ms -- "$tmp/sleep" 1234 && ! pgrep -f 'sleep 1234' &&
		nothing_left
}

failing_command() {
	expect 1 dmafd trace -- false && says "$tmp/err" 'false: exit status 1' || return
	expect 1 dmafd trace -- /nix && says "$tmp/err" '/nix: No such file' || return
	# shellcheck disable=SC2016 # that shell is to expand it
	expect 1 dmafd trace -- sh -c 'kill -9 $$' && says "$tmp/err" 'sh: ended by signal 9' &&
		nothing_left
}

# Of one that was killed nothing stays longer than until the next.
killed() {
	dmafd trace >"$tmp/out" 2>&1 &
	pid=$!
	sleep 2
	kill -9 $pid
	wait $pid
	[ -d $instances/dmafd-trace-$pid ] || fail "it has not begun" || return
	expect 0 dmafd trace -- true && nothing_left
}

# ---- others ----

undisturbed() {
	echo >/sys/kernel/tracing/trace
	head -c 3000 /dev/zero >"$tmp/a"
	expect 0 dmafd trace -- dmafd copy -q "$tmp/a" "$tmp/b" || return
	[ "$(cat /sys/kernel/tracing/events/dmafd/enable)" = 0 ] &&
		! grep dmafd_ /sys/kernel/tracing/trace
}

# Its memory is too little for so much at once.
lost() {
	dd if=/dev/zero of="$tmp/a" bs=1M count=8 2>"$tmp/dd"
	expect 5 dmafd trace -b 4K -- dmafd test -a 4 -n 300 --kinds copy &&
		says "$tmp/err" 'events were lost' && says "$tmp/err" 'a larger --buffer' &&
		nothing_left
}

echo 'guest:x:1001:1001::/:/bin/sh' >>/etc/passwd
echo 'guest:x:1001:' >>/etc/group
chmod 755 /work /work/tools
run_tests no_module load no_permission jobs bytes simulated failing interrupted duration \
	failing_command killed undisturbed lost
