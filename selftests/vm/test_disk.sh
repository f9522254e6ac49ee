# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Tests of `run --disk`: a Debian with its own init keeps the promises of every
# run. Sourced by test.

disk_usage_tests()
{
	local args

	: >"$tmp/image"
	while read -r args; do
		# shellcheck disable=SC2086 # words
		vm $args
		ok "usage: '$args' exits 2" is 2
	done <<-END
		--disk /nonexistent -- true
		--read-only -- true
		--data /nonexistent -- true
		--data $tmp/image -- true
		--disk $tmp/image --driver cvm -- true
		--disk $tmp/image --kexec -- true
	END
	vm --disk "$tmp/image" -- true
	ok 'an image without a kernel is refused' is 1
	ok 'and is named' said "$tmp/image: /vmlinuz names no kernel"
}

# machine OPTION... -- COMMAND...
machine()
{
	vm --disk "$tmp/disk" --memory 1024 --timeout 300 "$@"
}

on_disk()
{
	[ -n "$(debugfs -R "stat $1" "$tmp/disk" 2>/dev/null)" ]
}

not()
{
	! "$@"
}

make_machine()
{
	(
		# shellcheck source=selftests/vm/lib.sh
		. selftests/vm/lib.sh
		# shellcheck source=selftests/vm/fetch.sh
		. selftests/vm/fetch.sh
		# shellcheck source=selftests/vm/root.sh
		. selftests/vm/root.sh
		# shellcheck source=selftests/vm/machine.sh
		. selftests/vm/machine.sh
		new_machine 6.12 "$tmp/machine" && machine_disk "$tmp/machine" "$tmp/disk"
	) >"$tmp/err" 2>&1
	status=$?
	ok 'a Debian machine' is 0
}

disk_tests()
{
	local KVER

	make_machine
	selftests/vm/module 6.12 fixture >"$tmp/err" 2>&1
	eval "$(selftests/vm/kernel 6.12)"
	machine --platform snp -- sh -c 'echo to stdout; echo to stderr >&2; echo >/kept; exit 37'
	ok 'the exit status is the command'"'"'s' is 37
	ok 'stdout is the command'"'"'s alone' out_is 'to stdout'
	ok 'stderr is the command'"'"'s alone' err_is 'to stderr'
	ok 'what it wrote is in the image' on_disk /kept

	echo inner >"$tmp/file"
	machine --read-only --put "$tmp/file:/run/vm/in" --get "/run/vm/in:$tmp/back" -- \
		sh -c 'grep -qx inner /run/vm/in && ! touch /x 2>/dev/null && systemctl is-system-running --wait'
	ok 'a file put and got back, with a root that is not written to' same "$tmp/file" "$tmp/back"
	machine --put "$tmp/file:/etc/in" -- true
	ok 'a file cannot be put onto the disk' is 2

	for what in warn oops hang; do
		machine --put "build/modules/$KVER/cvm_vm_fixture.ko:/run/vm/f.ko" --timeout 240 -- \
			sh -c "echo >/$what; sync; insmod /run/vm/f.ko do=$what; sleep 1"
		ok "$what: fails the run" is 125
		ok "$what: is shown" said 'fixture_init'
		ok "$what: the image is as it was" not on_disk "/$what"
	done
	machine --timeout 100 -- sh -c 'echo early; sleep 1000'
	ok 'a command that does not end is status 124' is 124
	ok 'and what it had said is there' out_is early
	machine --platform snp --put "build/modules/$KVER/cvm_vm_fixture.ko:/run/vm/f.ko" -- insmod /run/vm/f.ko do=leak
	ok 'a shared page given back to the allocator fails the run' is 125
	ok 'and is shown' said VIOLATION
}
