/* SPDX-License-Identifier: MIT */
/* One JSON object a line, over a socket. */
#ifndef EXAMPLES_MESSAGE_H
#define EXAMPLES_MESSAGE_H

#include <jansson.h>
#include <stdio.h>

/* bytes of a line: evidence, certificates and proof */
#define MESSAGE_MAX	(320U << 10)

/* 0 or -1. @json: taken over */
int message_write(FILE *to, json_t *json);

/* A new reference; NULL: the connection ended, nobody spoke for too long, or no JSON */
json_t *message_read(FILE *from);

#endif /* EXAMPLES_MESSAGE_H */
