#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# "dmafd record" and "dmafd play" on a board, at devices of dmasim. Each test ends at its first
# step that fails.
#
# Tests are called by name, numbers and lists of options need no quotes, and a sleeping reader
# keeps a pipe open.
# shellcheck disable=SC2317,SC2086,SC2046,SC2217

# shellcheck source=tests/tools/common.sh
. "$(dirname "$0")/common.sh"

ports=/sys/kernel/config/dmafd configfs=/sys/kernel/config/dmasim
# In bytes a second; and what the ring is for most tests: enough for a board that is slow.
rate=65536 ring='-p 1K -P 128'

# ---- devices and ports ----

# peripheral NAME OPTION=VALUE...: what "dmafd sim create" wants for it.
peripheral() {
	name=$1
	shift
	printf " peripherals/$name/%s" "$@"
}

make_port() { # NAME DEVICE DIRECTION LINE
	mkdir "$ports/$1" && echo "bench-$2:$3" >"$ports/$1/channel" &&
		echo "$3" >"$ports/$1/direction" && echo "0xd000${4}000" >"$ports/$1/address" &&
		echo 4 >"$ports/$1/width" && echo 4 >"$ports/$1/burst" && echo 1 >"$ports/$1/live"
}

# devices OPTION=VALUE...: a controller with these, an ADC, a DAC, and a line to nowhere.
devices() {
	dmafd sim create bench "$@" \
		$(peripheral adc line=1 kind=source pattern=counter32 rate=$rate depth=1M \
			rx_client=bench-adc:rx) \
		$(peripheral dac line=2 kind=sink rate=$rate depth=64 tx_client=bench-dac:tx) \
		$(peripheral nowhere line=3 kind=loopback depth=16 tx_client=bench-nowhere:tx \
			rx_client=bench-nowhere:rx) \
		$(peripheral drip line=4 kind=source pattern=counter32 rate=1000 \
			rx_client=bench-drip:rx) >/dev/null &&
		make_port adc adc rx 1 && make_port dac dac tx 2 && make_port silent nowhere rx 3 &&
		make_port deaf nowhere tx 3 && make_port drip drip rx 4
}

no_devices() {
	for port in adc dac silent deaf drip; do
		[ ! -e "$ports/$port" ] || rmdir "$ports/$port" || return
	done
	dmafd sim remove bench
}

# with VIEW FUNCTION: runs it with the devices; they go in any case.
with() {
	devices "view=$1" || return
	"$2"
	status=$?
	no_devices && return $status
}

in_each_view() { # FUNCTION
	for view in flat iommu noncoherent; do
		with $view "$1" || fail "in the view $view" || return
	done
}

# The numbers of the source, from 0, each in its place. [FIRST-LENGTH] is not 0.
is_counter() { # FILE
	[ -s "$1" ] || fail "$1 is empty" || return
	od -A n -v -t u4 -w4 "$1" >"$tmp/numbers"
	# The last one may not be complete.
	[ $(($(size "$1") % 4)) -eq 0 ] || sed -i '$d' "$tmp/numbers"
	awk '$1 != NR - 1 { print "number " NR - 1 " is " $1; exit bad = 1 } END { exit bad }' \
		"$tmp/numbers"
}

size() { wc -c <"$1"; }

# What the device tells of itself.
of_device() { # NAME KEY
	sed -n "s/^$1: .* $2 \([0-9a-f]*\).*/\1/p" \
		"/sys/kernel/debug/dmasim/$(cat $configfs/bench/device)/peripherals"
}

crc32() { # of standard input
	gzip -c | tail -c 8 | od -A n -N 4 -t x4 | tr -d ' '
}

# The DAC got the file, at least, and then nothing but zeros.
was_played() { # FILE
	taken=$(of_device dac in)
	[ "$taken" -ge "$(size "$1")" ] || fail "it took $taken bytes" || return
	crc=$({ cat "$1"; head -c $((taken - $(size "$1"))) /dev/zero; } | crc32)
	[ "$(of_device dac crc)" = "$crc" ] || fail "it took something else"
}

# interrupt SIGNAL SECONDS COMMAND...: the status is the command's.
interrupt() {
	signal=$1 seconds=$2
	shift 2
	"$@" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	sleep "$seconds"
	kill -"$signal" $pid
	wait $pid
}

# ---- record ----

record_some() {
	for length in 1 4096 100003; do
		expect 0 dmafd record $ring -n $length adc "$tmp/a" && is_counter "$tmp/a" || return
		[ "$(size "$tmp/a")" -eq $length ] || fail "it is not $length bytes long" || return
	done
	says "$tmp/err" '97.7 KiB from adc'
}

record_bytes() { in_each_view record_some; }

