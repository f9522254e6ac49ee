# SPDX-License-Identifier: MIT
# libcvmguest (shared and static), cvmctl, cvm-agent, and what is installed with them.
# Every .c file of a directory belongs to it: a new file needs no line here.

# each in a directory of its own: ASan and UBSan, TSan, line counts for gcov, fuzzers
ifdef SAN
B      := build/san
CFLAGS += -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	  -fno-omit-frame-pointer
else ifdef TSAN
B      := build/tsan
CFLAGS += -O1 -fsanitize=thread
else ifdef COV
B      := build/cov
CFLAGS += -O0 --coverage -fprofile-update=atomic
else ifdef FUZZ
B      := build/fuzz
CLANG  ?= clang
CC     := $(CLANG)
CFLAGS += -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
endif

prefix  ?= /usr/local
bindir  ?= $(prefix)/bin
libdir  ?= $(prefix)/lib
incdir  ?= $(prefix)/include
mandir  ?= $(prefix)/share/man
docdir  ?= $(prefix)/share/doc
sysdir  ?= $(prefix)/lib
etcdir  ?= /etc
dkmsdir ?= /usr/src
compdir ?= $(prefix)/share/bash-completion/completions
clientdir ?= $(prefix)/share/cvm-guest/verifiers
# neither looks below /usr/local
initramfsdir ?= $(etcdir)/initramfs-tools
dracutdir    ?= /usr/lib/dracut/modules.d

