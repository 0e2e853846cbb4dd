#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The dmafd command on a board: on the board's own controller, or else on dmasim.
# Each test ends at its first step that fails.
#
# Tests are called by name, numbers need no quotes, and busybox can lock memory.
# shellcheck disable=SC2317,SC2086,SC3045

# shellcheck source=tests/tools/common.sh
. "$(dirname "$0")/common.sh"

user=1000 dma=500 configfs=/sys/kernel/config/dmasim

is_simulated() { [ "$BOARD" != raspi3b ]; }
random() { head -c "$1" /dev/urandom; }
left_over() { find "$tmp" -name '*.dmafd-*' | grep . && echo "is left"; }

# dmafd_as GROUP ARGUMENT...
dmafd_as() {
	group=$1
	shift
	start-stop-daemon -S -q -c "$user:$group" -x "$(command -v dmafd)" -- "$@"
}

# ---- before the module is there ----

no_device() {
	expect 3 dmafd list && says "$tmp/err" 'dmafd list: no /dev/dmafd' &&
		says "$tmp/err" '  load the module: modprobe dmafd' || return
	for command in 'info x' 'copy /bin/busybox y' 'fill -s 1 x 1' test bench 'record p x' \
		'play /bin/busybox p'; do
		expect 3 dmafd $command && says "$tmp/err" 'modprobe dmafd' || return
	done
	expect 3 dmafd sim list && says "$tmp/err" 'modprobe dmasim'
}

load() {
	modprobe dmafd || return
	is_simulated || return 0
	expect 3 dmafd list && says "$tmp/err" 'there is no such DMA channel' || return
	expect 3 dmafd copy /bin/busybox "$tmp/x" &&
		says "$tmp/err" 'there is no DMA channel that can copy' &&
		says "$tmp/err" "'modprobe dmasim' gives a simulated one" || return
	modprobe dmasim controller=0 && dmafd sim create base
}

# ---- who may ----

permission() {
	chmod 660 /dev/dmafd && chown "0:$dma" /dev/dmafd || return
	expect 3 dmafd_as 1000 list && says "$tmp/err" 'no permission on /dev/dmafd' &&
		says "$tmp/err" 'usermod -aG dma' || return
	expect 0 dmafd_as "$dma" list && says "$tmp/out" chan0 || return
	chown 0:0 /dev/dmafd
	expect 3 dmafd_as 1000 list && says "$tmp/err" 'udev' || return
	chown "0:$dma" /dev/dmafd
}

work_as_user() {
	random 300000 >"$tmp/a"
	chmod 777 "$tmp" && chmod 644 "$tmp/a"
	ulimit -l 1024
	expect 0 dmafd_as "$dma" copy -b 64K "$tmp/a" "$tmp/b" && same "$tmp/a" "$tmp/b" || return
	[ "$(stat -c %u "$tmp/b")" = "$user" ] || fail "it belongs to somebody else"
}

# In a shell of its own, as the limit stays.
locked_memory() {
	(
		random 3000 >"$tmp/a"
		chmod 777 "$tmp" && chmod 644 "$tmp/a"
		ulimit -l 64 || exit
		expect 1 dmafd_as "$dma" copy "$tmp/a" "$tmp/b" &&
			says "$tmp/err" 'over the limit of locked memory, which is 64.0 KiB' &&
			says "$tmp/err" '/etc/security/limits.conf'
	) && [ ! -e "$tmp/b" ]
}

# ---- list and info ----

list_channels() {
	expect 0 dmafd list && says "$tmp/out" 'NAME' && says "$tmp/out" 'free' || return
	channels=$(($(wc -l <"$tmp/out") - 1))
	expect 0 dmafd list -q -f -C copy && [ "$(wc -l <"$tmp/out")" -le "$channels" ] &&
		! grep NAME "$tmp/out" || return
	expect 2 dmafd list --can fly && says "$tmp/err" "'fly'" || return
	expect 2 dmafd list too much
}

list_driver() {
	driver=dmasim
	is_simulated || driver=bcm2835-dma
	expect 0 dmafd list && says "$tmp/out" " $driver "
}

