// SPDX-License-Identifier: GPL-2.0
/*
 * cvm-fwd: the host and the firmware of a simulated confidential VM.
 * DESIGN.md section 5; the stream it serves: ../fw_proto.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/rand.h>

#include "azure_front.h"
#include "cleanup.h"
#include "fwd.h"

enum { EXIT_VIOLATION = 3 };

static struct fwd fwd = { .platform = FW_PLATFORM_SNP, .strict = true };
static unsigned int platform;
static bool running;
static uint8_t seed[32];
static bool seeded;

static int set_at_start(const struct fw_option *opt, const char *value, char *err)
{
	if (running)
		return opt_fail(err, "can only be set at start");
	if (!strcmp(opt->key, "platform"))
		return opt_choice(opt, value, err);
	seeded = true;
	return opt_hex(opt, value, err);
}

static void platform_changed(struct fwd *state)
{
	state->platform = platform & 1 ? FW_PLATFORM_TDX : FW_PLATFORM_SNP;
	state->paravisor = platform & 2;
}

const struct fw_option core_options[] = {
	{ "platform", "snp|tdx|azure-snp|azure-tdx: what is simulated (at start only)",
	  set_at_start, &platform, .choices = "snp|tdx|azure-snp|azure-tdx",
	  .changed = platform_changed },
	{ "strict", "0|1: page rules broken by the guest fail the run", opt_bool, &fwd.strict },
	{ "seed", "HEX: makes the chip's and the boot's secrets reproducible (at start only)",
	  set_at_start, seed, .max = sizeof(seed) },
	{ }
};

void violation(struct fwd *state, bool fatal, const char *fmt, ...)
{
	char text[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (fatal)
		state->violations++;
	else
		state->logged_violations++;
	fprintf(stderr, "cvm-fwd: VIOLATION: %s%s\n", text, fatal ? "" : " (strict=0: logged)");
	if (state->log)
		fprintf(state->log, "VIOLATION: %s\n", text);
}

void fwd_derive(const uint8_t secret[32], const char *info, void *out, size_t len)
{
	EVP_KDF *kdf __clean(kdf) = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx __clean(kdf_ctx) = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, 32),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, strlen(info)),
		OSSL_PARAM_construct_end(),
	};

	/* a firmware that goes on with a zero key would prove the wrong thing */
	if (!ctx || EVP_KDF_derive(ctx, out, len, params) <= 0) {
		fprintf(stderr, "cvm-fwd: OpenSSL has no HKDF\n");
		abort();
	}
}

static int make_secrets(void)
{
	int lock __clean(fd) = pki_lock(fwd.state_dir);

	if (lock < 0)
		return -1;
	if (seeded) {
		fwd_derive(seed, "chip", fwd.chip_secret, sizeof(fwd.chip_secret));
		fwd_derive(seed, "boot", fwd.boot_secret, sizeof(fwd.boot_secret));
	} else {
		RAND_bytes(fwd.boot_secret, sizeof(fwd.boot_secret));
		if (pki_load_file(fwd.state_dir, "chip.secret", fwd.chip_secret, 32) != 32) {
			RAND_bytes(fwd.chip_secret, sizeof(fwd.chip_secret));
			if (pki_save_file(fwd.state_dir, "chip.secret", fwd.chip_secret, 32))
				return -1;
		}
	}
	fwd_derive(fwd.boot_secret, "boot id", fwd.boot_id, sizeof(fwd.boot_id));
	return 0;
}

static const char *default_state_dir(void)
{
	static char path[4000];
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (cache && *cache)
		snprintf(path, sizeof(path), "%s/cvm-fwd", cache);
	else
		snprintf(path, sizeof(path), "%s/.cache/cvm-fwd", home ? home : "");
	return path;
}

