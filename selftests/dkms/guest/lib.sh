# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# What the scripts in the machine share. Results have no numbers: the host gives
# them some. Sourced.
# shellcheck disable=SC2034 # for who sources this
kernel=$(uname -r)
log=/run/vm/log
: >$log

result()	# STATUS NAME
{
	if [ "$1" = 0 ]; then
		echo "ok - $2"
		return
	fi
	echo "not ok - $2"
	tail -n 30 $log | sed 's/^/# /'
}

is_snp()
{
	[ -e /sys/bus/platform/devices/sev-guest ]
}

# evidence BACKEND NAME: from it, or, if "", from whatever is there; verified,
# and for nothing else than was asked for
evidence()
{
	data=$(od -An -v -tx1 -N64 /dev/urandom | tr -d ' \n')
	if is_snp; then ask=report certs='--certs /run/vm/certs'; else ask=quote certs=; fi
	rm -f /run/vm/evidence
	# shellcheck disable=SC2086 # options
	cvmctl $ask ${1:+--backend $1} --report-data "$data" --out /run/vm/evidence $certs >$log 2>&1 &&
		cvmctl verify /run/vm/evidence $certs --report-data "$data" \
			--trust-root /run/vm/trust-root.pem --authenticity-only >$log 2>&1
	result $? "$2: evidence, verified"
	# shellcheck disable=SC2086
	cvmctl verify /run/vm/evidence $certs --report-data "00${data#??}" \
		--trust-root /run/vm/trust-root.pem --authenticity-only >$log 2>&1
	[ $? = 3 ]
	result $? "$2: for nothing else"
}

# loaded: the drivers that are, as words
loaded()
{
	for module in cvm_guest sev_guest tdx_guest; do
		[ ! -d /sys/module/$module ] || echo $module
	done
}

# driver WHO NAME: that one and no other
driver()
{
	udevadm settle
	loaded >$log
	[ "$(cat $log)" = "$1" ]
	result $? "$2: ${1:-no driver} is loaded"
}

# attest.service has waited for evidence, and has got it
waited()
{
	systemctl status attest.service >$log 2>&1
	[ -s /run/attest/evidence ]
	result $? 'a unit that waits for evidence got it at boot'
}

# rights MODE OWNER GROUP NODE
rights()
{
	stat -c '%a %U %G' "$4" >$log 2>&1
	[ "$(cat $log)" = "$1 $2 $3" ]
	result $? "$4 is $1 $2:$3"
}

# for whom they are; and units can wait for each, and for evidence by its name
nodes()
{
	local unit

	rights 660 root cvm /dev/cvm/batch
	rights 600 root root /dev/cvm/report
	rights 600 root root /dev/cvm/key
	for unit in dev-cvm-batch dev-cvm-report dev-cvm-key dev-cvm-evidence; do
		systemctl is-active $unit.device
	done >$log 2>&1
	[ "$(grep -cx active $log)" = 4 ]
	result $? 'units that wait for them go on'
}

# installed VERSION: what a machine with our packages is when it has booted
installed()
{
	driver cvm_guest 'by its modalias'
	[ "$(cat /sys/module/cvm_guest/version)" = "$1" ]
	result $? "it is version $1"
	waited
	systemctl --failed --no-legend >$log
	[ ! -s $log ]
	result $? 'no unit has failed'
	nodes
	evidence '' 'cvmctl'
	cvmctl status >$log 2>&1 && grep -qE '^backend +cvm$' $log
	result $? 'through our driver'
}

end()
{
	echo 'end of results'
}
