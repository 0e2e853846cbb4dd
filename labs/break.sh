#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: break.sh LAB NAME COPY
#
# Copies the sources in the folder LAB to the folder COPY, and makes there the
# mistake that LAB/README.md shows: the "diff" block below its heading
# "### BREAK=NAME". What a mistake changes must be there as the README shows it.

set -eu

lab=$1 name=$2 copy=$3

mkdir -p "$copy"
cp "$lab"/*.[ch] "$lab/Makefile" "$copy"
awk -v fence="\`\`\`" -v heading="### BREAK=$name" '
	/^#/ { here = $0 == heading }
	$0 == fence { inside = 0 }
	inside
	here && $0 == fence "diff" { inside = 1 }
' "$lab/README.md" >"$copy/broken.diff"
if [ ! -s "$copy/broken.diff" ]; then
	echo "break.sh: $lab/README.md shows no BREAK=$name" >&2
	exit 1
fi
patch -s -p1 -F0 --no-backup-if-mismatch -d "$copy" -i broken.diff
