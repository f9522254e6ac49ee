// SPDX-License-Identifier: GPL-2.0
/*
 * Both services, for scripts: keys are in DIR, made the first time.
 *   skr_service DIR attest <REQUEST >ANSWER
 *   skr_service DIR release [PEM] <REQUEST >ANSWER
 *   skr_service read SERIAL >KEY
 * The last one reads a key of the kernel's, for who may. SKR_WRONG in the environment:
 * what is done wrong.
 */
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "service.h"

static char *read_all(FILE *file)
{
	char *text = service_need(calloc(1, 1U << 20));

	if (!fread(text, 1, (1U << 20) - 1, file) || ferror(file))
		service_need(NULL);
	return text;
}

static char *read_file(const char *path)
{
	FILE *file = service_need(fopen(path, "r"));
	char *text = read_all(file);

	fclose(file);
	return text;
}

static int read_key(const char *serial)
{
	char bytes[SERVICE_SECRET];
	long len = syscall(SYS_keyctl, KEYCTL_READ, atoi(serial), bytes, sizeof(bytes));

	if (len >= 0 && len <= (long)sizeof(bytes))
		return fwrite(bytes, 1, (size_t)len, stdout) != (size_t)len;
	perror("skr_service: keyctl");
	return 1;
}

int main(int argc, char **argv)
{
	struct service s;
	char *body, *answer, *public = NULL;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "read"))
		return read_key(argv[2]);
	service_at(&s, argv[1]);
	s.wrong = getenv("SKR_WRONG");
	body = read_all(stdin);
	if (argc > 3)
		public = read_file(argv[3]);
	answer = strcmp(argv[2], "attest") ? service_release(&s, body, public) : service_attest(&s, body);
	if (answer)
		puts(answer);
	free(body);
	free(public);
	service_free(&s);
	if (!answer)
		return 1;
	free(answer);
	return 0;
}
