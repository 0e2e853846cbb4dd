#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests a DMA controller of the board through the dmaengine interface, and
# prints KTAP. tests/kmod/conformance/README.md tells the arguments.

here=$(dirname "$0")
files=/sys/kernel/debug/conformance

print_help() {
	cat <<EOT
Usage: conformance.sh CONTROLLER [KEY=VALUE]...
Test a DMA controller's driver.

CONTROLLER is one of
  any        the first controller that can copy memory
  bcm2835    the controller of the Raspberry Pi 3B
  pl330      an Arm PL330, for which the driver is loaded
  dmasim     the controller that the module dmasim brings along, with these
             of its options: dmasim,view=iommu,align=4
  toy        the one of labs/08-provider
  DEVICE     any other one, by its device's name
KEY=VALUE    an argument of the test module, such as only=memcpy
EOT
}

fail() { # REASON
	printf 'KTAP version 1\n1..1\n# %s\nnot ok 1 conformance\n' "$*"
	exit 1
}

# What is known of a controller: what it, or its emulation, can't do although
# it is said nowhere, and where its peripheral is.
set_controller() { # CONTROLLER
	case $1 in
	any) known= ;;
	bcm2835)
		# In the emulation, lengths that are no multiple of 4 and cyclic
		# transfers never end. The driver allocates with GFP_KERNEL.
		known='align=4 no_cyclic=1 no_atomic_prep=1 fifo_memory=1'
		find_provider bcm2835-dma
		;;
	pl330)
		modprobe pl330 2>/dev/null
		known='inherits_callback=1'
		find_provider dma-pl330
		;;
	dmasim | dmasim,*)
		load_dmasim "$(echo "$1" | tr , ' ')"
		# A FIFO that gives back what it gets is on its line 1.
		known='tx_addr=0xd0001000 rx_addr=0xd0001000 strict=1'
		find_provider dmasim
		;;
	toy)
		insmod "$here/../../labs/08-provider/toy_dma.ko" make_device=1 ||
			fail "toy_dma.ko can't be loaded"
		loaded=toy_dma
		known='fifo_memory=1'
		find_provider toy_dma
		;;
	*) known="provider=$1" ;;
	esac
}

load_dmasim() { # WORDS
	insmod "$here/../../drivers/dmashadow.ko" || fail "dmashadow.ko can't be loaded"
	# The kernel takes what is between quotes as one value.
	insmod "$here/../../drivers/dmasim.ko" "options=\"${1#dmasim}\"" ||
		fail "dmasim.ko can't be loaded"
	loaded='dmasim dmashadow'
}

find_provider() { # DRIVER
	for device in /sys/class/dma/dma*chan*/device; do
		[ "$(basename "$(readlink -f "$device/driver")")" = "$1" ] || continue
		known="$known provider=$(basename "$(readlink -f "$device")")"
		return
	done
	fail "no DMA channel of the driver $1"
}

run() { # ARGUMENT...
	# shellcheck disable=SC2320 # the write is what may fail
	echo "timeout_ms=$((5000 * ${HARNESS_SLOW:-1}))" "$@" >"$files/run" ||
		status=1
	cat "$files/results"
	# A missing result is a failure by itself.
	! grep -q '^not ok' "$files/results" || status=1
}

case ${1:-} in
'') print_help >&2 && exit 2 ;;
-h | --help) print_help && exit ;;
esac
loaded=''
set_controller "$1"
shift
insmod "$here/conformance.ko" || fail "conformance.ko can't be loaded"
status=0
# shellcheck disable=SC2086 # it is a list of words
run $known "$@"
for module in conformance $loaded; do
	rmmod "$module" || status=1
done
exit $status
