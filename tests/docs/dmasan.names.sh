# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Sourced by console.sh, for docs/dmasan.md: what dmasan has must stand there.
# shellcheck disable=SC2154,SC2317 # $document is console.sh's; functions are called by name

# shellcheck disable=SC2034 # it is console.sh's, too
more_tests='files_stand_there parameters_stand_there'

# Whether each name of a file in the folder stands in the document, as code.
names_stand_there() { # FOLDER
	missing=0 names=$(ls "$1") || return
	for name in $names; do
		grep -qF "\`$name\`" "$document" && continue
		echo "nothing about $name"
		missing=1
	done
	[ -n "$names" ] && [ $missing -eq 0 ]
}

with_module() { # COMMAND...
	modprobe dmasan || return
	"$@"
	status=$?
	modprobe -r dmasan && return "$status"
}

files_stand_there() { with_module names_stand_there /sys/kernel/debug/dmasan; }
parameters_stand_there() { with_module names_stand_there /sys/module/dmasan/parameters; }
