// SPDX-License-Identifier: MIT
/*
 * Batches where there is no driver that makes them: the requests of one call
 * share one piece of evidence, which any of the other sources gives.
 */
#include <linux/capability.h>
#include <linux/cvm_guest.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "common/cleanup.h"
#include "driver/merkle.h"
#include "vtpm.h"

/* the initial user namespace is the one whose inode has this number */
#define INITIAL_USER_NS	"user:[4026531837]"

struct batch {
	struct cvm_leaf *leaves;
	uint32_t *order;	/* the job of each leaf */
	struct cvm_merkle tree;
};

static void free_batch(struct batch *batch)
{
	free(batch->leaves);
	free(batch->order);
	free(batch->tree.nodes);
}

static int fill_random(void *data, size_t len)
{
	uint8_t *bytes = data;

	while (len) {
		ssize_t got = getrandom(bytes, len, 0);

		if (got < 0 && errno != EINTR)
			return -errno;
		if (got < 0)
			continue;
		bytes += got;
		len -= (size_t)got;
	}
	return 0;
}

/*
 * The driver's rule, as far as a process can tell it of itself: whoever is not
 * privileged in truth must not be called so. Nothing but the access rights of
 * the source stands behind it: a caller that may use it can sign anything.
 */
uint8_t cvm_gather_scope(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
	char ns[sizeof(INITIAL_USER_NS)];

	if (readlink("/proc/self/ns/user", ns, sizeof(ns)) != sizeof(ns) - 1 ||
	    memcmp(ns, INITIAL_USER_NS, sizeof(ns) - 1) || syscall(SYS_capget, &head, data))
		return CVM_SCOPE_UNPRIVILEGED;
	if (!geteuid() && data[0].effective & 1U << CAP_SYS_ADMIN)
		return CVM_SCOPE_PRIVILEGED;
	return CVM_SCOPE_UNPRIVILEGED;
}

/* An index must not tell who asked first. */
static int shuffle(uint32_t *order, uint32_t count)
{
	__cleanup_free uint32_t *random = calloc(count, sizeof(*random));
	int rc = random ? fill_random(random, count * sizeof(*random)) : -ENOMEM;

	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	for (uint32_t i = count; !rc && i > 1; i--) {
		uint32_t other = random[i - 1] % i, mine = order[i - 1];

		order[i - 1] = order[other];
		order[other] = mine;
	}
	return rc;
}

static int build(struct batch *batch, const struct cvm_job *jobs, uint32_t count)
{
	uint8_t scope = cvm_gather_scope();
	int rc;

	batch->leaves = calloc(count, sizeof(*batch->leaves));
	batch->order = calloc(count, sizeof(*batch->order));
	batch->tree.nodes = calloc(CVM_TREE_NODES(count), sizeof(*batch->tree.nodes));
	batch->tree.size = count;
	if (!batch->leaves || !batch->order || !batch->tree.nodes)
		return -ENOMEM;
	rc = shuffle(batch->order, count);
	for (uint32_t i = 0; !rc && i < count; i++) {
		struct cvm_leaf *leaf = &batch->leaves[i];

		memcpy(leaf->user_data, jobs[batch->order[i]].report_data, sizeof(leaf->user_data));
		cvm_scope_plain(leaf->scope, scope);
		rc = fill_random(leaf->salt, sizeof(leaf->salt));
		cvm_merkle_leaf(batch->tree.nodes[i], leaf);
	}
	if (!rc)
		cvm_merkle_build(&batch->tree);
	return rc;
}

static void hand_out(const struct cvm_source *source, struct cvm_job *job,
		     const struct cvm_evidence *shared, const struct batch *batch, uint32_t leaf)
{
	uint8_t proof[CVM_PROOF_MAX];
	size_t len = cvm_merkle_proof(&batch->tree, leaf, &batch->leaves[leaf], proof);

	cvm_job_copy(job, source, &(struct cvm_answer) {
		.data = shared->data, .len = shared->len,
		.certs = shared->certs, .certs_len = shared->certs_len,
		.azure = shared->azure, .proof = proof, .proof_len = len });
}

static void all_failed(struct cvm_job *jobs, size_t count, const struct cvm_job *why)
{
	for (size_t i = 0; i < count; i++) {
		jobs[i].result = why->result;
		jobs[i].error = why->error;
	}
}

static void ask(const struct cvm_source *source, struct cvm_job *leader, uint32_t timeout_ms)
{
	if (cvm_job_quote_alone(leader))
		cvm_vtpm_quote_alone(source, leader, 1, timeout_ms);
	else
		source->backend->issue(source, leader, 1, timeout_ms);
}

void cvm_gather(const struct cvm_source *source, struct cvm_job *jobs, size_t count,
		uint32_t timeout_ms)
{
	__cleanup(free_batch) struct batch batch = { 0 };
	uint8_t r64[CVM_REPORT_DATA_LEN], tpm48[CVM_TPM48_SIZE];
	struct cvm_job leader = {
		.type = jobs->type, .flags = jobs->flags, .report_data = r64,
		.tpm_nonce = tpm48, .tpm_nonce_len = sizeof(tpm48),
	};

	leader.result = build(&batch, jobs, (uint32_t)count);
	if (leader.result) {
		cvm_source_error(&leader.error, leader.result, source, 0);
	} else {
		/* the one REPORT_DATA with the reserved tag that this library asks for */
		cvm_merkle_r64(&batch.tree, r64);
		cvm_merkle_tpm48(&batch.tree, tpm48);
		ask(source, &leader, timeout_ms);
	}
	if (leader.result)
		all_failed(jobs, count, &leader);
	for (uint32_t i = 0; !leader.result && i < count; i++)
		hand_out(source, &jobs[batch.order[i]], leader.evidence, &batch, i);
	cvm_evidence_free(leader.evidence);
}
