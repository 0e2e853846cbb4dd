#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the transcripts of a lab's README.md and compares what comes of them with
# what the README shows. The README is the only copy.
#
# A transcript is a "console" block and the "log" block that belongs to it:
#
#	```console
#	# echo abc > /dev/sdma_test
#	# cat /dev/sdma_test
#	cat: read error: Invalid argument
#	```
#
# A line that starts with "# " is a command, and the lines below are its output.
# A command fails where the last line of its output is an error message of its
# own ("cat: ..."), and nowhere else. Of such a message the end counts, which is
# errno's text: another system's "cat" words the rest in its own way. Of the
# shell's own commands it may be the shell that says it.
#
# A line "..." stands for any number of lines.
#
# The log block holds what the session adds to the kernel log, without the
# times: all lines of the drivers that the block names, in their order. Where
# LAB_ARGS gives insmod more parameters, it may be another device that the lab
# works on, and then its name and its place in /sys do not count.
#
# What dmasan says is always among them. Of that the device, its addresses, and
# what it wrote do not count; and of the functions only whose module they are in:
# the rest is the compiler's choice, and the kernel's own functions are left out.
#
# The transcripts below the heading "## Break it" are those of drivers with a
# mistake in them. They are another session.
#
# It takes a POSIX shell with what busybox has, root, and /dev/kmsg. It is run
# by the lab's run.sh, in the lab's folder.

set -u
export LC_ALL=C

lab=$(basename "$PWD")

print_help() {
	cat <<EOF
Usage: $lab/run.sh [--show] [--break]
Run the lab's transcript, the one in its README.md, on this machine.

Without an option it is compared with the README, and the result is told in
KTAP, with the difference where there is one. The exit status is 1 then.

  --show   show the session while it runs, the kernel log beside it
  --break  run the transcripts of what the README breaks, in place of the others;
           they need dmasan, and the modules that "make BREAK=..." builds
  --help   this text

Environment:
  LAB_ARGS  more parameters for insmod, such as make_device=1
EOF
}

bail_out() {
	echo "Bail out! $lab: $*"
	exit 1
}

# The part of the README that is about: what is broken, or all else.
readme() {
	awk -v broken="$broken" '
		BEGIN { here = 0 }
		/^## / { here = $0 == "## Break it" }
		here == broken
	' README.md
}

# Block number $2 of the kind $1.
readme_block() {
	readme | awk -v fence="\`\`\`" -v kind="$1" -v want="$2" '
		$0 == fence { inside = 0 }
		inside && n == want
		$0 == fence kind { inside = 1; n++ }
	'
}

# Where the session starts in the kernel log.
mark_log() {
	mark="transcript $lab $$ $(date +%s) $1"
	{ echo "$mark" >/dev/kmsg; } 2>/dev/null || bail_out "cannot write to /dev/kmsg"
	dmesg | grep -qF "$mark" || bail_out "dmesg does not show what /dev/kmsg takes"
}

# The session's lines in the kernel log that are its drivers' or dmasan's, bare.
session_log() {
	dmesg | sed 's/^\[[^]]*\]\(\[ *[TC][0-9]*\]\)\{0,1\} //' |
		awk -v mark="$mark" '
			FNR == NR {
				if ($3 != "dmasan:")
					driver[$1]
				next
			}
			$0 == mark { on = 1; next }
			on && ($1 in driver || $3 == "dmasan:")
		' "$tmp/log.want" -
}

# Puts what FILE stands for at the place of "..." there as well, on the way from
# standard input to standard output.
elide() { # FILE
	awk '
		FNR == NR { want[++n] = $0; next }
		!lost && want[i + 1] == "..." && $0 != want[i + 2] && !/^# / { next }
		{
			while (!lost && want[i + 1] == "...")
				print want[++i]
			print
			if ($0 != want[++i])
				lost = 1
		}
		END { if (!lost && want[i + 1] == "...") print want[i + 1] }
	' "$1" -
}

# The name of a device and where it is: "driver device: text" -> "driver: text",
# and links lose the way up.
without_device() {
	if [ -z "${LAB_ARGS:-}" ]; then
		cat
	else
		sed 's/^\([^ ]*\) [^ ]*: /\1: /; s|-> [./]*|-> |; s|-> soc:|-> |'
	fi
}

