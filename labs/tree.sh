#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: tree.sh FOLDER
#
# Prints what "tree FOLDER" prints in the C locale: a stand-in for that program,
# for systems that don't have it. Of its options it knows none.

# A folder in the folder is done by a child of the shell, with variables of its
# own.
level() { # FOLDER INDENT
	for item in "$1"/*; do
		last=$item
	done
	# In an empty folder the pattern stands for itself.
	[ -e "$last" ] || [ -L "$last" ] || return
	for item in "$1"/*; do
		print_item "$item" "$2"
	done
}

print_item() { # ITEM INDENT
	arm='|-- ' trunk='|   ' link=
	if [ "$1" = "$last" ]; then
		arm="\`-- " trunk='    '
	fi
	if [ -L "$1" ]; then
		link=" -> $(readlink "$1")"
	fi
	echo "$2$arm${1##*/}$link"
	if [ -d "$1" ] && [ ! -L "$1" ]; then
		(level "$1" "$2$trunk")
	fi
}

# A link to a folder counts as a folder.
print_sum() {
	all=$(find . | wc -l)
	folders=$(find . -exec test -d '{}' ';' -print | wc -l)
	echo
	echo "$folders directories, $((all - folders)) files"
}

export LC_ALL=C
echo "$1"
cd "$1" || exit 1
level . ''
print_sum
