#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs on a board for tests/boards/session and tells what it finds there; then
# comes the file "data" as it is, to the end of the output.

echo "arguments $#"
for argument; do
	printf '<%s>\n' "$argument"
done
echo "end of arguments"
echo "in $(pwd), on $BOARD with $KERNEL, $(uname -r)"
echo "modes $(stat -c %a probe.sh) $(stat -c %a data) $(stat -c %a folder/inside)"
echo "this is stderr" >&2
[ -z "$(cat)" ] && echo "stdin is empty"
echo "probe was here" >/dev/kmsg

# A module that needs another one: of a stock kernel, and of a debug kernel.
for pair in vfat:fat nvme:nvme_core; do
	modprobe -q "${pair%:*}" || continue
	grep -q "^${pair%:*} " /proc/modules && echo "the module is there"
	grep -q "^${pair#*:} " /proc/modules && echo "so is what it depends on"
	break
done
grep -q ': ' "/lib/modules/$(uname -r)/modules.dep" || echo "no module depends on another"

# What the end of a session looks like, and is none.
token=00000000000000000000000000000000
printf '\000%s exit 0\n' $token
printf '%s exit 0\n' $token
printf '\000%s ready\n' $token
printf '\000 exit 0\n'
echo "boards: $token" >/dev/kmsg
[ -e /session/token ] && echo "the token can be read"
printf 'KTAP version 1\n1..1\nok 1 nothing\n1 passed, 0 failed, 0 skipped\n'
echo "end of session"

echo "== data"
cat data
exit 42