static void usage(FILE *out)
{
	fprintf(out,
		"usage: cvm-fwd --listen SOCKET | --device PATH [OPTION...] [KEY=VALUE...]\n"
		"       cvm-fwd --bridge DEVICE PORT\n"
		"The host and the firmware of a simulated confidential VM.\n\n"
		"  --listen SOCKET     serve any number of clients on a UNIX socket\n"
		"  --device PATH       serve the simulator's device inside the VM\n"
		"  --bridge DEV PORT   copy frames between the device and a port, both ways\n"
		"  --state DIR         certificates, keys and the chip's secret (default: %s)\n"
		"  --once              end when the last client has gone\n"
		"  --tpm PATH          azure: TPM commands here, control at PATH.ctrl, as libtss2's\n"
		"                      TCTI swtpm:path=PATH has them\n"
		"  --tpm-qemu PATH     azure: QEMU's TPM emulator, instead of swtpm's --ctrl\n"
		"  --tpm-state DIR     azure: the TPM's state; without it, a new TPM\n"
		"  --log FILE          write each message's key, IV and hash, and violations\n"
		"  --help              this text\n\n"
		"Exit status: 0, 1 it failed, 2 usage, 3 the guest broke a rule.\n\n"
		"KEY=VALUE, here or at run time:\n", default_state_dir());
	control_help(out);
}

static int bad_usage(const char *what, const char *arg)
{
	fprintf(stderr, "cvm-fwd: %s%s; see cvm-fwd --help\n", what, arg);
	return 2;
}

struct command_line {
	struct loop_config loop;
	const char *bridge_device, *bridge_port;
	const char *log;
	struct azure_sockets tpm;
};

/* the option's argument goes to *value */
static bool takes(const char *name, const char *arg, char ***argv, const char **value)
{
	if (strcmp(name, arg) || !(*argv)[1])
		return false;
	*value = *++*argv;
	return true;
}

static int parse(struct command_line *line, char **argv)
{
	char err[FWD_ERR];

	for (argv++; *argv; argv++) {
		const char *arg = *argv;

		if (!strcmp(arg, "--once"))
			line->loop.once = true;
		else if (takes("--bridge", arg, &argv, &line->bridge_device)) {
			if (!argv[1])
				return bad_usage("--bridge needs DEVICE and PORT", "");
			line->bridge_port = *++argv;
		} else if (*arg == '-') {
			if (!takes("--listen", arg, &argv, &line->loop.socket) &&
			    !takes("--device", arg, &argv, &line->loop.device) &&
			    !takes("--state", arg, &argv, &fwd.state_dir) &&
			    !takes("--tpm", arg, &argv, &line->tpm.plain) &&
			    !takes("--tpm-qemu", arg, &argv, &line->tpm.qemu) &&
			    !takes("--tpm-state", arg, &argv, &line->tpm.state) &&
			    !takes("--log", arg, &argv, &line->log))
				return bad_usage("unknown option, or its argument is missing: ", arg);
		} else if (control_set(&fwd, arg, err)) {
			return bad_usage(err, "");
		}
	}
	if (!line->bridge_device && !line->loop.socket == !line->loop.device)
		return bad_usage("one of --listen, --device, --bridge is needed", "");
	return 0;
}

static int start_platform(const struct command_line *line)
{
	if (make_secrets() ||
	    (fwd.platform == FW_PLATFORM_SNP ? snp_init(&fwd) : tdx_init(&fwd)))
		return -1;
	return fwd.paravisor ? azure_init(&fwd, line->tpm.state) : 0;
}

static int serve(const struct command_line *line)
{
	int ret;

	if (!fwd.state_dir)
		fwd.state_dir = default_state_dir();
	if (line->log) {
		fwd.log = fopen(line->log, "ae");
		if (!fwd.log) {
			fprintf(stderr, "cvm-fwd: cannot write %s: %s\n", line->log, strerror(errno));
			return 1;
		}
	}
	running = true;
	ret = start_platform(line);
	if (!ret)
		ret = loop_run(&fwd, &line->loop);
	if (fwd.paravisor)
		azure_exit();
	if (fwd.log)
		fclose(fwd.log);
	if (fwd.violations) {
		fprintf(stderr, "cvm-fwd: %llu violation(s)\n", (unsigned long long)fwd.violations);
		return EXIT_VIOLATION;
	}
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	static struct command_line line;
	int ret;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		usage(stdout);
		return 0;
	}
	ret = parse(&line, argv);
	if (ret)
		return ret;
	signal(SIGPIPE, SIG_IGN);
	if (fwd.paravisor)
		line.loop.tpm = &line.tpm;
	if (line.bridge_device)
		return bridge_run(line.bridge_device, line.bridge_port) ? 1 : 0;
	return serve(&line);
}
