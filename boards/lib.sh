# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the programs in this folder share: where things are kept, what the
# architectures are called, and how errors are told. Sourced, never run.

set -euo pipefail

boards=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$boards")
build=${DMAFD_BUILD:-$root/build}
# Downloads and what is made of them alone: survives "make clean".
cache=${DMAFD_CACHE:-$root/build/cache}
prog=$(basename "$0")
# What a make that called us was told is not meant for those that we call.
unset MAKEFLAGS MFLAGS MAKELEVEL
# There is where depmod and modinfo are, for those who are not root, too.
PATH=$PATH:/usr/sbin:/sbin

# What Debian signs its packages with.
readonly keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# How a board that could not be booted is told from a command that failed.
readonly EXIT_BOARD=125

die() {
	printf '%s: %s\n' "$prog" "$*" >&2
	exit "$EXIT_BOARD"
}

say() {
	printf '%s: %s\n' "$prog" "$*" >&2
}

usage_error() {
	printf '%s: %s\n' "$prog" "$*" >&2
	printf "Try '%s --help'.\n" "$prog" >&2
	exit "$EXIT_BOARD"
}

need() {
	local tool missing=()
	for tool; do
		command -v "$tool" >/dev/null || missing+=("$tool")
	done
	[ ${#missing[@]} -eq 0 ] ||
		die "not installed: ${missing[*]} ('make deps' installs what is missing)"
}

board_names() {
	local d
	for d in "$boards"/*/board; do
		basename "$(dirname "$d")"
	done
}

# Reads boards/NAME/board, which describes the machine in shell variables.
# Its defaults are set here; docs/boards.md documents each of them.
load_board() {
	board=$1
	case $board in
	*/* | '') usage_error "no board named '$board' (there are: $(board_names | xargs))" ;;
	esac
	[ -r "$boards/$board/board" ] ||
		usage_error "no board named '$board' (there are: $(board_names | xargs))"
	arch='' kernels='' dtb='' overlay='' symbols='' append='' append_iommu=''
	control='' cpus=1 qemu=() qemu_iommu=()
	# shellcheck source=/dev/null
	. "$boards/$board/board"
	load_arch "$arch"
}

# Debian's name of an architecture -> the kernel's, the toolchain's prefix and
# the kernel package's flavour.
load_arch() {
	case $1 in
	amd64) karch=x86 triplet=x86_64-linux-gnu flavour=amd64 ;;
	arm64) karch=arm64 triplet=aarch64-linux-gnu flavour=arm64 ;;
	armhf) karch=arm triplet=arm-linux-gnueabihf flavour=armmp ;;
	*) die "architecture '$1' is not known" ;;
	esac
}

check_kernel() { # KERNEL
	case " $kernels " in
	*" ${1:-none} "*) [[ $1 != *' '* ]] || usage_error "one kernel at a time: '$1'" ;;
	*) usage_error "board '$board' has no kernel '$1' (there are: $kernels)" ;;
	esac
}

# Everything about one kernel lives in one folder of the cache.
kernel_dir() {
	printf '%s/kernel/%s-%s\n' "$cache" "$1" "$2"
}

# Runs a command; anybody else who would do the same work waits.
with_lock() { # WORK COMMAND...
	local work=$1
	shift
	mkdir -p "$cache/locks"
	(
		flock -n 9 || {
			say "waiting for another process that prepares $work"
			flock 9
		}
		"$@"
	) 9>"$cache/locks/$work"
}

# The mirror that the machine's own package sources name for a release pattern.
system_mirror() {
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		awk -v want="$1" '$1 ~ want { print $2; exit }'
}

find_mirrors() {
	local codename
	codename=$(. /etc/os-release && printf %s "${VERSION_CODENAME:-}")
	mirror=${DMAFD_MIRROR:-$(system_mirror "^${codename:-stable}\$")}
	security=${DMAFD_SECURITY_MIRROR:-$(system_mirror '-security$')}
	[ -n "$mirror" ] ||
		die "this machine's package sources name no Debian mirror: set DMAFD_MIRROR to one"
}

# A kernel's folder for the board ($kdir), fetched or built when it isn't there.
provide_kernel() { # KERNEL
	kdir=$(kernel_dir "$arch" "$1")
	case $1 in
	debug | kcsan) "$boards/kernel/build" "$(variant "$1")" || exit "$EXIT_BOARD" ;;
	*) "$boards/fetch" "$arch" "$1" || exit "$EXIT_BOARD" ;;
	esac
}

variant() { # KERNEL
	case $arch-$1 in
	arm64-debug) echo debug-arm64 ;;
	*) echo "$1" ;;
	esac
}
