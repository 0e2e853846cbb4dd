#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the kernel's own dmatest on dmasim, in all of its modes, and prints KTAP.
# Few kernels have it built: our debug kernel has.

configfs=/sys/kernel/config/dmasim
params=/sys/module/dmatest/parameters

print_help() {
	cat <<EOT
Usage: dmatest.sh [TEXT]
Run dmatest on dmasim.

TEXT    only the tests whose name contains TEXT
EOT
}

# NAME OPTION... : PARAMETER...; options are the controller's, parameters dmatest's.
# A thread that polls terminates its channel at the end of each transfer: there can
# be one thread on a channel only, and hence one type of transfer.
all_tests() {
	cat <<EOT
copy : iterations=100
copy_short : iterations=200 test_buf_size=64
copy_long : iterations=10 test_buf_size=1048576
copy_norandom : iterations=50 norandom=1
copy_fixed_size : iterations=50 transfer_size=4096
copy_noverify : iterations=200 noverify=1
copy_polled types=memcpy : iterations=50 polled=1
copy_aligned align=8 : iterations=50
copy_aligned_by_dmatest : iterations=50 alignment=6
copy_threads : iterations=30 threads_per_chan=4
copy_channels physical=2 : iterations=30 max_channels=8
copy_channels_threads physical=2 : iterations=20 max_channels=4 threads_per_chan=3
set types=memset : dmatest=1 iterations=50
set_norandom types=memset : dmatest=1 iterations=50 norandom=1
set_polled types=memset : dmatest=1 iterations=50 polled=1
set_threads types=memset : dmatest=1 iterations=20 threads_per_chan=4
xor types=xor : iterations=30
xor_most types=xor : iterations=30 xor_sources=8
xor_norandom types=xor : iterations=30 norandom=1
xor_polled types=xor : iterations=30 polled=1
xor_threads types=xor : iterations=20 threads_per_chan=4
copy_and_xor types=memcpy,xor : iterations=20 max_channels=2 threads_per_chan=2
iommu_copy view=iommu : iterations=50
iommu_set view=iommu types=memset : dmatest=1 iterations=50
iommu_xor view=iommu types=xor : iterations=30
iommu_threads view=iommu : iterations=20 max_channels=4 threads_per_chan=3
iommu_polled view=iommu types=memcpy : iterations=50 polled=1
noncoherent_copy view=noncoherent : iterations=50
noncoherent_set view=noncoherent types=memset : dmatest=1 iterations=50
noncoherent_xor view=noncoherent types=xor : iterations=30
noncoherent_threads view=noncoherent : iterations=20 max_channels=4 threads_per_chan=3
noncoherent_polled view=noncoherent types=memcpy : iterations=50 polled=1
noncoherent_wide_lines view=noncoherent line_size=128 : iterations=50
EOT
}

bail_out() { # REASON
	printf 'KTAP version 1\n1..1\n# %s\nnot ok 1 dmatest\n' "$*"
	exit 1
}

# NAME=VALUE becomes the content of a file.
set_file() { # FOLDER NAME=VALUE
	# shellcheck disable=SC2320 # the write is what may fail
	echo "${2#*=}" >"$1/${2%%=*}" || {
		echo "# $2 is refused"
		return 1
	}
}

make_controller() { # OPTION=VALUE...
	mkdir "$configfs/test" || return
	for option in "$@"; do
		set_file "$configfs/test" "$option" || return
	done
	set_file "$configfs/test" live=1
}

remove_controller() {
	set_file "$configfs/test" live=0
	rmdir "$configfs/test"
}

# Starts dmatest and waits until all of its threads are done. What is set stays so
# from one test to the next, unless it is set again.
run_dmatest() { # PARAMETER=VALUE...
	for parameter in test_buf_size=16384 threads_per_chan=1 max_channels=1 xor_sources=3 \
		timeout=$((5000 * ${HARNESS_SLOW:-1})) noverify=0 norandom=0 alignment=-1 \
		transfer_size=0 polled=0 dmatest=0 device="$(cat "$configfs/test/device")" \
		"$@" run=1; do
		set_file "$params" "$parameter" || return
	done
	cat "$params/wait" >/dev/null
	set_file "$params" run=0
}

# Each thread that dmatest started has to tell of all its iterations.
judge() { # ITERATIONS
	threads=$(sed -n 's/.*dmatest: Added \([0-9]*\) threads.*/\1/p' "$log" |
		awk '{ n += $1 } END { print n + 0 }')
	summaries=$(grep -c 'dmatest: .*: summary ' "$log")
	good=$(grep -c "dmatest: .*: summary $1 tests, 0 failures .*(0)" "$log")
	echo "# $threads threads, $good of $summaries did $1 tests without a failure"
	[ "$threads" -gt 0 ] && [ "$summaries" -eq "$threads" ] && [ "$good" -eq "$threads" ] &&
		return
	sed -n '/dmatest/s/^/# /p' "$log" | tail -n 20
	return 1
}

test_one() { # "OPTION... : PARAMETER..."
	options=${1%%:*} parameters=${1#*: }
	mark="dmatest.sh test $number"
	echo "$mark" >/dev/kmsg
	# shellcheck disable=SC2086 # these are lists of words
	make_controller $options && run_dmatest $parameters
	status=$?
	remove_controller
	dmesg | sed "1,/$mark\$/d" >"$log"
	iterations=${parameters##*iterations=}
	judge "${iterations%% *}" && [ "$status" -eq 0 ]
}

run_tests() {
	while read -r name rest <&3; do
		number=$((number + 1))
		if test_one "$rest"; then
			echo "ok $number $name"
		else
			echo "not ok $number $name"
			failed=1
		fi
	done
}

case ${1:-} in
-h | --help) print_help && exit ;;
esac
if ! modprobe dmatest 2>/dev/null; then
	printf 'KTAP version 1\n1..1\nok 1 dmatest # SKIP not built into this kernel\n'
	exit
fi
# Some kernels log each transfer, which is more than the log can hold.
control=/sys/kernel/debug/dynamic_debug/control
[ ! -e $control ] || echo 'module dmatest -p' >$control
modprobe dmasim controller=0 || bail_out "dmasim can't be loaded"
tests=$(mktemp) log=$(mktemp) number=0 failed=0
all_tests | grep -e "^[^ ]*${1:-}[^ ]* " >"$tests"
printf 'KTAP version 1\n1..%d\n' "$(wc -l <"$tests")"
run_tests 3<"$tests"
rm -f "$tests" "$log"
rmmod dmatest || failed=1
modprobe -r dmasim || failed=1
exit $failed
