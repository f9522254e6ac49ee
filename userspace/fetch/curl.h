/* SPDX-License-Identifier: MIT */
/*
 * libcurl, loaded when it is needed: it brings 25 libraries along, and with them every
 * `cvmctl report` would take twice its time.
 */
#ifndef CVM_FETCH_CURL_H
#define CVM_FETCH_CURL_H

#include <curl/curl.h>

struct cvm_curl {
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
	CURLcode (*easy_perform)(CURL *easy);
	CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
	CURLHcode (*easy_header)(CURL *easy, const char *name, size_t index, unsigned int origin,
				 int request, struct curl_header **out);
	char *(*easy_unescape)(CURL *easy, const char *text, int len, int *out_len);
	void (*easy_cleanup)(CURL *easy);
	struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
	void (*slist_free_all)(struct curl_slist *list);
	void (*free)(void *pointer);
};

/* NULL: it is not installed. It stays loaded. */
const struct cvm_curl *cvm_curl(void);

#endif /* CVM_FETCH_CURL_H */
