// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/cvm_platform_sim:
 *   ready		1 once cvm-fwd has said which platform this is
 *   control		KEY=VALUE lines for cvm-fwd; its refusal is -EINVAL, and
 *			its words are in the kernel log. fail_decrypt_n and
 *			fail_encrypt_n are the kernel half's own
 *   status		cvm-fwd's KEY=VALUE lines
 *   seam		the kernel half's: T and what else happened; write 0
 *			to start over
 *   shared_pages	pages that the host can access now
 *   violations		broken rules so far, whether they fail the run or not
 *   fail_decrypt_n	the n-th set_memory_decrypted() from now fails, and
 *   fail_encrypt_n	leaves its pages in an unknown state; 0: none
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "sim.h"

/* ---- control ---- */

static int set_count(atomic_t *count, const char *value)
{
	unsigned int n;
	int ret = kstrtouint(value, 0, &n);

	if (ret || n > INT_MAX)
		return -EINVAL;
	atomic_set(count, n);
	return 0;
}

/* 0: done; 1: not ours, it goes to cvm-fwd */
static int own_line(const char *line)
{
	const char *value;

	value = line + strcspn(line, "=");
	if (!*value)
		return 1;
	value++;
	if (strstarts(line, "fail_decrypt_n="))
		return set_count(&sim_fail_decrypt, value);
	if (strstarts(line, "fail_encrypt_n="))
		return set_count(&sim_fail_encrypt, value);
	return 1;
}

static int send_lines(const char *lines)
{
	struct sim_frame *frame = sim_frame_new(FW_CONTROL, strlen(lines));
	struct sim_call answer = {};
	int ret;

	if (frame)
		memcpy(frame->payload, lines, strlen(lines));
	ret = sim_ask(frame, &answer);
	if (!ret && (answer.head.len || answer.head.status)) {
		pr_info("control: %.*s\n", (int)min(answer.head.len, 512U),
			(const char *)answer.payload ?: "");
		ret = -EINVAL;
	}
	kvfree(answer.payload);
	return ret;
}

/* what cvm-fwd took, and the kernel half must know too */
static void follow_lines(char *lines)
{
	char *line;

	while ((line = strsep(&lines, "\n")))
		if (!strcmp(line, "strict=0") || !strcmp(line, "strict=1"))
			sim_set_strict(line[7] == '1');
}

static int handle_lines(char *text, char *theirs)
{
	char *line;
	int ret;

	while ((line = strsep(&text, "\n"))) {
		line = strim(line);
		if (!*line)
			continue;
		ret = own_line(line);
		if (ret < 0)
			return ret;
		if (ret) {
			strcat(theirs, line);
			strcat(theirs, "\n");
		}
	}
	if (!*theirs)
		return 0;
	theirs[strlen(theirs) - 1] = '\0';
	ret = send_lines(theirs);
	if (!ret)
		follow_lines(theirs);
	return ret;
}

static ssize_t control_store(struct kobject *kobj, struct kobj_attribute *attr,
			     const char *buf, size_t count)
{
	char *text __free(kfree) = kstrndup(buf, count, GFP_KERNEL);
	char *theirs __free(kfree) = kzalloc(count + 2, GFP_KERNEL);
	int ret;

	if (!text || !theirs)
		return -ENOMEM;
	ret = handle_lines(text, theirs);
	return ret ?: count;
}

static ssize_t status_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct sim_call answer = {};
	int ret = sim_ask(sim_frame_new(FW_STATUS, 0), &answer);
	size_t len = min_t(size_t, answer.head.len, PAGE_SIZE - 1);

	if (!ret && len)
		memcpy(buf, answer.payload, len);
	kvfree(answer.payload);
	if (ret)
		return ret;
	/* what does not fit ends with a whole line */
	while (len && answer.head.len > len && buf[len - 1] != '\n')
		len--;
	return len;
}

/* ---- the kernel half's own ---- */

static ssize_t ready_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", sim_ready());
}

static ssize_t seam_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	int n = sim_stats_show(buf);

	return n + sysfs_emit_at(buf, n, "read_once_checked=%d\n", sim_watch_works());
}

static ssize_t seam_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t count)
{
	if (!sysfs_streq(buf, "0"))
		return -EINVAL;
	sim_stats_reset();
	return count;
}

static ssize_t shared_pages_show(struct kobject *kobj, struct kobj_attribute *attr,
				 char *buf)
{
	return sysfs_emit(buf, "%ld\n", sim_pages_shared());
}

static ssize_t violations_show(struct kobject *kobj, struct kobj_attribute *attr,
			       char *buf)
{
	return sysfs_emit(buf, "%lu\n", sim_violations());
}

static atomic_t *countdown(const struct kobj_attribute *attr)
{
	return strstarts(attr->attr.name, "fail_decrypt") ? &sim_fail_decrypt : &sim_fail_encrypt;
}

static ssize_t fail_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", max(atomic_read(countdown(attr)), 0));
}

static ssize_t fail_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t count)
{
	return set_count(countdown(attr), buf) ?: count;
}

static struct kobj_attribute ready_attr = __ATTR_RO(ready);
static struct kobj_attribute control_attr = __ATTR_WO(control);
static struct kobj_attribute status_attr = __ATTR_RO(status);
static struct kobj_attribute seam_attr = __ATTR_RW(seam);
static struct kobj_attribute shared_pages_attr = __ATTR_RO(shared_pages);
static struct kobj_attribute violations_attr = __ATTR_RO(violations);
static struct kobj_attribute fail_decrypt_attr =
	__ATTR(fail_decrypt_n, 0644, fail_show, fail_store);
static struct kobj_attribute fail_encrypt_attr =
	__ATTR(fail_encrypt_n, 0644, fail_show, fail_store);

static struct attribute *attrs[] = {
	&ready_attr.attr, &control_attr.attr, &status_attr.attr, &seam_attr.attr,
	&shared_pages_attr.attr, &violations_attr.attr, &fail_decrypt_attr.attr,
	&fail_encrypt_attr.attr, NULL
};

static const struct attribute_group group = { .attrs = attrs };

static struct kobject *dir;

void sim_control_ready(void)
{
	sysfs_notify(dir, NULL, "ready");
}

int sim_control_init(void)
{
	int ret;

	dir = kobject_create_and_add(KBUILD_MODNAME, kernel_kobj);
	if (!dir)
		return -ENOMEM;
	ret = sysfs_create_group(dir, &group);
	if (ret)
		kobject_put(dir);
	return ret;
}

/* returns when nobody reads or writes one of the files any more */
void sim_control_exit(void)
{
	sysfs_remove_group(dir, &group);
	kobject_put(dir);
}
