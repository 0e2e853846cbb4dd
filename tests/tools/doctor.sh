#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# dmafd doctor on a board: what it says of it, to root and to a user, and of problems
# that are made here. Those that cannot be made, tests/tools/root has.
#
# Tests are called by name, numbers need no quotes, and busybox can lock memory.
# shellcheck disable=SC2317,SC2086,SC3045

# shellcheck source=tests/tools/common.sh
. "$(dirname "$0")/common.sh"

gid=500 configfs=/sys/kernel/config/dmasim

is_simulated() { [ "$BOARD" = pc ] || [ "$BOARD" = virt ]; }

# finding VERDICT CHECK TEXT: such a line is in what the doctor last said.
finding() {
	grep -E "^$1 +$2 " "$tmp/out" | grep -qF -e "$3" && return
	echo "no '$1' of $2 with '$3':"
	cat "$tmp/out"
	return 1
}

nothing() { # CHECK
	! grep -E "^[a-z]+ +$1 " "$tmp/out"
}

# doctor STATUS ARGUMENT...: with "any", what else it finds does not matter.
doctor() {
	wanted=$1
	shift
	if [ "$wanted" = any ]; then
		dmafd doctor "$@" >"$tmp/out" 2>"$tmp/err"
		wanted=$?
		[ $wanted -eq 0 ] || [ $wanted -ge 6 ] && return
	fi
	expect "$wanted" dmafd doctor "$@"
}

# doctor_as STATUS USER ARGUMENT...
doctor_as() {
	wanted=$1 user=$2
	shift 2
	expect "$wanted" start-stop-daemon -S -q -c "$user" -x "$(command -v dmafd)" -- \
		doctor "$@"
}

# ---- before the modules are there ----

no_module() {
	doctor 7 && finding bad module 'installed, but not loaded' &&
		finding bad device 'there is no /dev/dmafd' &&
		says "$tmp/out" 'modprobe dmafd; for each boot:'
}

no_channel() {
	is_simulated || { skip 'the board has channels'; return; }
	doctor 7 && finding warn channels 'there is no DMA channel' &&
		says "$tmp/out" "'modprobe dmasim' simulate"
}

# ---- what is well ----

well() {
	modprobe dmafd || return
	[ "$BOARD" != smdkc210 ] || modprobe pl330 || return
	if is_simulated; then
		modprobe dmasim controller=0 &&
			dmafd sim create base channels=2 bandwidth=50K >"$tmp/sim" || return
	fi
	chmod 660 /dev/dmafd && chown 0:$gid /dev/dmafd || return
	doctor "$([ "$BOARD" = raspi3b ] && echo 6 || echo 0)" || return
	finding ok module 'dmafd is loaded' && finding ok device 'it belongs to the group dma' &&
		finding ok group 'dma has member' && finding ok channels 'of them can copy' &&
		finding ok 'cache line' bytes && finding ok dma-bufs '0, of 0 B' &&
		finding ok 'zone DMA(32)?' free && finding ok swiotlb '' && finding ok iommu '' &&
		finding ok allocations 'had to wait' && nothing masks && nothing holders
}

# ---- devices ----

controllers() {
	case $BOARD in
	raspi3b) name=$(basename /sys/bus/platform/devices/3f007000.dma*) driver=bcm2835-dma is='masks of 32 bits, not coherent' ;;
	smdkc210) name=12850000.dma-controller driver=dma-pl330 is='masks of 32 bits, not coherent' ;;
	pc) name=$(cat $configfs/base/device) driver=dmasim is='masks of 64 bits, coherent' ;;
	virt) name=$(cat $configfs/base/device) driver=dmasim is='masks of 64 bits, not coherent' ;;
	esac
	doctor any && finding ok "controller $name" "$driver, " &&
		finding ok "device $name" "$driver, $is, no IOMMU" && nothing 'channel dma0chan0' &&
		doctor any -v && finding ok 'channel dma0chan0' 'free'
}

behind_iommu() {
	[ "$BOARD" = virt ] || { skip 'there is no IOMMU'; return; }
	doctor 0 && finding ok iommu 'smmu3.' && finding ok iommu '1 group: DMA' &&
		finding ok 'device 0000:00:01.0' 'IOMMU group 0 (DMA)' &&
		finding ok 'device 0000:00:01.0' 'serial, masks of 32 bits, coherent'
}

# Those that are no controllers come with --verbose.
platform() {
	doctor any && nothing 'device serial8250' || return
	doctor any -v && finding ok 'device serial8250' 'masks of 32 bits'
}

