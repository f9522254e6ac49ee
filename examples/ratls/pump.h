/* SPDX-License-Identifier: MIT */
#ifndef EXAMPLES_PUMP_H
#define EXAMPLES_PUMP_H

#include <openssl/ssl.h>

/*
 * Carries bytes both ways until both sides have ended: what is read from @in goes out by
 * TLS, what comes by TLS is written to @out. Each end is passed on by itself, so that who
 * asks and then says no more still gets the answer. 0, or -1: one side broke off, or
 * nothing came or went for @idle seconds.
 */
#define PUMP_IDLE_S	300

int pump(SSL *ssl, int in, int out, int idle);

#endif /* EXAMPLES_PUMP_H */
