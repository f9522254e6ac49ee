// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tpm.h"

#define OWNER	0x40000001
#define REPORT	0x01400001
#define INPUT	0x01400002

/**
 * struct command - one in the making
 * @bytes: of it, or of its answer
 * @len: how many
 */
struct command {
	uint8_t bytes[4096];
	size_t len;
};

static void put(struct command *command, uint32_t value, int bytes)
{
	for (int i = bytes; i--; value >>= 8)
		command->bytes[command->len + (size_t)i] = (uint8_t)value;
	command->len += (size_t)bytes;
}

static void put_bytes(struct command *command, const void *bytes, size_t len)
{
	put(command, (uint32_t)len, 2);
	memcpy(command->bytes + command->len, bytes, len);
	command->len += len;
}

/* with @second != 0 a second handle; authorised by @password */
static struct command begin(uint32_t code, uint32_t first, uint32_t second, const char *password)
{
	struct command command = { .len = 0 };

	put(&command, 0x8002, 2);
	put(&command, 0, 4);
	put(&command, code, 4);
	put(&command, first, 4);
	if (second)
		put(&command, second, 4);
	put(&command, 9 + (uint32_t)strlen(password), 4);
	put(&command, 0x40000009, 4);
	put(&command, 0, 3);
	put_bytes(&command, password, strlen(password));
	return command;
}

static uint32_t run(struct command *command)
{
	size_t len = command->len;
	int fd = open("/dev/tpmrm0", O_RDWR | O_CLOEXEC);
	ssize_t n = -1;

	command->len = 2;
	put(command, (uint32_t)len, 4);
	if (fd >= 0 && write(fd, command->bytes, len) == (ssize_t)len)
		n = read(fd, command->bytes, sizeof(command->bytes));
	if (fd >= 0)
		close(fd);
	if (n < 10)
		return UINT32_MAX;
	return (uint32_t)command->bytes[6] << 24 | (uint32_t)command->bytes[7] << 16 |
	       (uint32_t)command->bytes[8] << 8 | command->bytes[9];
}

uint32_t tpm_define_input(uint32_t attributes, uint32_t size)
{
	struct command command = begin(0x12a, OWNER, 0, "");

	put(&command, 0, 2);
	put(&command, 14, 2);
	put(&command, INPUT, 4);
	put(&command, 0xb, 2);
	put(&command, attributes, 4);
	put(&command, 0, 2);
	put(&command, size, 2);
	return run(&command);
}

uint32_t tpm_undefine_input(void)
{
	struct command command = begin(0x122, OWNER, INPUT, "");

	return run(&command);
}

uint32_t tpm_write_input(uint8_t byte)
{
	struct command command = begin(0x137, OWNER, INPUT, "");
	uint8_t bytes[64];

	memset(bytes, byte, sizeof(bytes));
	put_bytes(&command, bytes, sizeof(bytes));
	put(&command, 0, 2);
	return run(&command);
}

uint32_t tpm_read_report(void)
{
	struct command command = begin(0x14e, OWNER, REPORT, "");

	put(&command, 64, 2);
	put(&command, 0, 2);
	return run(&command);
}

uint32_t tpm_set_password(const char *was, const char *password)
{
	struct command command = begin(0x129, OWNER, 0, was);

	put_bytes(&command, password, strlen(password));
	return run(&command);
}

uint32_t tpm_extend(void)
{
	struct command command = begin(0x182, 16, 0, "");

	put(&command, 1, 4);
	put(&command, 0xb, 2);
	memset(command.bytes + command.len, 0x5a, 32);
	command.len += 32;
	return run(&command);
}
