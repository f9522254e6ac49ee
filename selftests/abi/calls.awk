# SPDX-License-Identifier: GPL-2.0
# calls.awk -v where='SNP 6.12' drop-in.rst IN-TREE OURS: compares what two
# drivers have answered, line by line, and says in TAP whether they differ in
# nothing but what the table in drop-in.rst has, and in all of that; with part=1, in
# nothing else, for calls that are a part of those.

function unquoted(text)
{
	gsub(/`/, "", text)
	sub(/^ +/, "", text)
	sub(/ +$/, "", text)
	return text
}

# of a row: "SNP", or "SNP, 6.12"
function applies(row,    words, i, count)
{
	count = split(row, words, /, */)
	for (i = 1; i <= count; i++)
		if (index(" " where " ", " " words[i] " ") == 0)
			return 0
	return 1
}

function end_row(    id)
{
	if (fields != 5 || cell[1] == "call" || !applies(cell[2]))
		return
	id = cell[1] SUBSEP cell[3] SUBSEP cell[4]
	listed[id] = cell[1] ": " cell[3] ", here " cell[4]
	seen[id] = 0
}

function result(good, name)
{
	print (good ? "ok " : "not ok ") ++n " - " name
}

# what comes of a call, without what is in memory after it
function outcome(line)
{
	sub(/^.* => /, "", line)
	sub(/ \|.*$/, "", line)
	return line
}

function asked(line)
{
	sub(/ => .*$/, "", line)
	return line
}

function compare(theirs, ours,    words, id)
{
	if (asked(theirs) != asked(ours)) {
		unlike++
		return
	}
	if (theirs == ours)
		return
	split(theirs, words, " ")
	id = words[2] SUBSEP outcome(theirs) SUBSEP outcome(ours)
	if (id in listed) {
		seen[id]++
		return
	}
	if (++unlisted <= 20)
		report[unlisted] = "# in-tree: " theirs "\n# here:    " ours
}

FNR == 1 { file++ }
file == 1 && /^   \* - / { end_row(); fields = 1; cell[1] = unquoted(substr($0, 7)); next }
file == 1 && /^     - / { cell[++fields] = unquoted(substr($0, 8)); next }
file == 1 && /^[^ ]/ { end_row(); fields = 0 }
file == 2 { theirs[++count] = $0 }
file == 3 { ours[++ours_count] = $0 }

END {
	for (i = 1; i <= count && i <= ours_count; i++)
		compare(theirs[i], ours[i])
	result(count >= least && count == ours_count && !unlike,
	       count + 0 " calls, " ours_count + 0 " here, the same ones")
	result(count >= least && !unlisted, "none differs that is not in the table")
	for (i = 1; i <= unlisted && i <= 20; i++)
		print report[i]
	if (unlisted > 20)
		print "# and " unlisted - 20 " more"
	for (id in listed)
		if (!part)
			result(seen[id] > 0, "differs as the table says: " listed[id])
	print "1.." n
}