kernel_holds() {
	[ "$BOARD" = smdkc210 ] || { skip 'the kernel holds no channel'; return; }
	doctor 0 && finding ok 'channel dma0chan15' 'held by 13800000.serial:rx'
}

# ---- who may, and what users are not told ----

as_user() {
	doctor_as 7 guest && finding bad device 'no permission on /dev/dmafd' &&
		says "$tmp/out" 'usermod -aG dma' &&
		finding note group 'you are not in the group dma' || return
	for check in holders jobs swiotlb dma-bufs masks; do
		finding note $check 'not known: ' || return
	done
	[ "$(cat /proc/sys/kernel/dmesg_restrict)" = 0 ] ||
		finding note log 'not known: /dev/kmsg: Operation not permitted' || return
	says "$tmp/out" 'channels: Permission denied' &&
		says "$tmp/out" 'root may read it: sudo dmafd doctor'
}

as_member() {
	doctor_as 0 member && finding ok device 'can be used' && finding ok group 'dma has member' &&
		finding ok channels 'of them can copy' && finding ok memlock 'may be locked'
}

open_for_all() {
	chmod 666 /dev/dmafd
	doctor 6
	status=$?
	chmod 660 /dev/dmafd
	[ $status -eq 0 ] && finding warn device 'everybody may use /dev/dmafd'
}

# ---- problems ----

# In a shell of its own, as the limit stays.
little_memlock() {
	(
		ulimit -l 64 || exit
		doctor_as 6 member && finding warn memlock 'only 64.0 KiB' &&
			says "$tmp/out" '/etc/security/limits.conf' || exit
		doctor any && finding ok memlock 'the limit of 64.0 KiB does not hold for you'
	)
}

# hold CHANNEL...: each by a copy that takes long.
hold() {
	head -c 3000000 /dev/zero >"$tmp/a"
	pids=
	for chan; do
		dmafd copy -q -c "$chan" "$tmp/a" "$tmp/b$chan" &
		pids="$pids $!"
	done
	waited=0
	while dmafd list -q -f | grep -qF "$1 " && [ $waited -lt 100 ]; do
		sleep 0.1 && waited=$((waited + 1))
	done
}

all_channels_busy() {
	is_simulated || { skip 'there are too many channels'; return; }
	dma=$(cat $configfs/base/dma)
	hold "${dma}chan0" "${dma}chan1"
	sleep 1
	doctor 6
	status=$?
	kill $pids
	wait $pids
	[ $status -eq 0 ] && finding warn channels 'all 2 are taken' &&
		finding ok "channel ${dma}chan1" "held by dmafd[${pids##* }]" &&
		finding ok buffers 'of dmafd, of ' && ! grep -q "^ok *buffers *0 of" "$tmp/out" || return
	doctor 0 && finding ok channels '2 of 2 are free'
}

no_debugfs() {
	umount /sys/kernel/debug || return
	doctor any
	status=$?
	mount -t debugfs none /sys/kernel/debug
	[ $status -eq 0 ] && finding note 'filesystem debugfs' 'not mounted' &&
		finding note swiotlb 'not known: /sys/kernel/debug/swiotlb: No such file' &&
		says "$tmp/out" 'mount -t debugfs none /sys/kernel/debug'
}

# ---- the kernel log ----

log_errors() {
	doctor any && nothing 'log timeout' && nothing 'log bounce buffers' || return
	echo '<3>mmc0: DMA transfer timeout of the test' >/dev/kmsg
	echo '<3>edu: swiotlb buffer is full (sz: 4096 bytes)' >/dev/kmsg
	echo '<3>edu: swiotlb buffer is full (sz: 8192 bytes)' >/dev/kmsg
	echo '<6>iommu: Default domain type: Translated' >/dev/kmsg
	doctor 6 && finding warn 'log timeout' '1 line, such as: mmc0: DMA transfer timeout of the test' &&
		finding warn 'log bounce buffers' '2 lines, such as: edu: swiotlb buffer is full (sz: 8192' &&
		nothing 'log IOMMU' || return
	doctor 6 -q && nothing module && finding warn 'log timeout' ''
}

# Whom doctor_as means.
printf '%s:x:%d:%d::/:/bin/sh\n' member 1000 1000 guest 1001 1001 >>/etc/passwd
printf 'member:x:1000:\nguest:x:1001:\ndma:x:%d:member\n' $gid >>/etc/group
chmod 755 /work /work/tools
run_tests no_module no_channel well controllers behind_iommu platform kernel_holds as_user \
	as_member open_for_all little_memlock all_channels_busy no_debugfs log_errors
