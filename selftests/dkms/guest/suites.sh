# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# suites.sh: autopkgtest thinks that it must not break this machine, and is told
# that it may.
# shellcheck source=selftests/dkms/guest/lib.sh
. /run/vm/guest/lib.sh

autopkgtest --no-built-binaries --ignore-restrictions=isolation-machine --test-name=load --test-name=library \
	/run/vm/src -- null >$log 2>&1
result $? 'autopkgtest'
grep -q '^load  *PASS' $log
result $? 'autopkgtest: load passes'
grep -q '^library  *PASS' $log
result $? 'autopkgtest: library passes'

driver cvm_guest 'after that'
# thousands of signatures that nothing of this machine goes into: an hour in an emulator
slow='^test_\(mutations\|verify\|policy\)'
# shellcheck disable=SC2046 # names of programs are words
/run/vm/kselftest/run_kselftest.sh /run/vm/kselftest/tests \
	$(grep -v -e '^#' -e '^$' -e "$slow" -e '^driver_members$' \
		/run/vm/kselftest/kselftest.list) >/run/vm/all 2>&1
rc=$?
# what failed, and why, of thousands of lines
grep -e '^not ok' -e '^    not ok' -e '^    # .*:Expected' /run/vm/all >$log
result $rc 'run_kselftest.sh'
grep -v '^    ' /run/vm/all >/run/vm/ktap
head -n 1 /run/vm/ktap | grep -qx 'TAP version 13'
result $? 'it says TAP version 13'
[ "$(sed -n 's/^1\.\.//p' /run/vm/ktap)" = "$(grep -c '^ok [0-9]* selftests: cvm: ' /run/vm/ktap)" ]
result $? 'as many results as planned, all ok'
# those that are for another platform
sed -n 's/^ok [0-9]* selftests: cvm: \(.*\) # SKIP.*/\1/p' /run/vm/ktap | tr '\n' ' ' >/run/vm/skipped
[ "$(cat /run/vm/skipped)" = 'driver_tdx driver_keep_tdx driver_key_tdx driver_turns ' ]
result $? "skipped: $(cat /run/vm/skipped)"
driver cvm_guest 'after that'
evidence cvm 'after that'
# after which there is none until the next boot
/run/vm/kselftest/run_kselftest.sh /run/vm/kselftest/tests driver_members >$log 2>&1
result $? 'run_kselftest.sh driver_members'
end
