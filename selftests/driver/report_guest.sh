#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the VM: runs programs of the kselftest harness and prints one TAP.
#   report_guest.sh "PROGRAM [OPTION...]"...
log=/tmp/report_guest.log
: >$log
for program; do
	echo "# $program" >>$log
	# shellcheck disable=SC2086
	$program >>$log 2>&1 ||
		echo "# $program ended with $?" >>$log
done
# a program that died without its plan has fewer results than it has tests
awk '
/^1\.\.[0-9]+/ { want += substr($1, 4); next }
/^TAP version/ || /^# +(RUN|OK) / { next }
/^(not )?ok [0-9]+/ { sub(/ok [0-9]+/, "ok " ++n) }
{ print }
END {
	if (n != want || !want)
		print "not ok " ++n " - " n - 1 " results of " want " tests"
	print "1.." n
}' $log
