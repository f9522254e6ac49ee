// SPDX-License-Identifier: MIT
/* What to verify with, and what of it is looked at once for all evidence. */
#include <stdlib.h>

#include <openssl/err.h>

#include "internal.h"

int cvm_verifier_new(struct cvm_verifier **verifier)
{
	struct cvm_verifier *v = calloc(1, sizeof(*v));

	*verifier = NULL;
	if (!v)
		return -ENOMEM;
	v->cache = cvm_cache_new();
	if (!v->cache) {
		free(v);
		return -ENOMEM;
	}
	atomic_init(&v->prepared, false);
	pthread_mutex_init(&v->lock, NULL);
	*verifier = v;
	return 0;
}

void cvm_verifier_free(struct cvm_verifier *verifier)
{
	if (!verifier)
		return;
	cvm_cache_free(verifier->cache);
	cvm_certs_free(&verifier->certs);
	cvm_certs_free(&verifier->trust_roots);
	cvm_collateral_free(&verifier->collateral);
	cvm_policy_put(verifier->policy);
	pthread_mutex_destroy(&verifier->lock);
	free(verifier);
}

/* What was verified before may look otherwise now. */
static void changed(struct cvm_verifier *verifier)
{
	cvm_cache_clear(verifier->cache);
	atomic_store(&verifier->prepared, false);
}

int cvm_verifier_add_certs(struct cvm_verifier *verifier, const void *data, size_t len,
			   struct cvm_error *error)
{
	changed(verifier);
	return cvm_certs_load(&verifier->certs, data, len, error);
}

static bool all_self_signed(const struct cvm_certs *certs, size_t from)
{
	bool ok = true;

	ERR_set_mark();
	for (size_t i = from; i < certs->count; i++)
		ok = ok && cvm_cert_issued_by(certs->cert[i].x509, certs->cert[i].x509);
	ERR_pop_to_mark();
	return ok;
}

int cvm_verifier_add_trust_root(struct cvm_verifier *verifier, const void *data, size_t len,
				struct cvm_error *error)
{
	struct cvm_certs *roots = &verifier->trust_roots;
	size_t before = roots->count, lists = roots->crl_count;
	int ret;

	changed(verifier);
	ret = cvm_certs_load(roots, data, len, error);
	if (ret)
		return ret;
	/*
	 * No certificates at all, as in an empty table, must not leave the
	 * caller with the vendors' roots where it believes to trust its own.
	 */
	if (all_self_signed(roots, before) && roots->count > 0 && roots->crl_count == lists)
		return 0;
	cvm_certs_truncate(roots, before, lists);
	return cvm_set_error(error, -EBADMSG, "expected self-signed certificates and nothing else");
}

int cvm_verifier_add_collateral(struct cvm_verifier *verifier, const void *data, size_t len,
				struct cvm_error *error)
{
	changed(verifier);
	return cvm_collateral_load(&verifier->collateral, data, len, error);
}

int cvm_verifier_set_policy(struct cvm_verifier *verifier, const void *data, size_t len,
			    struct cvm_error *error)
{
	struct cvm_policy *policy;
	int ret = cvm_policy_load(&policy, data, len, error);

	if (ret)
		return ret;
	cvm_policy_put(verifier->policy);
	verifier->policy = policy;
	return 0;
}

struct cvm_sources cvm_sources_of(const struct cvm_verifier *verifier, const struct cvm_certs *own,
				  const struct cvm_certs *given)
{
	struct cvm_sources from = { .roots = &verifier->trust_roots };

	if (own)
		from.sets[from.count++] = own;
	if (given)
		from.sets[from.count++] = given;
	from.sets[from.count++] = &verifier->certs;
	from.sets[from.count++] = &verifier->collateral.issuers;
	from.sets[from.count++] = &verifier->trust_roots;
	return from;
}

/* Whoever comes first looks at what all share; the others wait for it. */
int cvm_verifier_prepare(const struct cvm_verifier *shared)
{
	/* the caller sees no difference, and the lock is for those who look now */
	struct cvm_verifier *verifier = (struct cvm_verifier *)shared;
	struct cvm_sources from = cvm_sources_of(verifier, NULL, NULL);
	struct cvm_collateral *c = &verifier->collateral;
	int ret = 0;

	if (atomic_load(&verifier->prepared))
		return 0;
	pthread_mutex_lock(&verifier->lock);
	if (!atomic_load(&verifier->prepared)) {
		ret = cvm_certs_make_chains(&verifier->certs, &from);
		for (size_t i = 0; i < c->tcb_info_count; i++)
			cvm_signed_prepare(&c->tcb_info[i]->sig, &from);
		for (size_t i = 0; i < c->qe_identity_count; i++)
			cvm_signed_prepare(&c->qe_identity[i]->sig, &from);
		atomic_store(&verifier->prepared, !ret);
	}
	pthread_mutex_unlock(&verifier->lock);
	return ret;
}