list_holder() {
	is_simulated || { skip 'the controller is too fast to be seen at work'; return; }
	dmafd sim create slow bandwidth=100K channels=1 >"$tmp/sim" || return
	chan=$(cat $configfs/slow/dma)chan0
	random 3000000 >"$tmp/a"
	dmafd copy -q -c "$chan" "$tmp/a" "$tmp/b" &
	pid=$!
	sleep 1
	expect 0 dmafd list && grep "^$chan .*" "$tmp/out" >"$tmp/line"
	expect 3 dmafd info nix && expect 0 dmafd info "$chan" && cp "$tmp/out" "$tmp/info"
	expect 3 dmafd copy -c "$chan" "$tmp/a" "$tmp/c" && says "$tmp/err" "channel $chan is taken" &&
		says "$tmp/err" "'dmafd list' shows who holds them"
	status=$?
	kill $pid
	wait $pid
	dmafd sim remove slow && [ "$status" -eq 0 ] || return
	if [ -e /sys/kernel/debug/dmafd/channels ]; then
		says "$tmp/line" "dmafd[$pid]" && says "$tmp/info" "dmafd[$pid]"
	else
		says "$tmp/line" busy && says "$tmp/info" somebody
	fi
}

info_channel() {
	chan=$(dmafd list -q -f -C copy | head -n 1 | cut -d ' ' -f 1)
	expect 0 dmafd info "$chan" && says "$tmp/out" "$chan" && says "$tmp/out" 'moved at once' &&
		says "$tmp/out" 'held by              nobody' || return
	expect 3 dmafd info nix && says "$tmp/err" 'there is no channel nix' || return
	expect 2 dmafd info && says "$tmp/err" 'CHANNEL is missing'
}

# ---- copy ----

copy_sizes() {
	for size in 0 1 63 64 4095 4096 1048575 1048576 5000001; do
		random $size >"$tmp/a"
		expect 0 dmafd copy "$tmp/a" "$tmp/b" && same "$tmp/a" "$tmp/b" || return
	done
	says "$tmp/out" ', verified' && ! left_over
}

copy_options() {
	random 700001 >"$tmp/a"
	for option in --no-verify --no-uring '--block 4K' '--block 128K' --verbose; do
		rm -f "$tmp/b"
		expect 0 dmafd copy $option "$tmp/a" "$tmp/b" && same "$tmp/a" "$tmp/b" || return
	done
	for size in 0 1 4097 300M; do
		expect 2 dmafd copy --block $size "$tmp/a" "$tmp/b" || return
	done
}

# A tmpfs knows no O_DIRECT on older kernels; ramfs never does, the disk always.
copy_direct() {
	modprobe ext4 2>/dev/null
	modprobe loop 2>/dev/null
	truncate -s 16M "$tmp/disk" && mkdir "$tmp/mnt" || return
	mke2fs -q -F "$tmp/disk" >/dev/null || { skip 'no mke2fs'; return; }
	mount -t ext4 -o loop "$tmp/disk" "$tmp/mnt" || { skip 'no ext4 to mount'; return; }
	random 3000001 >"$tmp/mnt/a"
	expect 0 dmafd copy --direct "$tmp/mnt/a" "$tmp/mnt/b" && same "$tmp/mnt/a" "$tmp/mnt/b"
	status=$?
	umount "$tmp/mnt"
	return $status
}

copy_streams() {
	random 2500001 >"$tmp/a"
	dmafd copy "$tmp/a" - >"$tmp/b" 2>"$tmp/err" && same "$tmp/a" "$tmp/b" || return
	says "$tmp/err" ', verified' || return
	# shellcheck disable=SC2002 # a pipe is what this is about
	cat "$tmp/a" | dmafd copy -q - "$tmp/c" && same "$tmp/a" "$tmp/c" || return
	mkfifo "$tmp/fifo"
	cat "$tmp/fifo" >"$tmp/d" &
	expect 0 dmafd copy "$tmp/a" "$tmp/fifo" && wait $! && same "$tmp/a" "$tmp/d" || return
	expect 2 dmafd copy --json "$tmp/a" -
}

copy_holes() {
	truncate -s 64M "$tmp/a"
	random 5000 | dd of="$tmp/a" bs=1 seek=20000000 conv=notrunc 2>/dev/null
	expect 0 dmafd copy "$tmp/a" "$tmp/b" && same "$tmp/a" "$tmp/b" || return
	[ "$(du -k "$tmp/b" | cut -f 1)" -le 4096 ] || fail "the hole is filled"
}

