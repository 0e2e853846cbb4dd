# SPDX-License-Identifier: GPL-2.0-only
#
# Leaves out of a program's KTAP the results that are good, with the
# diagnostics before them.

/^KTAP version / || /^1\.\.[0-9]/ { next }
/^ok [0-9]/ { kept = ""; next }
{ kept = kept $0 "\n" }
/^not ok/ { printf "%s", kept; kept = "" }
END { printf "%s", kept }
