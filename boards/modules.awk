# SPDX-License-Identifier: GPL-2.0-only
#
# Adds modules to those of a kernel, for modprobe.
#
#   awk -v dir=DIR -v aliases=FILE -v loaded=NAME -f boards/modules.awk MODINFO MODULES_DEP
#
# MODINFO is what modinfo says of the modules that are added, which will be in
# the folder DIR; MODULES_DEP is the kernel's own list. The new list goes to
# stdout, and the aliases of what is added to FILE, in modprobe's language. The
# module NAME is always there: nothing that is added brings it or takes it along.

# Modules that differ in this only are the same.
function module_name(path) {
	sub(/.*\//, "", path)
	sub(/\.ko.*/, "", path)
	gsub(/-/, "_", path)
	return path
}

function needs_also(name, list,    words, n, i) {
	n = split(list, words, /[ ,]+/)
	for (i = 1; i <= n; i++)
		if (words[i] != "")
			needs[name] = needs[name] " " module_name(words[i])
}

FNR == NR && $1 == "filename:" {
	file = $0
	sub(/.*[\/ ]/, "", file)
	name = module_name(file)
	added[++nr_added] = name
	path[name] = dir "/" file
	next
}

FNR == NR && $1 == "alias:" {
	print "alias", $2, name >aliases
	next
}

FNR == NR && $1 == "depends:" {
	needs_also(name, $2)
	next
}

# The modprobe on a board knows no soft dependencies: those that come first are
# made hard ones; those that come after cannot be.
FNR == NR && $1 == "softdep:" {
	list = $0
	sub(/.*pre: */, "", list) || list = ""
	sub(/post:.*/, "", list)
	needs_also(name, list)
	next
}

FNR == NR {
	next
}

# Ours replace the kernel's of that name.
{
	split($0, half, /: */)
	name = module_name(half[1])
	if (name in path && !(name in stock))
		next
	stock[name] = 1
	path[name] = half[1]
	needs_also(name, half[2])
	print
}

# modprobe loads a line's modules from its end to its beginning.
function visit(name,    words, n, i) {
	if (name in visited || !(name in path) || name == loaded)
		return
	visited[name] = 1
	n = split(needs[name], words, " ")
	for (i = n; i > 0; i--)
		visit(words[i])
	line = path[name] " " line
}

END {
	for (i = 1; i <= nr_added; i++) {
		delete visited
		line = ""
		visit(added[i])
		sub(/ /, ": ", line)
		print line
	}
}