# What dmasan says, without what differs from one machine to the next.
plain_reports() {
	awk '
		$3 == "dmasan:" {
			sub(/^[^ ]* [^ ]* /, "")
			sub(/address=0x[0-9a-f]*/, "address")
			sub(/ \[is=[0-9a-f]*\]/, "")
			if ($2 == "write-after-unmap:")
				sub(/ \[offset=.*/, "")
			if (sub(/^dmasan:  .*\[/, "dmasan:  [") ? $0 == last : /^dmasan:  /)
				next
		}
		{ print last = $0 }
	'
}

# Turns a console block into what run_command writes. No output of a command
# may start with "# ".
expected_session() {
	awk '
		function flush() {
			if (!lines)
				return
			if (index(last, word ": ") != 1) {
				print last
				return
			}
			sub(/.*: /, word ": ", last)
			print last
			print "(fails)"
		}
		/^# / {
			flush()
			print
			lines = 0
			word = $2
			sub(/.*\//, "", word)
			next
		}
		{
			if (lines++)
				print last
			last = $0
		}
		END { flush() }
	'
}

run_command() {
	command=$1
	case $1 in
	'insmod '*) command="$1${LAB_ARGS:+ $LAB_ARGS}" ;;
	esac
	[ "$show" = no ] || echo "# $command"
	(eval "$command") >"$tmp/out" 2>&1 </dev/null
	status=$?
	[ "$show" = no ] || show_result
	echo "# $1" >>"$tmp/session.got"
	if [ "$status" -eq 0 ]; then
		awk 1 "$tmp/out" >>"$tmp/session.got"
	else
		word=${1%% *}
		awk 1 "$tmp/out" | sed "\$s|.*: |${word##*/}: |" >>"$tmp/session.got"
		echo '(fails)' >>"$tmp/session.got"
	fi
}

# What the command printed, and what it added to the kernel log.
show_result() {
	awk 1 "$tmp/out"
	session_log >"$tmp/log.now"
	awk -v shown="$shown" 'NR > shown { print "    | " $0 }' "$tmp/log.now"
	shown=$(wc -l <"$tmp/log.now")
}

compare() { # WHAT
	diff -u -L "README.md, $1" -L "this session, $1" "$tmp/want" "$tmp/got" \
		>"$tmp/diff" && return
	sed 's/^/# /' "$tmp/diff"
	result='not ok'
}

# Runs transcript number $1 and sets $result.
run_session() {
	shown=0 result=ok
	readme_block console "$1" >"$tmp/console"
	readme_block log "$1" >"$tmp/log.want"
	if [ ! -s "$tmp/console" ] || [ ! -s "$tmp/log.want" ]; then
		bail_out "README.md: transcript $1 is not complete"
	fi
	: >"$tmp/session.got"
	mark_log "$1"
	# Not through standard input: the commands have none.
	while IFS= read -r line <&3; do
		case $line in
		'# '*) run_command "${line#\# }" ;;
		esac
	done 3<"$tmp/console"

	expected_session <"$tmp/console" | without_device >"$tmp/want"
	without_device <"$tmp/session.got" | elide "$tmp/want" >"$tmp/got"
	compare 'commands'
	plain_reports <"$tmp/log.want" | without_device >"$tmp/want"
	session_log | plain_reports | without_device | elide "$tmp/want" >"$tmp/got"
	compare 'kernel log'
}

main() {
	show=no broken=0 failed=0 n=0
	for option; do
		case $option in
		--show) show=yes ;;
		--break) broken=1 ;;
		--help | -h) print_help && exit 0 ;;
		*) print_help >&2 && exit 2 ;;
		esac
	done
	tmp=$(mktemp -d) || bail_out "no temporary folder"
	trap 'rm -rf "$tmp"' EXIT
	if ! command -v tree >/dev/null; then
		# shellcheck disable=SC2317 # transcripts call it
		tree() { sh ../tree.sh "$@"; }
	fi

	sessions=$(readme | grep -c "^\`\`\`console\$")
	[ "$sessions" -gt 0 ] || bail_out "README.md holds no transcript"
	[ "$show" = yes ] || printf 'KTAP version 1\n1..%d\n' "$sessions"
	while [ "$n" -lt "$sessions" ]; do
		n=$((n + 1))
		[ "$show" = no ] || [ "$n" -eq 1 ] || echo
		run_session "$n"
		[ "$result" = ok ] || failed=1
		[ "$show" = yes ] || echo "$result $n $lab transcript $n"
	done
	exit "$failed"
}

main "$@"
