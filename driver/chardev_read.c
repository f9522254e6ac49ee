// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records: how read() and poll() tell of submitted requests.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>
#include <linux/user_namespace.h>

#include "chardev.h"
#include "limits.h"
#include "request.h"
#include "session.h"

static_assert(sizeof(struct cvm_record) == 48);

static struct cvm_record head_of(const struct cvm_req *req)
{
	const struct cvm_req *from = cvm_req_evidence(req);
	struct cvm_record head = {
		.data_offset = sizeof(head),
		.result = req->result,
		.kind = req->kind,
		.cookie = req->cookie,
	};

	/* without a result of 0 the platform may still be at work on it */
	if (!req->result) {
		head.evidence_len = from->evidence_len;
		head.certs_len = cvm_req_certs_len(from);
		head.proof_len = req->proof_len;
	}
	if (req->result != -ECANCELED && req->result != -ETIMEDOUT)
		head.platform_status = req->status;
	head.size = ALIGN(sizeof(head) + head.evidence_len + head.certs_len +
			  head.proof_len, 8);
	return head;
}

static bool put(struct iov_iter *to, const void *data, size_t len)
{
	return copy_to_iter(data, len, to) == len;
}

static bool put_record(struct iov_iter *to, const struct cvm_req *req,
		       const struct cvm_record *head)
{
	const struct cvm_req *from = cvm_req_evidence(req);
	size_t len = sizeof(*head) + head->evidence_len + head->certs_len +
		     head->proof_len;
	u64 zero = 0;

	return put(to, head, sizeof(*head)) &&
	       put(to, from->evidence, head->evidence_len) &&
	       put(to, cvm_req_certs(from), head->certs_len) &&
	       put(to, req->proof, head->proof_len) &&
	       put(to, &zero, head->size - len);
}

/*
 * Root's proof is root's to read, whoever holds the file by now. Others may try
 * as often as they like, which is no matter for the audit log.
 */
static bool may_read(const struct cvm_req *req)
{
	return req->kind != CVM_KIND_BATCH || req->result ||
	       req->leaf.scope[0] != CVM_SCOPE_PRIVILEGED ||
	       ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
}

/* the record of @req, whole: its length, or an error and nothing */
static ssize_t read_record(struct iov_iter *to, const struct cvm_req *req)
{
	struct cvm_record head = head_of(req);
	size_t before = iov_iter_count(to);

	if (!may_read(req))
		return -EPERM;
	if (before < head.size)
		return -ENOBUFS;
	if (put_record(to, req, &head))
		return head.size;
	iov_iter_revert(to, before - iov_iter_count(to));
	return -EFAULT;
}

/*
 * As many as there are and fit. Each is this reader's alone while it is copied,
 * so no lock is held, and goes back when it cannot be.
 */
static ssize_t read_records(struct cvm_session *session, struct iov_iter *to)
{
	struct cvm_req *req;
	ssize_t n, done = 0;

	while ((req = cvm_session_take(session))) {
		n = read_record(to, req);
		if (n < 0) {
			cvm_session_put_back(session, req);
			return done ?: n;
		}
		cvm_req_leave(req);
		done += n;
	}
	return done;
}

ssize_t cvm_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct cvm_session *session = iocb->ki_filp->private_data;
	bool nowait = iocb->ki_flags & IOCB_NOWAIT ||
		      iocb->ki_filp->f_flags & O_NONBLOCK;
	ssize_t n;
	int ret;

	if (!iov_iter_count(to))
		return 0;
	for (;;) {
		n = read_records(session, to);
		if (n)
			return n;
		if (nowait)
			return -EAGAIN;
		ret = wait_event_interruptible(session->wait,
					       cvm_session_ready(session));
		if (ret)
			return ret;
	}
}

__poll_t cvm_poll(struct file *file, poll_table *table)
{
	struct cvm_session *session = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &session->wait, table);
	if (cvm_session_ready(session))
		events |= EPOLLIN | EPOLLRDNORM;
	if (atomic_read(&session->requests) < CVM_MAX_SESSION)
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}
