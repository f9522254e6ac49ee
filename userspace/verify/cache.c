// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <stdlib.h>

#include "cache.h"

#define BUCKETS	64
#define WAYS	4
#define SAMPLE	32	/* bytes of the beginning, the middle and the end */

struct cvm_cache {
	pthread_mutex_t lock;
	struct {
		struct cvm_bundle *way[WAYS];
		unsigned int next;
	} bucket[BUCKETS];
};

struct cvm_cache *cvm_cache_new(void)
{
	struct cvm_cache *cache = calloc(1, sizeof(*cache));

	if (cache)
		pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void cvm_cache_clear(struct cvm_cache *cache)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (size_t j = 0; j < WAYS; j++) {
			cvm_bundle_put(cache->bucket[i].way[j]);
			cache->bucket[i].way[j] = NULL;
		}
}

void cvm_cache_free(struct cvm_cache *cache)
{
	if (!cache)
		return;
	cvm_cache_clear(cache);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

struct cvm_bundle *cvm_bundle_new(void)
{
	struct cvm_bundle *bundle = calloc(1, sizeof(*bundle));

	if (!bundle)
		return NULL;
	atomic_init(&bundle->refs, 1);
	bundle->certs.limit = CVM_BUNDLE_CERTS;
	return bundle;
}

void cvm_bundle_put(struct cvm_bundle *bundle)
{
	if (!bundle || atomic_fetch_sub(&bundle->refs, 1) > 1)
		return;
	cvm_certs_free(&bundle->certs);
	EVP_MD_CTX_free(bundle->attestation);
	free(bundle->key);
	free(bundle);
}

static uint64_t mix(uint64_t hash, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3;
	return hash;
}

static uint64_t mix_span(uint64_t hash, struct cvm_span s)
{
	hash = (hash ^ s.len) * 0x100000001b3;
	if (s.len <= 3 * SAMPLE)
		return mix(hash, s.data, s.len);
	hash = mix(hash, s.data, SAMPLE);
	hash = mix(hash, s.data + s.len / 2, SAMPLE);
	return mix(hash, s.data + s.len - SAMPLE, SAMPLE);
}

/*
 * Which bucket is all that it decides: bytes are compared in full. Who makes them
 * collide gets others' bundles dropped, and those verified again.
 */
static size_t bucket_of(struct cvm_span a, struct cvm_span b)
{
	uint64_t hash = mix_span(mix_span(0xcbf29ce484222325, a), b);

	return (hash ^ hash >> 32) % BUCKETS;
}

static bool is_of(const struct cvm_bundle *bundle, struct cvm_span a, struct cvm_span b)
{
	return bundle && bundle->key_len[0] == a.len && bundle->key_len[1] == b.len &&
	       (!a.len || !memcmp(bundle->key, a.data, a.len)) &&
	       (!b.len || !memcmp(bundle->key + a.len, b.data, b.len));
}

struct cvm_bundle *cvm_cache_find(struct cvm_cache *cache, struct cvm_span a, struct cvm_span b)
{
	size_t at = bucket_of(a, b);
	struct cvm_bundle *found = NULL;

	pthread_mutex_lock(&cache->lock);
	for (size_t i = 0; i < WAYS && !found; i++)
		if (is_of(cache->bucket[at].way[i], a, b))
			found = cache->bucket[at].way[i];
	if (found)
		atomic_fetch_add(&found->refs, 1);
	pthread_mutex_unlock(&cache->lock);
	return found;
}

/* From here on others may read it: nothing in it changes any more. */
static struct cvm_bundle *exchange(struct cvm_cache *cache, struct cvm_bundle *bundle, size_t at)
{
	unsigned int way = cache->bucket[at].next++ % WAYS;
	struct cvm_bundle *old = cache->bucket[at].way[way];

	atomic_fetch_add(&bundle->refs, 1);
	cache->bucket[at].way[way] = bundle;
	return old;
}

void cvm_cache_keep(struct cvm_cache *cache, struct cvm_bundle *bundle, struct cvm_span a,
		    struct cvm_span b)
{
	struct cvm_bundle *old;

	if (a.len > CVM_BUNDLE_MAX || b.len > CVM_BUNDLE_MAX)
		return;
	bundle->key = malloc(a.len + b.len + 1);
	if (!bundle->key)
		return;
	if (a.len)
		memcpy(bundle->key, a.data, a.len);
	if (b.len)
		memcpy(bundle->key + a.len, b.data, b.len);
	bundle->key_len[0] = a.len;
	bundle->key_len[1] = b.len;
	pthread_mutex_lock(&cache->lock);
	old = exchange(cache, bundle, bucket_of(a, b));
	pthread_mutex_unlock(&cache->lock);
	cvm_bundle_put(old);
}