record_to_pipe() { with noncoherent record_pipe; }
record_pipe() {
	{ dmafd record -q $ring -n 70001 adc - 2>"$tmp/err"; echo $? >"$tmp/status"; } | cat >"$tmp/a"
	[ "$(cat "$tmp/status")" -eq 0 ] || fail "status $(cat "$tmp/status" "$tmp/err")" || return
	[ "$(size "$tmp/a")" -eq 70001 ] && [ ! -s "$tmp/err" ] && is_counter "$tmp/a"
}

record_json() { with flat record_as_json; }
record_as_json() {
	expect 0 dmafd record --json $ring -n 5000 adc "$tmp/a" &&
		says "$tmp/out" '"bytes": 5000' && says "$tmp/out" '"overruns": 0' || return
	expect 2 dmafd record --json -n 5000 adc -
}

# Whoever takes the data comes too late.
record_overruns() { with flat record_too_slowly; }
record_too_slowly() {
	{ dmafd record -p 1K -P 4 -d 4s adc - 2>"$tmp/err"; echo $? >"$tmp/status"; } |
		{ sleep 3; cat >"$tmp/a"; }
	[ "$(cat "$tmp/status")" -eq 5 ] || fail "status $(cat "$tmp/status" "$tmp/err")" || return
	says "$tmp/err" 'periods of 1K were overwritten before they were read' &&
		says "$tmp/err" 'a longer ring helps' || return
	! is_counter "$tmp/a" >/dev/null || fail "nothing is missing"
}

# A reader that takes nothing any more does not keep it from ending.
record_stuck() { with flat record_without_reader; }
record_without_reader() {
	mkfifo "$tmp/fifo"
	sleep 30 <"$tmp/fifo" &
	sleeper=$!
	expect 5 dmafd record -p 1K -P 4 -d 3s adc "$tmp/fifo"
	status=$?
	kill $sleeper
	wait $sleeper
	return $status
}

record_interrupted() { with noncoherent record_and_interrupt; }
record_and_interrupt() {
	for signal in INT TERM; do
		interrupt $signal 2 dmafd record $ring adc "$tmp/a" ||
			fail "status $? after SIG$signal: $(cat "$tmp/err")" || return
		is_counter "$tmp/a" && says "$tmp/err" ' from adc' || return
		[ "$(size "$tmp/a")" -ge 4096 ] || fail "it is too short" || return
	done
	! left_over
}

record_duration() { with flat record_for_a_while; }
record_for_a_while() {
	expect 0 dmafd record $ring -d 1s adc "$tmp/a" && is_counter "$tmp/a" || return
	# Also what is no whole period.
	expect 0 dmafd record -p 64K -P 2 -d 1s drip "$tmp/b" && is_counter "$tmp/b" || return
	[ "$(size "$tmp/b")" -lt 65536 ] || fail "the device is too fast"
}

record_silence() { with flat record_nothing; }
record_nothing() {
	expect 1 dmafd record -n 100 -t 500ms silent "$tmp/a" &&
		says "$tmp/err" 'silent gave nothing for 0.5 s' && says "$tmp/err" '--timeout' || return
	expect 1 dmafd record -n 100 silent "$tmp/a" &&
		says "$tmp/err" 'silent gave nothing for 10.0 s' || return
	expect 1 dmafd record -d 500ms silent "$tmp/a" &&
		says "$tmp/err" 'nothing came from silent' || return
	interrupt INT 1 dmafd record silent "$tmp/a"
	[ $? -eq 1 ] && says "$tmp/err" 'nothing came from silent' && [ ! -e "$tmp/a" ] && ! left_over
}

# A device that is slow is not silent, even if a period takes longer than that.
record_slow() { with flat record_slowly; }
record_slowly() {
	expect 0 dmafd record -p 4K -n 5000 -t 2s drip "$tmp/a" && is_counter "$tmp/a"
}

# What came is kept.
record_gone() { with flat record_and_remove; }
record_and_remove() {
	dmafd record $ring adc "$tmp/a" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	sleep 2
	rmdir $ports/adc
	wait $pid
	[ $? -eq 1 ] && says "$tmp/err" 'adc: No such device' && is_counter "$tmp/a"
}

left_over() { find "$tmp" -name '*.dmafd-*' | grep . && echo "is left"; }

# ---- play ----

play_some() {
	for size in 1 1024 100003; do
		head -c $size /dev/urandom >"$tmp/a"
		expect 0 dmafd play $ring "$tmp/a" dac && was_played "$tmp/a" || return
		# What the device counts begins anew with a new controller.
		no_devices && devices "view=$view" || return
	done
	says "$tmp/err" '97.7 KiB to dac'
}

play_bytes() { in_each_view play_some; }

play_part() { with noncoherent play_a_part; }
play_a_part() {
	head -c 30000 /dev/urandom >"$tmp/a"
	head -c 20001 "$tmp/a" >"$tmp/b"
	expect 0 dmafd play --json -p 1K -P 16 -n 20001 "$tmp/a" dac && was_played "$tmp/b" || return
	says "$tmp/out" '"bytes": 20001' && says "$tmp/out" '"overruns": 0'
}

