// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batch evidence: requests gather while the hardware is busy, are frozen into
 * a tree when it may be asked, and share one report. Documentation/batching.rst
 * and the specification "Batch v1" say why.
 *
 * Freshness: a leaf is hashed before its request is queued, and a set is
 * taken out of the queue before the report that commits to it is asked for, so
 * no report is older than the request of any of its members.
 */
#include <linux/cleanup.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "batch.h"
#include "limits.h"
#include "merkle.h"
#include "platform.h"
#include "queue.h"
#include "request.h"
#include "stats.h"
#include "trace.h"

/**
 * struct cvm_set - a frozen set; the worker's alone
 * @tree: of the leaves
 * @nodes: of @tree
 *
 * Members are leaves in the order of the leader's list, which was shuffled.
 */
struct cvm_set {
	struct cvm_merkle tree;
	u8 nodes[][CVM_HASH_SIZE];
};

/* all of these are the worker's alone */
static ktime_t free_since;	/* since when the hardware could be asked */
static unsigned int company;	/* who was answered last or waited then */
static s64 cost_ns;		/* what an unthrottled command takes */

int cvm_batch_wait_random(void)
{
	return wait_for_random_bytes();
}

void cvm_batch_prepare(struct cvm_req *req)
{
	get_random_bytes(req->leaf.salt, sizeof(req->leaf.salt));
	cvm_merkle_leaf(req->hash, &req->leaf);
}

/* ---- when ---- */

bool cvm_batch_waits(void)
{
	int class;

	for (class = 0; class < CVM_CLASSES; class++)
		if ((CVM_BATCH_CLASSES & BIT(class)) &&
		    cvm_queue_state(class).length)
			return true;
	return false;
}

/* when company begins to come, at the latest; the host has no say beyond the bound */
static s64 gather_ns(void)
{
	return min_t(s64, cost_ns / 4, CVM_GATHER_MAX_US * NSEC_PER_USEC);
}

/* so many need not wait for more */
static unsigned int enough(void)
{
	return clamp(company, 1U, (unsigned int)CVM_MAX_LEAVES);
}

/*
 * Alone: at once. In company: while arrivals keep coming, but neither longer
 * than twice gather_ns() nor for more than were answered by the last report or
 * waited at its end; without this those who come back from one report would
 * never meet those who waited for its end, and each half would wait for two.
 * Twice, since on few CPUs the last of a hundred threads may take that long to
 * come back, and who misses the set waits for a whole report more.
 */
static ktime_t due(const struct cvm_queue_state *state)
{
	s64 window = gather_ns();
	ktime_t end, still;

	if (state->length >= enough())
		return 0;
	/* it came long after the last report: it is not one of that company */
	if (ktime_after(state->first, ktime_add_ns(free_since, window)))
		return 0;
	end = ktime_add_ns(max(free_since, state->first), 2 * window);
	still = ktime_add_ns(max(free_since, state->last), window / 2);
	return min(end, still);
}

/* is there something of @class to freeze at @now? If not: what to wait for */
static bool class_due(int class, ktime_t now, ktime_t *next,
		      unsigned int *length)
{
	struct cvm_queue_state state = cvm_queue_state(class);
	ktime_t at;

	*length = 1;
	if (!state.length)
		return false;
	*length = enough();
	at = due(&state);
	if (!ktime_after(at, now))
		return true;
	*next = min(*next, at);
	return false;
}

u32 cvm_batch_due(ktime_t *next, unsigned int lengths[CVM_CLASSES])
{
	ktime_t now = ktime_get();
	u32 classes = 0;
	int class;

	if (!free_since)
		free_since = now;
	for (class = 0; class < CVM_CLASSES; class++)
		if ((CVM_BATCH_CLASSES & BIT(class)) &&
		    class_due(class, now, next, &lengths[class]))
			classes |= BIT(class);
	return classes;
}

/* ---- the set ---- */

/* the leader: nobody's request, with everybody's report in it */
static struct cvm_req *leader_alloc(int class, unsigned int size,
				    const struct cvm_req *member)
{
	struct cvm_req *leader = cvm_req_alloc_leader(member);
	struct cvm_set *set;

	if (!leader)
		return NULL;
	set = kvmalloc(struct_size(set, nodes, CVM_TREE_NODES(size)),
		       GFP_KERNEL);
	if (!set) {
		cvm_req_put(leader);
		return NULL;
	}
	set->tree.nodes = set->nodes;
	set->tree.flags = 0;
	leader->set = set;
	leader->kind = cvm_platform->batch_kind;
	leader->class = class;
	leader->flags = class == CVM_CLASS_BATCH_CERTS ? CVM_REQ_CERTS : 0;
	leader->vmpl = cvm_platform->vmpl ? cvm_platform->vmpl() : 0;
	leader->state = CVM_REQ_ISSUED;
	leader->deadline = KTIME_MAX;
	leader->queued = leader->issued = ktime_get();
	leader->throttled = atomic64_read(&cvm_stats.throttled);
	return leader;
}