copy_places() {
	random 100 >"$tmp/a"
	mkdir "$tmp/folder"
	expect 0 dmafd copy "$tmp/a" "$tmp/folder" && same "$tmp/a" "$tmp/folder/a" || return
	echo old >"$tmp/real" && chmod 604 "$tmp/real" && ln -s real "$tmp/link" || return
	expect 0 dmafd copy "$tmp/a" "$tmp/link" && same "$tmp/a" "$tmp/real" || return
	[ -L "$tmp/link" ] && [ "$(stat -c %a "$tmp/real")" = 604 ] || fail "mode or link" || return
	expect 1 dmafd copy "$tmp/a" "$tmp/a" && says "$tmp/err" 'copied to itself' || return
	expect 1 dmafd copy "$tmp/nix" "$tmp/b" && says "$tmp/err" "nix: No such file" || return
	expect 1 dmafd copy "$tmp/folder" "$tmp/b" && says "$tmp/err" 'Is a directory' || return
	expect 1 dmafd copy "$tmp/a" "$tmp/no/b" && says "$tmp/err" 'No such file' || return
	[ ! -e "$tmp/b" ] && ! left_over
}

copy_full_disk() {
	random 3000000 >"$tmp/a"
	mkdir "$tmp/small" && mount -t tmpfs -o size=1m none "$tmp/small" || return
	echo old >"$tmp/small/b"
	expect 1 dmafd copy "$tmp/a" "$tmp/small/b" && says "$tmp/err" 'No space left on device' &&
		[ "$(cat "$tmp/small/b")" = old ] && ! left_over
	status=$?
	umount "$tmp/small"
	return $status
}

# A disk that forgets what it is given.
copy_damaged() {
	modprobe null_blk nr_devices=1 2>/dev/null || { skip 'no such disk'; return; }
	random 100000 >"$tmp/a"
	expect 4 dmafd copy "$tmp/a" /dev/nullb0 && says "$tmp/err" 'are not as they were written'
	result=$?
	rmmod null_blk
	return $result
}

# The way in which it died is what a shell looks at.
copy_interrupted() {
	is_simulated || { skip 'the controller is too fast to be interrupted'; return; }
	dmafd sim create slow bandwidth=200K channels=1 >"$tmp/sim" || return
	chan=$(cat $configfs/slow/dma)chan0
	random 5000000 >"$tmp/a"
	echo old >"$tmp/b"
	for signal in INT TERM HUP; do
		# With a mark of its own: the file that it writes to has begun.
		dmafd copy -c "$chan" "$tmp/a" "$tmp/b" >"$tmp/out" 2>&1 &
		pid=$!
		sleep 1
		left_over >"$tmp/partial" || fail "it has not begun: $(cat "$tmp/out")" || break
		kill -$signal $pid
		wait $pid
		status=$?
		[ $status -eq $((128 + $(kill -l $signal))) ] || fail "status $status after $signal" ||
			break
		! left_over && [ "$(cat "$tmp/b")" = old ] && [ ! -s "$tmp/out" ] ||
			fail "after $signal: $(cat "$tmp/out")" || break
		signal=
	done
	dmafd sim remove slow && [ -z "$signal" ]
}

# Where the memory of a process has this text first.
find_in_memory() { # PID TEXT
	tr - ' ' <"/proc/$1/maps" | while read -r start end mode _ _ device _ name; do
		[ "$mode$device$name" = rw00:00 ] || continue
		at=$((0x$start / 4096)) pages=$(((0x$end - 0x$start) / 4096))
		offset=$(dd if="/proc/$1/mem" bs=4096 skip=$at count=$pages 2>/dev/null |
			strings -n 16 -t d | awk -v text="$2" '$2 == text { print $1; exit }')
		[ -z "$offset" ] || { echo $((at * 4096 + offset)) && break; }
	done
}

