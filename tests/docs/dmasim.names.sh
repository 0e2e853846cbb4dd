# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Sourced by console.sh, for docs/dmasim.md: what dmasim has must stand there.
# shellcheck disable=SC2154,SC2317 # $document is console.sh's; functions are called by name

# shellcheck disable=SC2034 # it is console.sh's, too
more_tests='options_stand_there files_stand_there refusals_stand_there events_stand_there'

# Whether each name stands in the document, as code; and there is one at all.
all_stand_there() { # NAME...
	missing=0
	for name in "$@"; do
		grep -qF "\`$name\`" "$document" && continue
		echo "nothing about $name"
		missing=1
	done
	[ $# -gt 1 ] && [ $missing -eq 0 ]
}

names_in() { # FOLDER
	find "$1" -maxdepth 1 -type f -exec basename '{}' ';'
}

with_controller() { # COMMAND
	modprobe dmasim controller=0 || return
	mkdir -p /sys/kernel/config/dmasim/a/peripherals/b || return
	"$1"
	status=$?
	rmdir /sys/kernel/config/dmasim/a/peripherals/b /sys/kernel/config/dmasim/a
	modprobe -r dmasim || return
	return "$status"
}

with_live_controller() { # COMMAND
	live() {
		echo 1 >/sys/kernel/config/dmasim/a/live || return
		folder=/sys/kernel/debug/dmasim/$(cat /sys/kernel/config/dmasim/a/device)
		"$inner"
		status=$?
		echo 0 >/sys/kernel/config/dmasim/a/live || return
		return "$status"
	}
	inner=$1
	with_controller live
}

# shellcheck disable=SC2046 # these are lists of words
check_options() {
	all_stand_there $(names_in /sys/kernel/config/dmasim/a) &&
		all_stand_there $(names_in /sys/kernel/config/dmasim/a/peripherals/b) &&
		all_stand_there $(names_in /sys/module/dmasim/parameters)
}

# shellcheck disable=SC2046
check_files() {
	all_stand_there $(names_in "$folder")
}

# shellcheck disable=SC2046
check_refusals() {
	all_stand_there $(cut -d : -f 1 "$folder/refusals")
}

# shellcheck disable=SC2046
check_events() {
	all_stand_there $(find /sys/kernel/tracing/events/dmasim -mindepth 1 -type d -exec basename '{}' ';')
}

options_stand_there() { with_controller check_options; }
files_stand_there() { with_live_controller check_files; }
refusals_stand_there() { with_live_controller check_refusals; }
events_stand_there() { with_controller check_events; }