/* takes up to @size requests, in the order that fairness gives */
static unsigned int gather(struct cvm_req **members, int class,
			   unsigned int size)
{
	u32 cost = max(1U, CVM_COMMAND / size);
	unsigned int n;

	for (n = 0; n < size; n++) {
		members[n] = cvm_queue_take(class, cost);
		if (!members[n])
			break;
	}
	return n;
}

/* so that a leaf's place says nothing about when its request came */
static void shuffle(struct cvm_req **members, unsigned int n)
{
	unsigned int i, j;

	for (i = n; i > 1; i--) {
		j = get_random_u32() % i;
		swap(members[i - 1], members[j]);
	}
}

static void plant(struct cvm_req *leader, struct cvm_req **members,
		  unsigned int n)
{
	struct cvm_merkle *tree = &leader->set->tree;
	unsigned int i;

	tree->size = n;
	for (i = 0; i < n; i++) {
		memcpy(tree->nodes[i], members[i]->hash, CVM_HASH_SIZE);
		cvm_req_join(members[i], leader);
	}
	cvm_merkle_build(tree);
	cvm_merkle_r64(tree, leader->report_data);
}

static void fail(struct cvm_req **members, unsigned int n, int result)
{
	while (n--) {
		cvm_req_settle(members[n], result);
		cvm_req_put(members[n]);
	}
}

/* -> the leader; the references to the members are its list's now */
static struct cvm_req *freeze(struct cvm_req **members, unsigned int n,
			      int class)
{
	struct cvm_req *leader;

	if (!n)
		return NULL;
	leader = leader_alloc(class, n, members[0]);
	if (!leader) {
		fail(members, n, -ENOMEM);
		return NULL;
	}
	shuffle(members, n);
	plant(leader, members, n);
	cvm_count(batches);
	cvm_count_n(leaves, n);
	trace_cvm_freeze(leader, n);
	return leader;
}

struct cvm_req *cvm_batch_freeze(int class)
{
	static struct cvm_req *members[CVM_MAX_LEAVES];	/* the worker's */
	struct cvm_queue_state state = cvm_queue_state(class);
	unsigned int n;

	n = gather(members, class, clamp(state.length, 1U,
					 (unsigned int)CVM_MAX_LEAVES));
	free_since = 0;
	return freeze(members, n, class);
}

/* ---- the end ---- */

/* the host's word for the time, bounded where it is used */
static void learn_cost(const struct cvm_req *leader, ktime_t now)
{
	if (leader->throttled == atomic64_read(&cvm_stats.throttled))
		cost_ns = ktime_to_ns(ktime_sub(now, leader->issued));
}

static int give_proof(struct cvm_req *member, const struct cvm_merkle *tree,
		      u32 index)
{
	u32 len = CVM_PROOF_SIZE(cvm_merkle_path_len(index, tree->size));

	member->proof = cvm_req_memory(member, len);
	if (!member->proof)
		return -ENOMEM;
	member->proof_len = cvm_merkle_proof(tree, index, &member->leaf,
					     member->proof);
	return 0;
}

static void finish_member(struct cvm_req *member, struct cvm_req *leader,
			  u32 index, int result)
{
	list_del_init(&member->node);
	member->status = leader->status;
	if (!result && cvm_req_wanted(member))
		result = give_proof(member, &leader->set->tree, index);
	cvm_req_settle(member, result);
	cvm_req_put(member);
}

/*
 * In the worker. Nobody else looks at a leader's list or tree, so the queue's
 * lock is taken for one member at a time, and those who have theirs run.
 */
void cvm_batch_finish(struct cvm_req *leader, int result)
{
	struct cvm_req *member, *next;
	u32 index = 0;

	if (!result)
		learn_cost(leader, ktime_get());
	/* those who have left do not come back together */
	if (cvm_req_wanted(leader))
		company = leader->set->tree.size +
			  cvm_queue_state(leader->class).length;
	list_for_each_entry_safe(member, next, &leader->members, node)
		finish_member(member, leader, index++, result);
	/* proofs are made: an unread record keeps the report, not the tree */
	kvfree(leader->set);
	leader->set = NULL;
	cvm_req_put(leader);
}
