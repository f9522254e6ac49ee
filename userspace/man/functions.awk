# SPDX-License-Identifier: MIT
# The functions that a header declares, as man(7) source: of each its name, and what
# it does, by the first line of its kernel-doc or the first sentence of its comment.
/^\/\*/ { comment = ""; inside = 1 }
inside {
	line = $0
	gsub(/^\/\*+ ?|^ \* ?|\*\/$/, "", line)
	comment = comment line "\n"
	if (/\*\/$/) inside = 0
	next
}
/^CVM_API/ {
	match($0, /cvm_[a-z_0-9]+\(/)
	name = substr($0, RSTART, RLENGTH - 1)
	if (match(comment, name "\\(\\) - [^\n]*")) {
		what = substr(comment, RSTART + length(name) + 5, RLENGTH - length(name) - 5)
	} else {
		what = comment
		gsub(/\n/, " ", what)
		sub(/^ +/, "", what)
		sub(/[.:] .*/, "", what)
	}
	gsub(/@/, "", what)
	gsub(/-/, "\\-", what)
	if (what !~ /^(enum|struct) /)
		what = toupper(substr(what, 1, 1)) substr(what, 2)
	printf ".TP\n.BR %s ()\n%s.\n", name, what
}
