// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/cvm-fw: requests go out as frames, answers come back. A byte stream:
 * read() returns what there is, write() takes parts of frames. One opener;
 * when it closes, everything that waits is answered as by a dead host.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include "sim.h"

/* below the 120 s of the hung task detector */
#define ANSWER_TIMEOUT	(100 * HZ)

static struct {
	spinlock_t lock;		/* the next five */
	bool open, broken;
	u64 last_id;
	struct list_head outbox;	/* struct sim_frame */
	struct list_head waiting;	/* struct sim_call */
	wait_queue_head_t wait;

	struct mutex read_lock;
	struct sim_frame *reading;

	struct mutex write_lock;	/* the frame that is coming in */
	struct fw_frame head;
	size_t head_len, payload_len;
	void *payload;
} io = {
	.lock = __SPIN_LOCK_UNLOCKED(io.lock),
	.outbox = LIST_HEAD_INIT(io.outbox),
	.waiting = LIST_HEAD_INIT(io.waiting),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(io.wait),
	.read_lock = __MUTEX_INITIALIZER(io.read_lock),
	.write_lock = __MUTEX_INITIALIZER(io.write_lock),
};

/* ---- the side of those who ask ---- */

bool sim_link_open(void)
{
	return READ_ONCE(io.open) && !READ_ONCE(io.broken);
}

struct sim_frame *sim_frame_new(u32 type, size_t len)
{
	struct sim_frame *frame = kvzalloc(struct_size(frame, payload, len), GFP_KERNEL);

	if (frame) {
		frame->head.magic = FW_MAGIC;
		frame->head.type = type;
		frame->head.len = len;
	}
	return frame;
}

static bool enqueue(struct sim_frame *frame, struct sim_call *call)
{
	guard(spinlock)(&io.lock);
	if (!io.open || io.broken)
		return false;
	frame->head.id = ++io.last_id;
	if (call) {
		call->id = frame->head.id;
		call->type = frame->head.type;
		list_add_tail(&call->node, &io.waiting);
	}
	list_add_tail(&frame->node, &io.outbox);
	return true;
}

int sim_send(struct sim_frame *frame, struct sim_call *call)
{
	if (!enqueue(frame, call)) {
		kvfree(frame);
		return -EIO;
	}
	wake_up(&io.wait);
	return 0;
}

bool sim_cancel(struct sim_call *call)
{
	struct sim_call *each;

	guard(spinlock)(&io.lock);
	list_for_each_entry(each, &io.waiting, node) {
		if (each == call) {
			list_del(&call->node);
			return true;
		}
	}
	return false;
}

struct sync_call {
	struct sim_call call;
	struct completion done;
};

static void sync_done(struct sim_call *call)
{
	complete(&container_of(call, struct sync_call, call)->done);
}

int sim_ask(struct sim_frame *frame, struct sim_call *answer)
{
	struct sync_call sync = { .call.done = sync_done };
	int ret;

	if (!frame)
		return -ENOMEM;
	init_completion(&sync.done);
	ret = sim_send(frame, &sync.call);
	if (ret)
		return ret;
	if (!wait_for_completion_timeout(&sync.done, ANSWER_TIMEOUT)) {
		if (sim_cancel(&sync.call)) {
			pr_err("no answer in %d s to a request of type %u\n",
			       ANSWER_TIMEOUT / HZ, sync.call.type);
			return -EIO;
		}
		wait_for_completion(&sync.done);
	}
	*answer = sync.call;
	return sync.call.error;
}

static void fail_waiting(void)
{
	struct sim_call *call, *next;
	LIST_HEAD(failed);

	scoped_guard(spinlock, &io.lock)
		list_splice_init(&io.waiting, &failed);
	list_for_each_entry_safe(call, next, &failed, node) {
		call->error = -EIO;
		call->payload = NULL;
		call->done(call);
	}
}

/* ---- the side of cvm-fwd ---- */

static struct sim_frame *next_frame(void)
{
	struct sim_frame *frame;

	guard(spinlock)(&io.lock);
	frame = list_first_entry_or_null(&io.outbox, struct sim_frame, node);
	if (frame)
		list_del(&frame->node);
	return frame;
}

/* as much as there is and fits; io.read_lock is held */
static ssize_t read_frames(char __user *buf, size_t count)
{
	size_t done = 0;

	while (done < count) {
		struct sim_frame *frame = io.reading ?: next_frame();
		size_t n;

		io.reading = frame;
		if (!frame)
			break;
		n = min(count - done, sizeof(frame->head) + frame->head.len - frame->done);
		if (copy_to_user(buf + done, (u8 *)&frame->head + frame->done, n))
			return done ? done : -EFAULT;
		done += n;
		frame->done += n;
		if (frame->done == sizeof(frame->head) + frame->head.len) {
			kvfree(frame);
			io.reading = NULL;
		}
	}
	return done;
}

static bool readable(void)
{
	return READ_ONCE(io.reading) || !list_empty_careful(&io.outbox) || READ_ONCE(io.broken);
}

