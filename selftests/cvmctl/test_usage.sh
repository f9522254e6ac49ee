#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl before it asks for anything: help, options, values, exit status.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/lib.sh"

data=$(hex64 ab)

# the commands, as cvmctl itself lists them
mapfile -t commands < <("$cvmctl" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }')
[[ ${#commands[@]} -ge 4 ]]
result $? "there are commands: ${commands[*]}"
try 0 '' 'cvmctl --help' --help
try 0 '' 'cvmctl --version' --version
grep -qE '^cvmctl [0-9]+\.[0-9]+\.[0-9]+$' "$dir/stdout"
result $? "the version is a version"
"$cvmctl" >/dev/null 2>"$dir/stderr"
result "$([[ $? == 2 && $(head -n 1 "$dir/stderr") == usage:* ]]; echo $?)" "cvmctl alone: usage on stderr"
try 2 "'reports' is no command" 'an unknown command' reports

for command in "${commands[@]}"; do
	try 0 '' "$command --help" "$command" --help
	head -n 1 "$dir/stdout" | grep -q "^usage: cvmctl $command"
	result $? "$command: its help begins with its usage"
	try 2 '--nonsense is no option here; see --help' "$command: an unknown option" "$command" --nonsense
done

try 2 '--report-data is missing' 'report without REPORT_DATA' report
try 2 '--report-data needs an argument' 'an option without its argument' report --report-data
try 2 '--report-data is given twice' 'an option twice' report --report-data "$data" --report-data "$data"
try 2 'one operand too many' 'an operand that nobody wants' report --report-data "$data" stray
try 2 'is missing' 'module without an action' module
try 2 "'reload' is neither" 'module with an unknown action' module reload
try 2 '1 bytes, 64 are expected' 'too short' report --report-data ab
try 2 '65 bytes are too many, 64 are expected' 'too long' report --report-data "${data}00"
try 2 '65 bytes are too many' 'too long, padding or not' report --pad --report-data "${data}00"
try 2 "character 3 \('x'\) is no hexadecimal digit" 'not hexadecimal' report --report-data abxx
try 2 '3 hexadecimal digits, an odd number' 'an odd number of digits' report --report-data abc
try 2 '0 bytes, 64 are expected' 'empty' report --report-data ''
try 1 '/nonexistent: cannot be read: No such file' 'a file that is not there' report --report-data @/nonexistent
try 1 '/: cannot be read: Is a directory' 'a directory' report --report-data @/
try 1 'longer than' 'a file without an end' report --report-data @/dev/zero
try 2 '0 bytes, 64 are expected' 'an empty file' report --report-data @/dev/null
head -c 63 /dev/zero >"$dir/63"
try 2 '63 bytes, 64 are expected' 'a file that is a byte short' quote --report-data "@$dir/63"
try 2 "--vmpl: '4' is not a number from 0 to 3" 'VMPL 4' report --report-data "$data" --vmpl 4
try 2 "--vmpl: '-1' is no number" 'VMPL -1' report --report-data "$data" --vmpl -1
try 2 "--vmpl: '' is not a number" 'VMPL nothing' report --report-data "$data" --vmpl ''
try 2 "is not a number from 0 to" 'a number beyond 64 bits' report --report-data "$data" --timeout 99999999999999999999
try 2 "--key: 'vrek' is neither" 'an unknown key' report --report-data "$data" --key vrek
try 2 "--format: 'xml' is neither" 'an unknown format' quote --report-data "$data" --format xml
try 2 "'magic' is no backend" 'an unknown backend' report --report-data "$data" --backend magic
unset CVM_SIM
try 4 'sim:SOCKET' 'the simulator without a socket' status --backend sim
try 4 'no cvm-fwd listens there' 'the simulator, not running' status --backend "sim:$dir/none"
try 4 'the cvm-guest driver is not loaded' 'a source that is not there' status --backend cvm

# keys and disks; what needs a platform is in selftests/keys
try 2 'one of --keyring and --out' 'a key that goes nowhere' key derive
try 2 'one of --keyring and --out' 'a key that goes to two places' key derive --keyring user --out "$dir/k"
try 2 '--name is missing' 'a key without a name' key derive --keyring user
try 2 "is not 1 to 64 letters" 'a name that is not one' key derive --keyring user --name 'a b'
try 2 "--keyring: 'home' is no number" 'no such keyring' key derive --keyring home --name k
try 2 "'8' is not a number|'8' is none|16 is the least" 'too short a key' key derive --out "$dir/k" --length 8
try 2 '65 bytes|more than 64' 'too long a salt' key derive --out "$dir/k" --salt "${data}00"
try 2 'is none of its words' 'no such purpose' key derive --out "$dir/k" --purpose signing
try 2 'no list of policy' 'no such mix' disk open d /dev/null --record r --mix policy,everything
try 2 '7 bytes, 8 are expected' 'a TCB that is a byte short' disk open d /dev/null --record r --min-tcb "${data:0:14}"
try 2 'neither vcek nor vmrk' 'no such root' disk open d /dev/null --record r --root vlek
try 2 'say what the launch measurement covers' 'format, and nobody says what is measured' \
	disk format d /dev/null --record r
try 2 'any guest on this chip' 'a mix without the measurement' disk open d /dev/null --record r --mix policy
try 4 'whoever runs the same firmware' 'format, and the firmware alone is measured' \
	disk format d /dev/null --record r --system firmware
try 2 'neither measured nor firmware' 'no such system' disk format d /dev/null --record r --system any
try 2 'svn is not in --mix' 'an SVN that is not mixed in' key derive --out "$dir/k" --mix policy --svn 1
try 2 'mit is not in --mix' 'a mitigation that is not mixed in' \
	key derive --out "$dir/k" --mix policy --mit "${data:0:16}"
try 2 'is no name of a disk' 'a name that is a path' disk open ../d /dev/null --record r
try 2 'is no name of a disk' 'too long a name' disk open "$(printf 'x%.0s' {1..49})" /dev/null --record r
try 2 '--record is missing' 'a disk without a record' disk open d /dev/null
try 2 'DEVICE is missing' 'a disk on nothing' disk open d --record r
try 2 'takes no DEVICE' 'close, and a device' disk close d /dev/null
try 2 'NAME is missing' 'close, and no name' disk close
try 2 'takes no --json' 'an option that another action has' disk temporary d /dev/null --json
try 2 'takes no --temporary' 'only close is of temporary disks alone' disk status d --temporary
try 2 'is no name of a disk' "device-mapper's own node" disk close control
try 2 'is none of format' 'no such action' disk resize d
try 1 'is no block device' 'a file is no device' disk format d "$dir/63" --record "$dir/r" --system measured
try 1 "$dir/r: cannot read: No such file" 'a record that is not there' disk open d /dev/null --record "$dir/r"
echo '{}' >"$dir/r"
try 1 "$dir/r: key record: " 'a record that is none' disk open d /dev/null --record "$dir/r"

# key release; what needs a TPM is in selftests/skr
kid=https://vault.example/keys/disk/0123abcd
opened=(skr open --state "$dir/s" --in "$dir/63" --trust-root "$dir/63" --name k --keyring user)
try 2 "'fetch' is none of prepare, request, open" 'no such action' skr fetch
try 2 'skr prepare: --state is missing' 'a release without a state' skr prepare --kid $kid
try 2 'skr prepare: --kid is missing' 'of no key' skr prepare --state "$dir/s"
try 2 'is no https://HOST/keys/NAME/VERSION' 'of a key without a version' \
	skr prepare --state "$dir/s" --kid ${kid%/*}
try 2 "--enc: 'RSA1_5' is none" 'no such wrapping' skr prepare --state "$dir/s" --kid $kid --enc RSA1_5
try 2 "--form: 'guest' is none" 'no such form' skr prepare --state "$dir/s" --kid $kid --form guest
try 2 'without 4 and 7' 'PCRs that say nothing' skr prepare --state "$dir/s" --kid $kid --pcrs 8,9
try 2 'skr request takes no --kid' 'an option that another action has' \
	skr request --state "$dir/s" --in "$dir/63" --kid $kid
try 2 'skr open: --trust-root is missing' "nobody's signature" \
	skr open --state "$dir/s" --in "$dir/63" --name k --keyring user
try 2 "--type: 'big_key' is neither" 'no such type' "${opened[@]}" --type big_key
try 2 "is no time" 'no time' "${opened[@]}" --at yesterday
# OpenSSL takes these for any host, and for any below one
for host in '' .vault.example vault -vault.example 'vault.example ' Vault.example; do
	try 2 "--host: '$host' is no host name" "host '$host'" "${opened[@]}" --host "$host"
done
try 1 "$dir/63: " 'roots that are none' "${opened[@]}"

finish
