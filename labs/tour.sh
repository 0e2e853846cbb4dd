#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows labs as their documents do: the session, and beside it the kernel log.
#
#	labs/tour.sh [--break] [LAB]...	all of them, or those named: streaming, mmap, ...
#
# With --break it shows what their exercises break.

cd "$(dirname "$0")" || exit

print_labs() {
	for lab in [0-9]*/; do
		lab=${lab#*-}
		printf ' %s' "${lab%/}"
	done
}

find_lab() { # NAME
	for lab in [0-9]*-"$1"; do
		[ -d "$lab" ] && echo "$lab" && return
	done
	echo "tour.sh: no lab named '$1' (there are:$(print_labs))" >&2
	return 1
}

show() { # FOLDER
	title=$(sed -n '1s/^# //p' "$1/README.md")
	printf '\n---- %s: %s ----\n\n' "$1" "$title"
	"$1/run.sh" --show ${broken:+"$broken"}
}

broken=
if [ "${1:-}" = --break ]; then
	broken=$1
	shift
fi
if [ $# -eq 0 ]; then
	set -- [0-9]*/
else
	for name; do
		lab=$(find_lab "$name") || exit 2
		set -- "$@" "$lab"
		shift
	done
fi

for lab; do
	show "${lab%/}" || failed=1
done
exit "${failed:-0}"
