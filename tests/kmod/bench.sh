#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Measures dmasim on the board that this runs on, and prints KTAP: ratios are
# asserted, figures are shown. It wants a board with one CPU.

here=$(dirname "$0")
files=/sys/kernel/debug/dmabench
configfs=/sys/kernel/config/dmasim

print_help() {
	cat <<EOT
Usage: bench.sh [TEXT]
Measure dmasim: long copies, small ones, queue lengths, fairness.

TEXT    only those whose name contains TEXT: flat.copy, flat.batch, flat.queue,
        iommu.copy, noncoherent.copy, on_4.fair, on_1.fair
EOT
}

bail_out() { # REASON
	printf 'KTAP version 1\n1..1\n# %s\nnot ok 1 bench\n' "$*"
	exit 1
}

make_controller() { # NAME OPTION=VALUE...
	controller=$configfs/$1
	shift
	mkdir "$controller" || return
	for option in "$@"; do
		echo "${option#*=}" >"$controller/${option%%=*}" || return
	done
	echo 1 >"$controller/live"
}

# Appends what a run with one controller came to, under the controller's name.
# A view of memory that the kernel does not have is nothing to measure.
measure() { # NAME CASES MIN_COPY OPTION=VALUE...
	name=$1 cases=$2 min_copy=$3
	shift 3
	case $name.$cases in
	*"$wanted"*) ;;
	*) return ;;
	esac
	if ! make_controller "$name" "$@"; then
		echo "not ok 0 $name: no such controller" >>"$results"
	else
		echo "provider=$(cat "$controller/device") min_copy=$min_copy only=$cases" \
			"timeout_ms=$((10000 * ${HARNESS_SLOW:-1}))" >"$files/run" ||
			echo "not ok 0 $name: not measured" >>"$results"
		sed "/^KTAP\|^1\.\./d; s/ok [0-9]* /&$name./" "$files/results" >>"$results"
		echo 0 >"$controller/live"
	fi
	rmdir "$controller"
}

measure_all() {
	measure flat copy 60 physical=1
	measure flat batch 0 physical=1
	measure flat queue 0 physical=1
	measure iommu copy 0 physical=1 view=iommu
	measure noncoherent copy 0 physical=1 view=noncoherent
	measure on_4 fair 0 physical=4 channels=64
	measure on_1 fair 0 physical=1 channels=64
}

# One report, with numbers that go on.
report() {
	echo 'KTAP version 1'
	echo "1..$(grep -c '^\(not \)\?ok ' "$results")"
	awk '
		/^ok / { $2 = ++n }
		/^not ok / { $3 = ++n }
		{ print }
	' "$results"
}

case ${1:-} in
-h | --help) print_help && exit ;;
esac
case ${KERNEL:-} in
debug | kcsan)
	printf 'KTAP version 1\n1..1\nok 1 bench # SKIP checks cost more than what is measured\n'
	exit
	;;
esac
wanted=${1:-}
modprobe dmasim controller=0 || bail_out "dmasim can't be loaded"
insmod "$here/dmabench.ko" || bail_out "dmabench.ko can't be loaded"
results=$(mktemp)
measure_all
report
status=0
! grep -q '^not ok' "$results" || status=1
rm -f "$results"
rmmod dmabench || status=1
modprobe -r dmasim || status=1
exit $status
