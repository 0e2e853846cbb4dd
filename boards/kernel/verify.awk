# SPDX-License-Identifier: GPL-2.0-only
#
# verify.awk OPTIONS CONFIG FRAGMENT...
# Prints each request of the fragments that the configuration does not grant.
# OPTIONS lists the options that the kernel has, one name a line.

# The option's name and value in a line of a configuration. An option that is
# off, or not there because something it needs is off, has the value n.
function parse(line) {
	name = ""
	if (match(line, /^CONFIG_[A-Za-z0-9_]+=/)) {
		name = substr(line, 8, RLENGTH - 8)
		value = substr(line, RLENGTH + 1)
	} else if (match(line, /^# CONFIG_[A-Za-z0-9_]+ is not set$/)) {
		name = substr(line, 10, RLENGTH - 20)
		value = "n"
	}
	return name != ""
}

FNR == 1 { file++ }

file == 1 { known[$1] = 1; next }

file == 2 { if (parse($0)) has[name] = value; next }

parse($0) {
	if (!(name in want))
		order[++n] = name
	want[name] = value
	where[name] = FILENAME ":" FNR
	sub(/.*\//, "", where[name])
}

END {
	for (i = 1; i <= n; i++) {
		name = order[i]
		is = name in has ? has[name] : "n"
		if (!(name in known))
			printf "%s: CONFIG_%s: this kernel has no such option\n", where[name], name
		else if (is != want[name])
			printf "%s: CONFIG_%s=%s: it is %s\n", where[name], name, want[name], is
	}
}
