/* SPDX-License-Identifier: MIT */
/* What the services share: one item, its way over HTTP, its place in the cache. */
#ifndef CVM_FETCH_INTERNAL_H
#define CVM_FETCH_INTERNAL_H

#include <stddef.h>

#include "../common/api.h"
#include "../common/cleanup.h"
#include "fetch.h"

#define CVM_FETCH_MAX	(1U << 20)	/* bytes of an answer; the longest real one has 40 KiB */
#define CVM_FETCH_DAY	86400

/*
 * Milliseconds for one attempt at what is of this machine alone, which answers soon, or may have
 * lost the request. After each that was lost there are twice as many, for a slow host; and the
 * last one that there is time for has all that is left.
 */
#define CVM_FETCH_DIRECT_MS	3000

/**
 * struct cvm_item - something that is published
 * @key: its name in the cache: all that it depends on
 * @url: where it is
 * @header: to be sent along, or NULL
 * @post: JSON to be sent, which answers JSON; NULL: nothing, a GET
 * @direct: never through a proxy: a link-local address is of this machine alone; and asked
 *	again where there is no answer soon
 * @chain_header: of the answer: has the issuer chain, URL-encoded; or NULL
 * @fresh: seconds until it is fetched anew, although it holds longer
 * @read: sees that @body is it; sets text and expires of @out. 0 or -EBADMSG, -ENOMEM
 * @product, @chip_id, @tcb, @fmspc: what @read compares
 */
struct cvm_item {
	char key[256];
	char url[1024];
	const char *header;
	const char *post;
	bool direct;
	const char *chain_header;
	int64_t fresh;
	int (*read)(const struct cvm_item *item, const char *body, size_t len,
		    struct cvm_fetched *out, struct cvm_error *error);
	enum cvm_snp_product product;
	const uint8_t *chip_id;
	uint64_t tcb;
	const uint8_t *fmspc;
};

/**
 * struct cvm_http_answer - of a server
 * @body: a zero byte is behind it
 * @chain: decoded, or NULL
 */
struct cvm_http_answer {
	char *body;
	size_t len;
	char *chain;
};

void cvm_http_answer_free(struct cvm_http_answer *answer);

/* cache.c: from the cache, or fetched and kept there */
int cvm_fetch_item(const struct cvm_fetch *f, const struct cvm_item *item,
		   struct cvm_fetched *out, struct cvm_error *error);

/*
 * http.c: GET or POST, again and again while the server is busy, until @deadline
 * (CLOCK_MONOTONIC, milliseconds), which may be brought forward meanwhile. As the functions of
 * fetch.h.
 */
int cvm_http_get(const struct cvm_item *item, const _Atomic int64_t *deadline,
		 struct cvm_http_answer *out, struct cvm_error *error);
int64_t cvm_clock_ms(void);

/* x509.c: cvm_item.read of certificates and lists: PEM, DER, or DER in hexadecimal */
int cvm_read_vcek(const struct cvm_item *item, const char *body, size_t len,
		  struct cvm_fetched *out, struct cvm_error *error);
int cvm_read_chain(const struct cvm_item *item, const char *body, size_t len,
		   struct cvm_fetched *out, struct cvm_error *error);
int cvm_read_crl(const struct cvm_item *item, const char *body, size_t len,
		 struct cvm_fetched *out, struct cvm_error *error);

/* Sees that @chain, which came in the header of @item's answer, is certificates. */
int cvm_check_issuers(const struct cvm_item *item, const char *chain, struct cvm_error *error);

#endif /* CVM_FETCH_INTERNAL_H */
