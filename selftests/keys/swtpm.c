// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <tss2/tss2_tcti_swtpm.h>
#include <unistd.h>

#include "swtpm.h"

struct swtpm_wire *swtpm_wire;

static TSS2_TCTI_TRANSMIT_FCN swtpm_transmit;
static TSS2_TCTI_RECEIVE_FCN swtpm_receive;
/* of the command that is being answered */
static TPM2_CC command;

__attribute__((noreturn))
static void give_up(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

static void hear(const uint8_t *bytes, size_t len)
{
	if (swtpm_wire->len + len > sizeof(swtpm_wire->log))
		give_up("more has passed than the wire's log takes");
	memcpy(swtpm_wire->log + swtpm_wire->len, bytes, len);
	swtpm_wire->len += len;
}

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *tcti, size_t len, const uint8_t *bytes)
{
	uint32_t code;

	/* behind tag and length */
	memcpy(&code, bytes + 6, sizeof(code));
	command = ntohl(code);
	hear(bytes, len);
	return swtpm_transmit(tcti, len, bytes);
}

static TSS2_RC receive(TSS2_TCTI_CONTEXT *tcti, size_t *len, uint8_t *bytes, int32_t timeout)
{
	TSS2_RC rc = swtpm_receive(tcti, len, bytes, timeout);

	if (rc || !bytes)
		return rc;
	hear(bytes, *len);
	/* behind header, length and length of the first parameter */
	if (command == swtpm_wire->spoil && *len > 20)
		bytes[17] ^= 1;
	return 0;
}

static void listen_to(TSS2_TCTI_CONTEXT *tcti)
{
	TSS2_TCTI_CONTEXT_COMMON_V1 *common = (TSS2_TCTI_CONTEXT_COMMON_V1 *)tcti;

	swtpm_transmit = common->transmit;
	swtpm_receive = common->receive;
	common->transmit = transmit;
	common->receive = receive;
}

static TSS2_TCTI_CONTEXT *try_port(int port)
{
	TSS2_TCTI_CONTEXT *tcti;
	char where[64];
	size_t size;

	snprintf(where, sizeof(where), "host=127.0.0.1,port=%d", port);
	if (Tss2_Tcti_Swtpm_Init(NULL, &size, where))
		return NULL;
	tcti = calloc(1, size);
	if (!tcti || Tss2_Tcti_Swtpm_Init(tcti, &size, where)) {
		free(tcti);
		return NULL;
	}
	return tcti;
}

static void run(const struct swtpm *swtpm)
{
	char state[4200], server[32], control[32];

	snprintf(state, sizeof(state), "dir=%s", swtpm->state);
	snprintf(server, sizeof(server), "type=tcp,port=%d", swtpm->port);
	snprintf(control, sizeof(control), "type=tcp,port=%d", swtpm->port + 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "w", stdout))
		_exit(127);
	execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server", server,
	       "--ctrl", control, "--flags", "not-need-init,startup-clear", NULL);
	_exit(127);
}

/* false: it has ended, since somebody else has the port, or there is no swtpm */
static bool is_up(struct swtpm *swtpm)
{
	TSS2_TCTI_CONTEXT *tcti = NULL;

	for (int i = 0; i < 500 && !tcti; i++) {
		usleep(20000);
		if (waitpid(swtpm->pid, NULL, WNOHANG) == swtpm->pid)
			return false;
		tcti = try_port(swtpm->port);
	}
	if (!tcti)
		return false;
	Tss2_Tcti_Finalize(tcti);
	free(tcti);
	return true;
}

void swtpm_start(struct swtpm *swtpm)
{
	uint16_t random = 0;

	setenv("TSS2_LOG", "all+none", 0);
	for (int i = 0; i < 10; i++) {
		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			give_up("no random numbers");
		/* it and the next one; below those that the kernel gives to clients */
		swtpm->port = 10000 + random % 10000 * 2;
		swtpm->pid = fork();
		if (!swtpm->pid)
			run(swtpm);
		if (is_up(swtpm))
			return;
		kill(swtpm->pid, SIGKILL);
		waitpid(swtpm->pid, NULL, 0);
	}
	give_up("swtpm does not start: is the package installed?");
}

void swtpm_stop(struct swtpm *swtpm)
{
	if (!swtpm->pid)
		return;
	kill(swtpm->pid, SIGTERM);
	waitpid(swtpm->pid, NULL, 0);
	swtpm->pid = 0;
}

struct cvm_tpm *swtpm_open(const struct swtpm *swtpm)
{
	TSS2_TCTI_CONTEXT *tcti = try_port(swtpm->port);
	struct cvm_tpm *tpm;

	if (!tcti)
		give_up("swtpm cannot be reached");
	if (swtpm_wire)
		listen_to(tcti);
	if (cvm_tpm_use(tcti, &tpm, NULL))
		give_up("the TPM cannot be used");
	return tpm;
}

void swtpm_extend(struct cvm_tpm *tpm, unsigned int pcr, const char *what)
{
	TPML_DIGEST_VALUES values = { .count = 1, .digests[0].hashAlg = TPM2_ALG_SHA256 };

	strncpy((char *)values.digests[0].digest.sha256, what, CVM_TPM_DIGEST);
	if (Esys_PCR_Extend(tpm->esys, ESYS_TR_PCR0 + pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			    ESYS_TR_NONE, &values))
		give_up("a PCR cannot be extended");
}
