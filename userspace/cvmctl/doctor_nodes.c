// SPDX-License-Identifier: MIT
/* Who can reach the nodes, by their modes and by groups. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "doctor.h"
#include "doctor_nodes.h"

#define MISC	"/sys/class/misc/"

const struct node doctor_device_nodes[DEVICE_NODES] = {
	{ BATCH_NODE, MISC "cvm_batch", "proofs of its own scope", 0660, "cvm" },
	{ "/dev/cvm/report", MISC "cvm_report", "reports with any REPORT_DATA", 0660, NULL },
	{ "/dev/cvm/key", MISC "cvm_key", "the keys that seal disks", 0600, NULL },
	{ "/dev/sev-guest", MISC "sev-guest", "reports and the keys that seal disks", 0600, NULL },
	{ "/dev/tdx_guest", MISC "tdx_guest", "TDREPORTs with any REPORTDATA", 0600, NULL },
};

/* NULL, or what is too much; @text has room for NAME_MAX bytes */
static const char *too_open(const struct doctor *d, const struct node *node,
			    const struct stat *st, char *text)
{
	mode_t mode = st->st_mode & 07777;
	gid_t gid = st->st_gid;
	__cleanup_free char *group = doctor_find_group(d, NULL, &gid);

	if (st->st_uid != 0) {
		snprintf(text, NAME_MAX, "it belongs to uid %u", st->st_uid);
		return text;
	}
	if (mode & 07)
		return "everybody may open it";
	/* root's own group is nobody else's */
	if (!(mode & 070) || st->st_gid == 0)
		return NULL;
	if (node->mode & 070 &&
	    (!node->group || (group && !strcmp(group, node->group))))
		return NULL;
	snprintf(text, NAME_MAX, "members of group %s may open it", group ? group : "?");
	return text;
}

static void check_node(struct doctor *d, const struct node *node)
{
	char path[PATH_MAX], command[COMMAND_MAX], text[NAME_MAX];
	struct stat st;
	const char *fault;

	if (stat(doctor_path(d, path, "%s", node->path), &st)) {
		if (doctor_exists(d, node->class))
			finding(d, NODE_MISSING,
				"udevadm trigger --action=add --subsystem-match=misc",
				"the driver offers %s, and /dev does not have it: udev has not made it",
				node->path);
		return;
	}
	if (!S_ISCHR(st.st_mode)) {
		snprintf(command, sizeof(command), "rm -r %s", node->path);
		finding(d, NODE_FALSE, command, "%s is no device: somebody has put it there",
			node->path);
		return;
	}
	fault = too_open(d, node, &st, text);
	if (!fault) {
		fine(d, "nodes", "%s: mode %04o", node->path, st.st_mode & 07777);
		return;
	}
	snprintf(command, sizeof(command), "chown root:%s %s && chmod %04o %s",
		 node->group ? node->group : "root", node->path, node->mode, node->path);
	finding(d, NODE_OPEN, command, "%s gives %s, and %s", node->path, node->gives, fault);
}

void doctor_nodes(struct doctor *d)
{
	for (size_t i = 0; i < DEVICE_NODES; i++)
		check_node(d, &doctor_device_nodes[i]);
}

/* the node of the kernel's own driver, where ours serves it */
void doctor_dropin(struct doctor *d)
{
	bool snp = d->tee == CVM_TEE_SNP;
	const char *node = snp ? "/dev/sev-guest" : "/dev/tdx_guest";
	__cleanup_free char *on = doctor_line(d, "/sys/module/cvm_guest/parameters/drop_in");

	if (!d->ours || !on)
		return;
	if (*on == 'Y' && snp)
		finding(d, DROPIN_KEYS,
			"echo options cvm_guest drop_in=0 >/etc/modprobe.d/cvm-guest-drop-in.conf",
			"%s gives both reports and the keys that seal disks to whoever may open it, which /dev/cvm/report and /dev/cvm/key keep apart; the option counts from when cvm_guest is loaded again",
			node);
	else if (*on == 'Y')
		fine(d, "dropin", "%s is there for programs that know no other", node);
	else if (doctor_exists(d, snp ? MISC "sev-guest" : MISC "tdx_guest"))
		finding(d, DROPIN_TAKEN, NULL,
			"%s is another driver's: programs that open it do not reach cvm_guest", node);
	else
		fine(d, "dropin", "there is no %s", node);
}

void doctor_group(struct doctor *d)
{
	char path[PATH_MAX];
	gid_t gid;
	struct stat st;
	__cleanup_free char *group = doctor_find_group(d, "cvm", &gid);

	if (stat(doctor_path(d, path, BATCH_NODE), &st))
		return;
	if (!group)
		finding(d, GROUP_MISSING,
			"groupadd --system cvm && udevadm trigger --action=add " BATCH_NODE,
			"there is no group cvm: only root can use " BATCH_NODE);
	else if (st.st_gid != gid || (st.st_mode & 060) != 060)
		finding(d, GROUP_NODE, "chown root:cvm " BATCH_NODE " && chmod 0660 " BATCH_NODE,
			BATCH_NODE " is not for the group cvm to read and write: its members cannot use it");
	else
		fine(d, "group", "group cvm may use " BATCH_NODE);
}
