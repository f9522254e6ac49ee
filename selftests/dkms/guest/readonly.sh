# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# readonly.sh VERSION: nothing can be written to the root, /var is made anew at
# each boot, and all is as it should be nevertheless.
# shellcheck source=selftests/dkms/guest/lib.sh
. /run/vm/guest/lib.sh

! touch /usr/file 2>$log
result $? 'nothing can be written to the root'
installed "$1"
end