static ssize_t link_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	if (!count)
		return 0;
	for (;;) {
		ssize_t n;

		scoped_guard(mutex, &io.read_lock)
			n = read_frames(buf, count);
		if (n)
			return n;
		if (READ_ONCE(io.broken))
			return -EBADMSG;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(io.wait, readable()))
			return -ERESTARTSYS;
	}
}

static struct sim_call *take_call(u64 id, u32 type)
{
	struct sim_call *call;

	guard(spinlock)(&io.lock);
	list_for_each_entry(call, &io.waiting, node) {
		if (call->id == id && call->type == type) {
			list_del(&call->node);
			return call;
		}
	}
	return NULL;
}

static void reset_incoming(void)
{
	io.head_len = 0;
	io.payload_len = 0;
	kvfree(io.payload);
	io.payload = NULL;
}

/* nobody waits: the answer came too late, or to a frame that wanted none */
static void deliver(void)
{
	struct sim_call *call = take_call(io.head.id, io.head.type);

	if (call) {
		call->head = io.head;
		call->payload = io.payload;
		call->error = 0;
		io.payload = NULL;
		call->done(call);
	}
	reset_incoming();
}

/* by a kernel half; the others are asked by programs */
static bool asked(u32 type)
{
	return (type >= FW_HELLO && type <= FW_VIOLATION) || type == FW_SVSM_ATTEST;
}

static int check_head(void)
{
	if (io.head.magic != FW_MAGIC || io.head.len > FW_MAX_PAYLOAD || !asked(io.head.type))
		return -EBADMSG;
	if (!io.head.len)
		return 0;
	io.payload = kvmalloc(io.head.len, GFP_KERNEL);
	return io.payload ? 0 : -ENOMEM;
}

/* one piece of a frame: the bytes it took, or an error */
static ssize_t write_piece(const char __user *buf, size_t count)
{
	bool in_head = io.head_len < sizeof(io.head);
	size_t *have = in_head ? &io.head_len : &io.payload_len;
	void *to = in_head ? (void *)&io.head : io.payload;
	size_t n = min(count, (in_head ? sizeof(io.head) : io.head.len) - *have);
	int ret;

	if (copy_from_user(to + *have, buf, n))
		return -EFAULT;
	*have += n;
	if (in_head && io.head_len == sizeof(io.head)) {
		ret = check_head();
		if (ret)
			return ret;
	}
	if (io.head_len == sizeof(io.head) && io.payload_len == io.head.len)
		deliver();
	return n;
}

/* where the next frame starts is not known any more */
static void break_link(int error)
{
	pr_err("not a frame from cvm-fwd (%d): the stream is dead until it is reopened\n", error);
	scoped_guard(spinlock, &io.lock)
		io.broken = true;
	wake_up_all(&io.wait);
	fail_waiting();
}

static ssize_t link_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	size_t done = 0;

	guard(mutex)(&io.write_lock);
	while (done < count) {
		ssize_t n = READ_ONCE(io.broken) ? -EBADMSG : write_piece(buf + done, count - done);

		if (n < 0) {
			if (n == -EFAULT && done)
				break;
			if (n != -EFAULT && !READ_ONCE(io.broken))
				break_link(n);
			return n;
		}
		done += n;
	}
	return done;
}

static __poll_t link_poll(struct file *file, poll_table *table)
{
	poll_wait(file, &io.wait, table);
	if (READ_ONCE(io.broken))
		return EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLHUP;
	return EPOLLOUT | EPOLLWRNORM | (readable() ? EPOLLIN | EPOLLRDNORM : 0);
}

static int link_open(struct inode *inode, struct file *file)
{
	int ret;

	scoped_guard(spinlock, &io.lock) {
		if (io.open)
			return -EBUSY;
		io.broken = false;
		io.open = true;
	}
	ret = sim_hello();
	if (ret) {
		WRITE_ONCE(io.open, false);
		return ret;
	}
	sim_violation_flush();
	return stream_open(inode, file);
}

static int link_release(struct inode *inode, struct file *file)
{
	struct sim_frame *frame;

	/* io.open is left to the end: nobody may open what is being reset */
	scoped_guard(spinlock, &io.lock)
		io.broken = true;
	fail_waiting();
	kvfree(io.reading);
	io.reading = NULL;
	while ((frame = next_frame()))
		kvfree(frame);
	reset_incoming();
	WRITE_ONCE(io.open, false);
	return 0;
}

static const struct file_operations link_fops = {
	.owner = THIS_MODULE,
	.open = link_open,
	.release = link_release,
	.read = link_read,
	.write = link_write,
	.poll = link_poll,
};

static struct miscdevice link_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "cvm-fw",
	.mode = 0600,
	.fops = &link_fops,
};

int sim_link_init(void)
{
	return misc_register(&link_misc);
}

/* the module's reference is the opener's: nobody has it open here */
void sim_link_exit(void)
{
	misc_deregister(&link_misc);
}