play_from_pipe() { with noncoherent play_pipe; }
play_pipe() {
	head -c 200001 /dev/urandom >"$tmp/a"
	# shellcheck disable=SC2002 # a pipe is what this is about
	cat "$tmp/a" | dmafd play -q $ring - dac 2>"$tmp/err" || fail "$(cat "$tmp/err")" || return
	[ ! -s "$tmp/err" ] && was_played "$tmp/a"
}

# The source stops for longer than the ring is long; what follows is played all the same.
play_late() { with noncoherent play_too_late; }
play_too_late() {
	head -c 20000 /dev/urandom >"$tmp/a"
	{ cat "$tmp/a"; sleep 3; cat "$tmp/a"; } | dmafd play -p 1K -P 16 - dac 2>"$tmp/err"
	status=$?
	[ $status -eq 5 ] || fail "status $status: $(cat "$tmp/err")" || return
	says "$tmp/err" 'periods were sent again' && says "$tmp/err" '39.1 KiB to dac'
}

play_nothing() { with flat play_empty; }
play_empty() {
	expect 1 dmafd play /dev/null dac && says "$tmp/err" 'nothing was sent' &&
		[ "$(of_device dac in)" -eq 0 ] || return
	expect 1 dmafd play "$tmp" dac && says "$tmp/err" 'Is a directory' || return
	expect 1 dmafd play "$tmp/nix" dac && says "$tmp/err" 'No such file'
}

play_silence() { with flat play_to_the_deaf; }
play_to_the_deaf() {
	head -c 20000 /dev/urandom >"$tmp/a"
	expect 1 dmafd play -t 500ms "$tmp/a" deaf && says "$tmp/err" 'deaf took nothing for 0.5 s' ||
		return
	expect 1 dmafd play -d 500ms "$tmp/a" deaf && says "$tmp/err" 'nothing was sent' || return
	expect 1 dmafd play "$tmp/a" deaf && says "$tmp/err" 'deaf took nothing for 10.0 s'
}

# A program that is stopped tells how far it came.
play_interrupted() { with flat play_and_interrupt; }
play_and_interrupt() {
	head -c 2000000 /dev/urandom >"$tmp/a"
	interrupt INT 2 dmafd play --json $ring "$tmp/a" dac || fail "status $?: $(cat "$tmp/err")" ||
		return
	bytes=$(sed -n 's/.*"bytes": \([0-9]*\).*/\1/p' "$tmp/out")
	[ "$bytes" -ge 1024 ] && [ "$bytes" -lt 2000000 ] || fail "$(cat "$tmp/out")" || return
	expect 0 dmafd play $ring -d 1s "$tmp/a" dac && says "$tmp/err" ' to dac' || return
	# One whose source stands still, too, before it began and later.
	mkfifo "$tmp/fifo"
	sleep 30 >"$tmp/fifo" &
	sleeper=$!
	interrupt TERM 1 dmafd play "$tmp/fifo" dac
	status=$?
	kill $sleeper
	wait $sleeper
	[ $status -eq 1 ] && says "$tmp/err" 'nothing was sent'
}

# ---- both ----

wrong_ports() { with flat use_wrong_ports; }
use_wrong_ports() {
	expect 3 dmafd record dac "$tmp/a" && says "$tmp/err" 'port dac is for the other direction' ||
		return
	expect 3 dmafd play /bin/busybox adc && says "$tmp/err" 'is for the other direction' || return
	chan=$(cat $configfs/bench/dma)chan9
	expect 3 dmafd record "$chan" "$tmp/a" && says "$tmp/err" "$chan is a channel, but no port" ||
		return
	expect 3 dmafd record nix "$tmp/a" && says "$tmp/err" 'there is no channel nix' || return
	expect 2 dmafd record -p 1022 adc "$tmp/a" && says "$tmp/err" 'adc takes 4 bytes at once' ||
		return
	expect 1 dmafd record -p 64M -P 1024 adc "$tmp/a" && says "$tmp/err" 'of memory for DMA' ||
		return
	for option in '-d 0' '-n 0' '-p 0' '-P 1' '-P 2000' '-t x'; do
		expect 2 dmafd record $option adc "$tmp/a" && expect 2 dmafd play $option /dev/zero dac ||
			return
	done
	[ ! -e "$tmp/a" ]
}

# A controller without rings.
no_rings() {
	devices types=memcpy,slave || return
	expect 3 dmafd record adc "$tmp/a" && says "$tmp/err" 'the controller of adc cannot do that' &&
		expect 3 dmafd play /bin/busybox dac && says "$tmp/err" 'the controller of dac cannot'
	status=$?
	no_devices && return $status
}

modprobe dmafd && modprobe dmasim controller=0
run_tests record_bytes record_to_pipe record_json record_overruns record_stuck \
	record_interrupted record_duration record_silence record_slow record_gone play_bytes \
	play_part play_from_pipe play_late play_nothing play_silence play_interrupted wrong_ports \
	no_rings
