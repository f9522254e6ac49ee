// SPDX-License-Identifier: GPL-2.0
/* Of a key that has been released, of what it was wrapped by, and of the state nothing is left. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keys/memory.h"
#include "steps.h"
#include "tap.h"

#define MASK	0x3c

/*
 * The vault in another process, so that neither key is in this one for another reason.
 * @masked: the released key, and what it is wrapped by
 */
static char *answer_elsewhere(const struct release *r, uint8_t masked[64])
{
	int ends[2];
	char *answer = calloc(1, 64U << 10);
	size_t len = 0;
	ssize_t got;

	if (pipe(ends) || !answer)
		exit(1);
	if (!fork()) {
		char *text;

		getrandom(service.secret, 32, 0);
		getrandom(service.kek, 32, 0);
		text = service_release(&service, r->body, NULL);
		for (int i = 0; i < 32; i++) {
			masked[i] = service.secret[i] ^ MASK;
			masked[32 + i] = service.kek[i] ^ MASK;
		}
		got = write(ends[1], masked, 64) + write(ends[1], text, strlen(text));
		_exit(got < 65);
	}
	close(ends[1]);
	if (read(ends[0], masked, 64) != 64)
		exit(1);
	while ((got = read(ends[0], answer + len, (64U << 10) - 1 - len)) > 0)
		len += (size_t)got;
	close(ends[0]);
	wait(NULL);
	return answer;
}

static void test_memory(void)
{
	struct cvm_tpm *tpm = steps_tpm();
	struct cvm_error error = { 0 };
	struct cvm_skr_secret secret;
	uint8_t masked[64];
	struct release r;
	char *answer;

	steps_start(tpm, &r, "RSA_AES_KEY_WRAP_256");
	answer = answer_elsewhere(&r, masked);
	memory_learn_masked(masked, 32, MASK);
	check(!memory_has(), "memory: before the key has come it is not there");
	check_is(steps_take(tpm, &r.state, answer, &secret, &error), 0, "memory: it comes");
	check(memory_has(), "memory: it is found");
	cvm_cleanup_skr_secret(&secret);
	cvm_tpm_close(tpm);
	check(!memory_has(), "memory: and nowhere when that is wiped");
	memory_learn_masked(masked + 32, 32, MASK);
	check(!memory_has(), "memory: nor is what it was wrapped by");
	/* so is what makes the wrapping key */
	for (size_t i = 0; i < 32; i++)
		masked[i] = r.state.unique[i] ^ MASK;
	memory_learn_masked(masked, 32, MASK);
	check(memory_has(), "memory: the state is found");
	cvm_cleanup_skr_state(&r.state);
	check(!memory_has(), "memory: and nowhere when that is wiped");
	free(answer);
	steps_forget(&r);
}

int main(void)
{
	steps_begin(false);
	if (memory_can())
		test_memory();
	check(steps_end(), "the simulator has seen no broken rule");
	return tap_end();
}