lib-soname := libcvmguest.so.0
lib-dirs   := common formats verify lib
# what asks the host's own service for a quote; all else that is fetched is cvmctl's
lib-fetch  := $(addprefix userspace/fetch/,curl.c http.c imds.c)
lib-src    := $(foreach d,$(lib-dirs),$(wildcard userspace/$d/*.c)) $(lib-fetch)
# derived and released keys, and disks: cvmctl's alone, so that the library needs nothing of theirs
key-src    := $(wildcard userspace/keys/*.c userspace/disk/*.c userspace/skr/*.c)
ctl-src    := $(wildcard userspace/cvmctl/*.c) $(key-src) \
	      $(filter-out $(lib-fetch),$(wildcard userspace/fetch/*.c))
agent-src  := $(wildcard userspace/agent/*.c)
# sources, for who has Go or Rust: not what their tools leave beside them
client-src := $(wildcard $(addprefix userspace/clients/,go/*/*.go go/*/go.mod rust/*/Cargo.toml \
	      rust/*/src/*.rs))
# the tree of a batch is the driver's own code
lib-obj    := $(lib-src:%.c=$(B)/obj/%.o) $(B)/obj/userspace/merkle.o
ctl-obj    := $(ctl-src:%.c=$(B)/obj/%.o)
key-obj    := $(key-src:%.c=$(B)/obj/%.o)
agent-obj  := $(agent-src:%.c=$(B)/obj/%.o)

# manual pages and completion are made from the tables of cvmctl: man/generate.c
man-pages  := $(patsubst userspace/man/%.man,$(B)/man/%.1,$(wildcard userspace/man/*.man)) \
	      $(B)/man/libcvmguest.3 $(B)/man/cvm_guest.4 $(B)/man/cvm-policy.5 \
	      $(B)/man/cvm-collateral.5 $(B)/man/cvm-tempdisk@.service.8 $(B)/man/cvm-root.8 \
	      $(B)/man/cvm-agent.8 $(B)/man/cvm-credential.service.8
api-headers := userspace/include/cvmguest.h userspace/include/cvmguest/batch.h \
	       userspace/include/cvmguest/verify.h
gen-obj    := $(B)/obj/userspace/man/generate.o $(filter-out %/cvmctl/cvmctl.o,$(ctl-obj))

user-cflags := -Iuserspace -Iuserspace/include -Idriver/uapi -iquote . -fPIC -fvisibility=hidden \
	       -DCVM_VERSION='"$(VERSION)"' -DCVM_DATE='"$(DATE)"'
lib-libs    := -lcrypto -ljansson -ltss2-mu -ltss2-esys -ltss2-tcti-device -ltss2-tctildr
key-libs    := -lkeyutils -ldevmapper
agent-libs  := -lmicrohttpd -lseccomp $(lib-libs)
ctl-libs    := -lkmod $(key-libs) -llzma -lm $(lib-libs)

user-programs += $(B)/bin/cvmctl $(B)/bin/cvm-agent $(B)/lib/$(lib-soname) $(B)/lib/libcvmguest.so \
		 $(B)/lib/libcvmguest.a $(B)/lib/libcvmguest.pc $(man-pages) \
		 $(B)/completion/cvmctl

$(B)/obj/userspace/%.o: userspace/%.c userspace/build.mk
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) $(user-cflags) -c -o $@ $<

$(B)/obj/userspace/merkle.o: driver/merkle.c userspace/build.mk
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) $(user-cflags) -c -o $@ $<

# made afresh: an object of a file that is gone must not stay in it
$(B)/lib/libcvmguest.a: $(lib-obj)
	@mkdir -p $(@D)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $(lib-obj)

$(B)/lib/$(lib-soname): $(lib-obj) userspace/lib/libcvmguest.map
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(lib-soname) -Wl,-z,relro,-z,now \
		-Wl,--version-script=userspace/lib/libcvmguest.map \
		$(if $(SAN)$(TSAN),,-Wl,--no-undefined) -Wl,--as-needed -o $@ $(lib-obj) $(lib-libs)

$(B)/lib/libcvmguest.so: $(B)/lib/$(lib-soname)
	$(Q)ln -sf $(lib-soname) $@

$(B)/lib/libcvmguest.pc: userspace/lib/libcvmguest.pc.in userspace/build.mk Makefile
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)sed -e 's|@prefix@|$(prefix)|' -e 's|@libdir@|$(libdir)|' -e 's|@incdir@|$(incdir)|' \
		-e 's|@VERSION@|$(VERSION)|' $< >$@

# the static library: cvmctl uses parts that the shared one does not export
$(B)/bin/cvmctl: $(ctl-obj) $(B)/lib/libcvmguest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,-z,relro,-z,now -Wl,--as-needed -o $@ $^ $(ctl-libs)

# likewise
$(B)/bin/cvm-agent: $(agent-obj) $(B)/lib/libcvmguest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,-z,relro,-z,now -Wl,--as-needed -o $@ $^ $(agent-libs)

$(B)/gen/generate: $(gen-obj) $(B)/lib/libcvmguest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--as-needed -o $@ $^ $(ctl-libs)

$(B)/man/cvmctl.1: userspace/man/cvmctl.man $(B)/gen/generate
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)$(B)/gen/generate page <$< >$@

$(B)/man/cvmctl-%.1: userspace/man/cvmctl-%.man $(B)/gen/generate
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)$(B)/gen/generate page $* <$< >$@

$(filter %.4 %.5 %.8,$(man-pages)): $(B)/man/%: userspace/man/%.in Makefile
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)sed -e 's|@DATE@|$(DATE)|' -e 's|@VERSION@|$(VERSION)|' $< >$@

$(B)/man/libcvmguest.3: userspace/man/libcvmguest.3.in userspace/man/functions.awk $(api-headers) Makefile
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)awk -f userspace/man/functions.awk $(api-headers) >$@.functions
	$(Q)sed -e 's|@DATE@|$(DATE)|' -e 's|@VERSION@|$(VERSION)|' \
		-e '/^@FUNCTIONS@$$/{r $@.functions' -e 'd}' $< >$@
	$(Q)rm $@.functions

$(B)/completion/cvmctl: userspace/completion/cvmctl.in $(B)/gen/generate
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)$(B)/gen/generate completion <$< >$@

install: user
	install -D -m 755 $(B)/bin/cvmctl $(DESTDIR)$(bindir)/cvmctl
	install -D -m 644 $(B)/lib/$(lib-soname) $(DESTDIR)$(libdir)/$(lib-soname)
	ln -sf $(lib-soname) $(DESTDIR)$(libdir)/libcvmguest.so
	install -D -m 755 $(B)/bin/cvm-agent $(DESTDIR)$(bindir)/cvm-agent
	install -D -m 644 $(B)/lib/libcvmguest.a $(DESTDIR)$(libdir)/libcvmguest.a
	install -D -m 644 $(B)/lib/libcvmguest.pc $(DESTDIR)$(libdir)/pkgconfig/libcvmguest.pc
	install -D -m 644 userspace/include/cvmguest.h $(DESTDIR)$(incdir)/cvmguest.h
	install -D -m 644 driver/uapi/linux/cvm_guest.h $(DESTDIR)$(incdir)/linux/cvm_guest.h
	install -D -m 644 driver/uapi/linux/cvm_guest_key.h $(DESTDIR)$(incdir)/linux/cvm_guest_key.h
	install -D -m 644 userspace/include/cvmguest/batch.h $(DESTDIR)$(incdir)/cvmguest/batch.h
	install -D -m 644 userspace/include/cvmguest/verify.h $(DESTDIR)$(incdir)/cvmguest/verify.h
	install -D -m 644 -t $(DESTDIR)$(mandir)/man1 $(filter %.1,$(man-pages))
	install -D -m 644 -t $(DESTDIR)$(mandir)/man3 $(B)/man/libcvmguest.3
	install -D -m 644 -t $(DESTDIR)$(mandir)/man4 $(B)/man/cvm_guest.4
	install -D -m 644 -t $(DESTDIR)$(mandir)/man5 $(filter %.5,$(man-pages))
	install -D -m 644 -t $(DESTDIR)$(mandir)/man8 $(filter %.8,$(man-pages))
	ln -sf cvm-tempdisk@.service.8 $(DESTDIR)$(mandir)/man8/cvm-swap@.service.8
	ln -sf cvm-credential.service.8 $(DESTDIR)$(mandir)/man8/cvm-credential.socket.8
	install -D -m 644 $(B)/completion/cvmctl $(DESTDIR)$(compdir)/cvmctl
	install -D -m 644 userspace/udev/modprobe.conf $(DESTDIR)$(sysdir)/modprobe.d/cvm-guest.conf
	install -D -m 644 userspace/udev/60-cvm-guest.rules $(DESTDIR)$(sysdir)/udev/rules.d/60-cvm-guest.rules
	install -D -m 644 userspace/systemd/sysusers.conf $(DESTDIR)$(sysdir)/sysusers.d/cvm-guest.conf
	install -D -m 644 userspace/agent/sysusers.conf $(DESTDIR)$(sysdir)/sysusers.d/cvm-agent.conf
	install -D -m 644 userspace/agent/openapi.yaml $(DESTDIR)$(docdir)/cvm-agent/openapi.yaml
	install -d $(DESTDIR)$(docdir)/libcvmguest-dev
	cp --parents $(wildcard $(addprefix examples/,README.md Makefile */*)) $(DESTDIR)$(docdir)/libcvmguest-dev
	chmod -R u=rwX,go=rX $(DESTDIR)$(docdir)/libcvmguest-dev
	install -D -m 644 -t $(DESTDIR)$(docdir)/libcvmguest-dev userspace/Documentation/verifiers.rst
	for file in $(client-src:userspace/clients/%=%); do \
		install -D -m 644 userspace/clients/$$file $(DESTDIR)$(clientdir)/$$file || exit; done
	install -D -m 644 -t $(DESTDIR)$(sysdir)/systemd/system $(wildcard userspace/agent/cvm-agent*.service) \
		$(wildcard userspace/agent/cvm-agent*.socket)
	install -D -m 644 -t $(DESTDIR)$(sysdir)/systemd/system userspace/systemd/cvm-tempdisk@.service \
		userspace/systemd/cvm-swap@.service userspace/systemd/cvm-guest-azure.service \
		userspace/systemd/cvm-credential.service userspace/systemd/cvm-credential.socket
	install -d $(DESTDIR)$(etcdir)/cvm-guest
	install -D -m 755 userspace/initramfs/hook $(DESTDIR)$(initramfsdir)/hooks/cvm-root
	install -D -m 755 userspace/initramfs/local-top $(DESTDIR)$(initramfsdir)/scripts/local-top/cvm-root
	install -D -m 755 userspace/initramfs/init-bottom $(DESTDIR)$(initramfsdir)/scripts/init-bottom/cvm-root
	install -D -m 644 userspace/initramfs/cvm-root.sh $(DESTDIR)$(initramfsdir)/scripts/cvm-root.sh
	install -D -m 755 -t $(DESTDIR)$(dracutdir)/90cvm-root userspace/initramfs/dracut/module-setup.sh \
		userspace/initramfs/dracut/cvm-root userspace/initramfs/dracut/cvm-root-check.sh \
		userspace/initramfs/dracut/cvm-root-open.sh userspace/initramfs/dracut/cvm-root-opened.sh \
		userspace/initramfs/dracut/cvm-root-finished.sh
	install -D -m 644 userspace/initramfs/cvm-root.sh $(DESTDIR)$(dracutdir)/90cvm-root/cvm-root.sh
	install -D -m 755 userspace/dkms/kernel-hook $(DESTDIR)$(etcdir)/kernel/postinst.d/cvm-guest
	install -D -m 755 userspace/dkms/kernel-hook $(DESTDIR)$(etcdir)/kernel/header_postinst.d/cvm-guest
	install -d $(DESTDIR)$(dkmsdir)/cvm-guest-$(VERSION)
	cp -r dkms.conf Kbuild driver $(DESTDIR)$(dkmsdir)/cvm-guest-$(VERSION)/
	chmod -R u=rwX,go=rX $(DESTDIR)$(dkmsdir)/cvm-guest-$(VERSION)

.PHONY: install

-include $(lib-obj:.o=.d) $(ctl-obj:.o=.d) $(agent-obj:.o=.d) $(B)/obj/userspace/man/generate.d
