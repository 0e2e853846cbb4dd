#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the console blocks of a document in the order in which they stand, in one
# shell, and prints KTAP: a test for each block.
#
#	```console
#	# echo 1 > small/live
#	# cat small/dma
#	dma1
#	```
#
# A line that starts with "# " is a command, and the lines below are its output,
# errors and all. A line "..." stands for any number of lines, also for none; within
# a line it stands for anything there.
# Blocks without such a command are for another machine and are left alone.

set -u
export LC_ALL=C

print_help() {
	cat <<EOF
Usage: console.sh DOCUMENT [SCRIPT]
Run the commands in a document's console blocks, as root, and compare what they
print. SCRIPT has more tests: a function for each name in \$more_tests, which
fails with what it prints.
EOF
}

# All that is to be run: "= TITLE" begins a block, then come its lines.
blocks() { # DOCUMENT
	awk -v fence="\`\`\`" '
		/^#/ && !inside { title = $0; sub(/^#+ */, "", title) }
		$0 == fence { inside = 0 }
		inside == 2 && /^# / && !begun { begun = 1; print "= " title }
		inside == 2 && begun
		index($0, fence) == 1 && $0 != fence { inside = 1; begun = 0 }
		$0 == fence "console" { inside = 2 }
	' "$1"
}

# The error messages of a shell begin with what it was called.
plain_errors() {
	sed 's/^[^ ]*: \(line [0-9]*: \)\{0,1\}write error: /sh: write error: /'
}

# Whether what was printed is what was to be expected.
is_same() { # EXPECTED PRINTED
	awk '
		function fits(line, pattern, parts, count, j, at) {
			count = split(pattern, parts, /\.\.\./)
			if (count == 1)
				return line == pattern
			if (substr(line, 1, length(parts[1])) != parts[1])
				return 0
			line = substr(line, length(parts[1]) + 1)
			for (j = 2; j < count; j++) {
				if (parts[j] == "")
					continue
				at = index(line, parts[j])
				if (!at)
					return 0
				line = substr(line, at + length(parts[j]))
			}
			at = length(line) - length(parts[count]) + 1
			return at > 0 && substr(line, at) == parts[count]
		}
		FNR == NR { want[++n] = $0; next }
		want[i + 1] == "..." {
			if (i + 1 == n || !fits($0, want[i + 2]))
				next
			i++
		}
		!fits($0, want[++i]) { wrong = 1; exit }
		END {
			if (want[i + 1] == "...")
				i++
			exit wrong || i != n
		}
	' "$1" "$2"
}

# Runs the command and compares its output, if there is a command.
finish_command() {
	[ -n "$command" ] || return
	eval "$command" >"$tmp/out" 2>&1 </dev/null
	awk 1 "$tmp/out" | plain_errors >"$tmp/printed"
	if ! is_same "$tmp/expected" "$tmp/printed"; then
		result='not ok'
		echo "# $command"
		sed 's/^/#   expected: /' "$tmp/expected"
		sed 's/^/#   printed:  /' "$tmp/printed"
	fi
	command=
}

tell() { # NAME
	number=$((number + 1))
	[ "$result" = ok ] || failed=1
	echo "$result $number $1"
}

finish_block() {
	finish_command
	[ -z "$title" ] || tell "$title"
	result=ok
}

run_blocks() {
	title='' command='' result=ok
	while IFS= read -r line <&3; do
		case $line in
		'= '*)
			finish_block
			title=${line#= }
			;;
		'# '*)
			finish_command
			command=${line#\# }
			: >"$tmp/expected"
			;;
		*) printf '%s\n' "$line" >>"$tmp/expected" ;;
		esac
	done
	finish_block
}

run_more() {
	for more in $more_tests; do
		result=ok
		"$more" >"$tmp/out" 2>&1 || result='not ok'
		[ "$result" = ok ] || sed 's/^/# /' "$tmp/out"
		tell "$more"
	done
}

case ${1:-} in
'') print_help >&2 && exit 2 ;;
-h | --help) print_help && exit ;;
esac
document=$1 number=0 failed=0 more_tests=
tmp=$(mktemp -d)
# shellcheck source=/dev/null
[ $# -lt 2 ] || . "$2"
blocks "$document" >"$tmp/blocks"
count=$(grep -c '^= ' "$tmp/blocks")
# shellcheck disable=SC2086 # it is a list of words
set -- $more_tests
printf 'KTAP version 1\n1..%d\n' $((count + $#))
run_blocks 3<"$tmp/blocks"
run_more
rm -rf "$tmp"
exit $failed
