#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The load of bench/san, on the board: the disk and the second network card do the
# same, whoever watches. With "attach [PARAMETER]..." dmasan does. Prints "cost LOAD
# WORK TIME" in milliseconds for each: the CPU's work, and all with what it waits for.
#
# Loads are called by name, numbers and paths need no quotes.
# shellcheck disable=SC2317,SC2086

disk=/dev/nvme0n1
server=10.0.9.9

# Centiseconds since the start, and of these without work: what it waits for a disk is
# not among the idle ones.
clocks() {
	echo "$(sed 's/ .*//; s/\.//' /proc/uptime) $(awk '/^cpu / { print $5 + $6 }' /proc/stat)"
}

time_of() { # COMMAND...
	before=$(clocks)
	"$@" >/dev/null || { echo "# $1 failed"; failed=1; }
	after=$(clocks)
	took=$((${after% *} - ${before% *}))
	work=$((took - ${after#* } + ${before#* }))
}

# The least of some rounds.
measure() { # NAME COMMAND...
	name=$1 least_work='' least=''
	shift
	for round in 1 2 3; do
		time_of "$@"
		[ -n "$least" ] && [ "$least" -le "$took" ] || least=$took
		[ -n "$least_work" ] && [ "$least_work" -le "$work" ] || least_work=$work
	done
	echo "cost $name $((least_work * 10)) $((least * 10))"
}

# The disk has an end.
thrice() { # COMMAND...
	"$@" && "$@" && "$@"
}

disk_read() { # BLOCK COUNT
	dd if=$disk bs="$1" count="$2" iflag=direct 2>/dev/null
}

disk_write() { # BLOCK COUNT
	dd if=/dev/zero of=$disk bs="$1" count="$2" oflag=direct 2>/dev/null
}

# By the page cache: long requests, many segments.
disk_cached() { # BLOCK COUNT
	echo 3 >/proc/sys/vm/drop_caches
	dd if=$disk of=/dev/null bs="$1" count="$2" 2>/dev/null
	dd if=/dev/zero of=$disk bs="$1" count="$2" conv=fsync 2>/dev/null
}

# There and back by TCP.
echo_bytes() { # COUNT
	[ "$(head -c "$1" /dev/zero | nc $server 9 | head -c "$1" | wc -c)" = "$1" ]
}

set_up() {
	modprobe nvme || return
	modprobe e1000e || return
	for i in 1 2 3 4 5 6 7 8 9 10; do
		[ ! -b $disk ] || break
		sleep 0.5
	done
	for path in /sys/class/net/eth*; do card=${path##*/}; done
	ip addr add 10.0.9.15/24 dev "$card" || return
	ip link set "$card" up || return
	for i in 1 2 3 4 5 6 7 8 9 10; do
		! ping -q -c 1 -W 1 10.0.9.2 >/dev/null || return 0
	done
	return 1
}

attach() { # [PARAMETER]...
	modprobe dmasan "$@" || return
	for dir in /sys/bus/pci/devices/*; do
		case $(cut -c1-6 "$dir/class") in
		0x0108 | 0x0200) echo "pci:${dir##*/}" >/sys/kernel/debug/dmasan/attach || return ;;
		esac
	done
}

failed=0
if [ "${1-}" = attach ]; then
	shift
	attach "$@" || exit
fi
set_up || { echo '# the devices are not there'; exit 1; }
measure read-4k disk_read 4k 8000
measure read-64k thrice disk_read 64k 1000
measure read-1m thrice disk_read 1M 60
measure write-4k disk_write 4k 8000
measure write-64k thrice disk_write 64k 1000
measure cached disk_cached 64k 500
measure ping-56 ping -q -c 1000 -i 0.001 -s 56 10.0.9.2
measure ping-1400 ping -q -c 1000 -i 0.001 -s 1400 10.0.9.2
measure tcp-echo echo_bytes 3000000
exit $failed
