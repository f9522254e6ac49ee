// SPDX-License-Identifier: GPL-2.0
/*
 * What a driver did that hardware would punish: counted, logged, and told to
 * cvm-fwd, which fails the run.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/irq_work.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "sim.h"

#define TEXT_LEN	192
#define QUEUE_LEN	32
#define MAX_TEXTS	256		/* beyond them only the count goes on */

static DEFINE_RAW_SPINLOCK(lock);
static char texts[QUEUE_LEN][TEXT_LEN];
static unsigned int head, tail;
static unsigned long total;

static bool next_text(char *text)
{
	guard(raw_spinlock_irqsave)(&lock);
	if (head == tail)
		return false;
	memcpy(text, texts[tail % QUEUE_LEN], TEXT_LEN);
	tail++;
	return true;
}

static void send_texts(struct work_struct *work)
{
	char text[TEXT_LEN];

	while (sim_link_open() && next_text(text)) {
		size_t len = strlen(text);
		struct sim_frame *frame = sim_frame_new(FW_VIOLATION, len);

		if (!frame)
			return;
		memcpy(frame->payload, text, len);
		sim_send(frame, NULL);
	}
}

static DECLARE_WORK(send_work, send_texts);

void sim_violation_flush(void)
{
	queue_work(sim_queue, &send_work);
}

static void kick(struct irq_work *work)
{
	sim_violation_flush();
}

/* the caller may hold the scheduler's or the allocator's locks */
static struct irq_work kick_work;

static bool record(const char *text)
{
	guard(raw_spinlock_irqsave)(&lock);
	WRITE_ONCE(total, total + 1);
	if (total > MAX_TEXTS)
		return false;
	if (head - tail < QUEUE_LEN)
		strscpy(texts[head++ % QUEUE_LEN], text, TEXT_LEN);
	return true;
}

void sim_violation(const char *fmt, ...)
{
	char text[TEXT_LEN];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	scnprintf(text + len, sizeof(text) - len, " [%s %d]", current->comm, current->pid);
	if (!record(text))
		return;
	if (sim_strict())
		pr_err("VIOLATION: %s\n", text);
	else
		pr_info("noted: %s\n", text);
	irq_work_queue(&kick_work);
}

unsigned long sim_violations(void)
{
	return READ_ONCE(total);
}

void sim_violation_init(void)
{
	init_irq_work(&kick_work, kick);
}

void sim_violation_exit(void)
{
	irq_work_sync(&kick_work);
	cancel_work_sync(&send_work);
}
