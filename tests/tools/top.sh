#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# dmafd top on a board, at channels that are at work. What it looks like on a terminal,
# tests/tools/screen tests.
#
# Tests are called by name, and paths and numbers need no quotes.
# shellcheck disable=SC2317,SC2086

# shellcheck source=tests/tools/common.sh
. "$(dirname "$0")/common.sh"

gid=500 configfs=/sys/kernel/config/dmasim

is_simulated() { [ "$BOARD" != raspi3b ]; }

no_module() {
	expect 3 dmafd top -n 1 && says "$tmp/err" 'there are no counters' &&
		says "$tmp/err" 'modprobe dmafd'
}

load() {
	modprobe dmafd && chmod 660 /dev/dmafd && chown 0:$gid /dev/dmafd || return
	! is_simulated || modprobe dmasim controller=0
}

nothing_open() {
	expect 0 dmafd top -n 2 -d 100ms && says "$tmp/out" '0 channels open, 0 B/s, 0 jobs/s' &&
		[ "$(grep -c '^CHANNEL' "$tmp/out")" -eq 2 ]
}

# The only row of a channel.
row() { grep "^$chan " "$tmp/out" | tail -n 1; }
column() { row | awk -v n="$1" '{ print $n }'; }

# with_copy USER FUNCTION: somebody copies 100 KB a second by a channel meanwhile.
with_copy() {
	dmafd sim create slow bandwidth=100K channels=1 >"$tmp/sim" || return
	chan=$(cat $configfs/slow/dma)chan0
	chmod 777 "$tmp"
	head -c 3000000 /dev/zero >"$tmp/a"
	# Called otherwise, as what is run next must not be the same to start-stop-daemon.
	cp "$(command -v dmafd)" "$tmp/worker"
	start-stop-daemon -S -b -m -p "$tmp/pid" -c "$1" -x "$tmp/worker" -- \
		copy -b 4K -q -c "$chan" "$tmp/a" "$tmp/b"
	waited=0
	while dmafd list -q -f -C copy | grep -q "^$chan " && [ $waited -lt 100 ]; do
		sleep 0.1 && waited=$((waited + 1))
	done
	sleep 1
	"$2"
	status=$?
	kill "$(cat "$tmp/pid")"
	waited=0
	while kill -0 "$(cat "$tmp/pid")" 2>/dev/null && [ $waited -lt 100 ]; do
		sleep 0.1 && waited=$((waited + 1))
	done
	dmafd sim remove slow && return $status
}

check_rates() {
	expect 0 dmafd top --batch -n 2 -d 1s && says "$tmp/out" '1 channel open, ' || return
	[ "$(column 2)" = busy ] && [ "$(column 3)" -ge 1 ] && [ "$(column 4)" -ge 1 ] &&
		row | grep -q " worker\[$(cat "$tmp/pid")\]$" || fail "$(cat "$tmp/out")" || return
	row | grep -qE ' [1-9][0-9.]* KiB/s ' || fail "$(cat "$tmp/out")"
}

rates() {
	is_simulated || { skip 'the controller is too fast to be seen at work'; return; }
	with_copy root check_rates
}

check_user() {
	expect 0 start-stop-daemon -S -q -c member -x "$(command -v dmafd)" -- top -n 1 -d 500ms &&
		says "$tmp/out" '1 channel open by your processes' &&
		row | grep -q " worker\[$(cat "$tmp/pid")\]$" || fail "$(cat "$tmp/out")" || return
	expect 0 start-stop-daemon -S -q -c guest -x "$(command -v dmafd)" -- top -n 1 -d 500ms &&
		says "$tmp/out" '0 channels open by your processes'
}

user() {
	is_simulated || { skip 'the controller is too fast to be seen at work'; return; }
	with_copy member check_user
}

check_json() {
	expect 0 dmafd top --json -d 500ms && says "$tmp/out" "\"name\": \"$chan\"" &&
		says "$tmp/out" '"state": "busy"' && says "$tmp/out" "\"pid\": $(cat "$tmp/pid")"
}

json() {
	is_simulated || { skip 'the controller is too fast to be seen at work'; return; }
	with_copy root check_json
}

stopped() {
	dmafd top -d 100ms >"$tmp/out" &
	pid=$!
	sleep 1
	kill -INT $pid
	wait $pid && grep -q '^CHANNEL' "$tmp/out"
}

printf '%s:x:%d:%d::/:/bin/sh\n' member 1000 1000 guest 1001 1001 >>/etc/passwd
printf 'member:x:1000:\nguest:x:1001:\ndma:x:%d:member\n' $gid >>/etc/group
chmod 755 /work /work/tools
run_tests no_module load nothing_open rates user json stopped