# A byte changes in memory after the controller has copied it: it shows before it is written.
copy_differs() {
	is_simulated || { skip 'the controller is too fast to be disturbed'; return; }
	dmafd sim create slow bandwidth=100K channels=1 >"$tmp/sim" || return
	{ echo this-is-the-beginning; head -c 300000 /dev/zero; } >"$tmp/a"
	echo old >"$tmp/b"
	dmafd copy -c "$(cat $configfs/slow/dma)chan0" "$tmp/a" "$tmp/b" >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	sleep 1
	place=$(find_in_memory $pid this-is-the-beginning)
	echo T | dd of=/proc/$pid/mem bs=1 count=1 seek="$place" conv=notrunc 2>"$tmp/dd" ||
		fail "place $place: $(cat "$tmp/dd")"
	wait $pid
	status=$?
	dmafd sim remove slow || return
	[ $status -eq 4 ] || fail "status $status: $(cat "$tmp/out" "$tmp/err")" || return
	says "$tmp/err" 'DMA copied wrongly: byte 0 is' && [ "$(cat "$tmp/b")" = old ] && ! left_over
}

copy_failing_controller() {
	is_simulated || { skip 'the controller does not fail'; return; }
	dmafd sim create bad channels=1 >"$tmp/sim" &&
		echo 'fail nth=2' >$configfs/bad/inject || return
	random 3000000 >"$tmp/a"
	expect 1 dmafd copy -c "$(cat $configfs/bad/dma)chan0" "$tmp/a" "$tmp/b" &&
		says "$tmp/err" 'by DMA: Input/output error' && [ ! -e "$tmp/b" ]
	status=$?
	left_over && status=1
	dmafd sim remove bad && return $status
}

# ---- fill ----

fill_file() {
	expect 0 dmafd fill -s 1000001 "$tmp/a" 0x41 || return
	[ "$(tr -d A <"$tmp/a" | wc -c)" -eq 0 ] && [ "$(wc -c <"$tmp/a")" -eq 1000001 ] ||
		fail "not full of A" || return
	expect 0 dmafd fill "$tmp/a" 66 && [ "$(tr -d B <"$tmp/a" | wc -c)" -eq 0 ] &&
		[ "$(wc -c <"$tmp/a")" -eq 1000001 ] || fail "not full of B" || return
	[ "$(dmafd fill -q -s 3 - 67)" = CCC ] || fail "not CCC" || return
	for value in 256 -1 x ''; do
		expect 2 dmafd fill "$tmp/a" -- "$value" || return
	done
	expect 2 dmafd fill "$tmp/nix" 1 && says "$tmp/err" '--size is missing' || return
	[ ! -e "$tmp/nix" ]
}

# ---- test ----

# The model of this board's controller takes only multiples of 4.
align() { is_simulated && echo 1 || echo 4; }

test_jobs() {
	expect 0 dmafd test -a "$(align)" -n 200 -s 42 && says "$tmp/out" '200 jobs' &&
		says "$tmp/out" '(seed 42)' || return
	expect 0 dmafd test -a 4 -d 300ms -v && says "$tmp/out" ' copy ' || return
	expect 0 dmafd test -a 8 -S 4K -n 50 -k copy || return
	expect 2 dmafd test -k dance && expect 2 dmafd test -a 3 && expect 2 dmafd test -t 0 &&
		expect 2 dmafd test -S 1 && expect 2 dmafd test -d 0 && expect 2 dmafd test -n 0
}

test_threads() {
	is_simulated || { skip 'not all channels are free on this board'; return; }
	expect 0 dmafd test -t 4 -n 100 -s 7 && says "$tmp/out" '400 jobs' || return
	expect 2 dmafd test -t 2 -c "$(cat $configfs/base/dma)chan0" &&
		says "$tmp/err" 'a channel is for one thread' || return
	expect 3 dmafd test -t 30 && says "$tmp/err" 'no DMA channel that can copy is free'
}

# With the views in which a forgotten synchronization shows.
test_views() {
	is_simulated || { skip 'the controller has one view of memory'; return; }
	for view in iommu noncoherent; do
		dmafd sim create view view=$view channels=1 >"$tmp/sim" || return
		expect 0 dmafd test -n 200 -c "$(cat $configfs/view/dma)chan0"
		status=$?
		dmafd sim remove view && [ $status -eq 0 ] || return
	done
}

# ---- bench ----

