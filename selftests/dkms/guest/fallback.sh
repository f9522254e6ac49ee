# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# fallback.sh build|headers|refused VERSION: this kernel runs without our module.
# shellcheck source=selftests/dkms/guest/lib.sh
. /run/vm/guest/lib.sh
cause=$1 version=$2
is_snp && own=sev_guest || own=tdx_guest
# as a regular expression: most releases have a + in them
release=$(echo "$kernel" | sed 's/[.+]/\\&/g')

# doctor_says SEVERITY CHECK CAUSE [COMMAND]: such a finding, and what it says to
# do; or that no command would help
doctor_says()
{
	grep -A 1 -E "^$1 +$2[a-z-]* +.*$3" /run/vm/doctor >/run/vm/said &&
		if [ "${4-}" ]; then
			grep -qE "run: $4" /run/vm/said
		else
			! grep -q 'run: ' /run/vm/said
		fi
	rc=$?
	cp /run/vm/doctor $log
	result $rc "doctor: $2: $3: ${4:-no command}"
}

# what README has a user do; nothing is lost when ours does not come
take_over()
{
	modprobe -r "$1" >$log 2>&1 && modprobe "$1" >>$log 2>&1
	result $? "modprobe -r $1 && modprobe $1"
	driver "$own" "the kernel's own, again"
	evidence '' 'from whatever there is after that'
}

cvmctl doctor >/run/vm/doctor 2>&1
status=$?
if [ -n "$(find /lib/modules/"$kernel"/kernel/ -name 'sev-guest.ko*')" ]; then
	driver "$own" "the kernel's own"
	waited
	evidence '' 'from whatever there is'
	evidence tsm 'configfs-tsm'
	[ ! -e /dev/cvm ]
	result $? 'nothing pretends to be our driver'
	doctor_says warning driver "the kernel's own .* has the platform"
	take_over "$(echo "$own" | tr _ -)"
else
	driver '' 'the kernel has none'
	cvmctl report --report-data "$(od -An -v -tx1 -N64 /dev/urandom | tr -d ' \n')" \
		--out /run/vm/none >$log 2>&1
	[ $? = 4 ] && grep -q 'no source of evidence' $log
	result $? 'no evidence, and cvmctl says so'
	[ $status = 1 ]
	result $? 'doctor: calls that unsafe'
	doctor_says unsafe driver 'no driver is loaded: there is no evidence'
fi

case $cause in
build)	doctor_says warning module "no cvm_guest for kernel $release: .*make.log" \
		"dkms install cvm-guest/$version -k $release" ;;
headers) doctor_says warning module "no cvm_guest for kernel $release: its headers are not installed" \
		"apt-get install linux-headers-$release" ;;
refused)
	doctor_says warning signature 'signed modules.* not signed' '(mokutil --import|dkms build)'
	cvmctl module load >$log 2>&1
	[ $? = 1 ] && grep -q 'refuses its signature' $log
	result $? 'cvmctl module load: says why, unsigned'
	# with the key that DKMS made on this machine, which nobody has enrolled
	cp /var/cache/signed/* "$(modinfo -n cvm_guest)"
	[ -n "$(modinfo -F signer cvm_guest)" ] && cvmctl module load >$log 2>&1
	[ $? = 1 ] && grep -q 'refuses its signature' $log
	result $? 'cvmctl module load: says why, signed with a key of nobody' ;;
esac
end