bench_sizes() {
	expect 0 dmafd bench -d 50ms -s 4K,64K -D 4 -p "$tmp/plot.svg" &&
		says "$tmp/out" 'THROUGHPUT' || return
	[ "$(grep -c '^ *64K  dma ' "$tmp/out")" -eq 1 ] && [ "$(grep -c '  cpu ' "$tmp/out")" -eq 2 ] ||
		fail "rows are missing: $(cat "$tmp/out")" || return
	[ "$(grep -c ' -$' "$tmp/out")" -eq 4 ] || fail "it tells what it can't know" || return
	says "$tmp/plot.svg" '</svg>' && says "$tmp/plot.svg" '<polyline' || return
	expect 0 dmafd bench -d 300ms -s 64K &&
		[ "$(grep -c ' [1-9][0-9]*\.[0-9] * [1-9][0-9]*\.[0-9]$' "$tmp/out")" -eq 2 ] ||
		fail "CPU time is missing: $(cat "$tmp/out")" || return
	expect 2 dmafd bench -s 4K,x && expect 2 dmafd bench -D 0 && expect 2 dmafd bench -d x
}

# ---- sim ----

sim_controllers() {
	is_simulated || { skip 'dmasim is not loaded here'; return; }
	expect 0 dmafd sim create t1 view=noncoherent channels=2 && says "$tmp/out" 't1: channels dma' ||
		return
	expect 0 dmafd sim list && grep -q '^t1 *yes .* noncoherent *2 ' "$tmp/out" || return
	expect 1 dmafd sim create t1 && says "$tmp/err" 'File exists' || return
	expect 1 dmafd sim create t2 align=3 && says "$tmp/err" 'align=3: Invalid argument' &&
		says "$tmp/err" '3 is not a power of two' && [ ! -e $configfs/t2 ] || return
	expect 1 dmafd sim create t2 peripherals/a/line=1 nix=1 && [ ! -e $configfs/t2 ] || return
	expect 0 dmafd sim create t2 peripherals/a/line=1 peripherals/a/kind=source &&
		[ "$(cat $configfs/t2/peripherals/a/kind)" = source ] || return
	expect 0 dmafd sim remove t1 t2 && [ ! -e $configfs/t1 ] && [ ! -e $configfs/t2 ] || return
	expect 1 dmafd sim remove t1 && says "$tmp/err" "no controller 't1'" || return
	for words in 'create' 'create a b' 'create ../x' 'create a =1' 'create a /etc/x=1' 'dance' \
		'list x' 'remove'; do
		expect 2 dmafd sim $words || return
	done
	expect 1 dmafd sim create a ../../x=1 && [ ! -e $configfs/a ]
}

sim_held() {
	is_simulated || { skip 'dmasim is not loaded here'; return; }
	dmafd sim create held channels=1 bandwidth=100K >"$tmp/sim" || return
	random 2000000 >"$tmp/a"
	dmafd copy -q -c "$(cat $configfs/held/dma)chan0" "$tmp/a" "$tmp/b" &
	sleep 1
	expect 1 dmafd sim remove held && says "$tmp/err" 'somebody holds a channel'
	status=$?
	kill $!
	wait $!
	expect 0 dmafd sim remove held && return $status
}

sim_permission() {
	is_simulated || { skip 'dmasim is not loaded here'; return; }
	expect 3 dmafd_as "$dma" sim create x && says "$tmp/err" 'only root makes controllers' &&
		[ ! -e $configfs/x ]
}

# ---- output ----

output_lost() {
	dmafd list >/dev/full 2>"$tmp/err"
	[ $? -eq 1 ] && says "$tmp/err" 'standard output: No space left on device'
}

# Whom dmafd_as means.
echo "user:x:$user:1000::/:/bin/sh" >>/etc/passwd
printf 'user:x:1000:\ndma:x:%d:\n' $dma >>/etc/group
chmod 755 /work /work/tools
run_tests no_device load permission work_as_user locked_memory list_channels list_driver \
	list_holder info_channel copy_sizes copy_options copy_direct copy_streams copy_holes \
	copy_places copy_full_disk copy_damaged copy_interrupted copy_differs \
	copy_failing_controller fill_file test_jobs test_threads test_views bench_sizes \
	sim_controllers sim_held sim_permission output_lost
