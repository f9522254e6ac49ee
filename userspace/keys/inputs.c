// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "common/api.h"
#include "common/util.h"
#include "inputs.h"

static const char *const mixes[] = {
	"policy", "image", "family", "measurement", "svn", "tcb", "mit",
};

static const char *const roots[] = { "vcek", "vmrk", "tpm" };

const char *cvm_mix_name(unsigned int bit)
{
	return bit < ARRAY_SIZE(mixes) ? mixes[bit] : NULL;
}

uint32_t cvm_mix_bit(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(mixes); i++)
		if (strlen(mixes[i]) == len && !memcmp(mixes[i], name, len))
			return 1U << i;
	return 0;
}

uint32_t cvm_mix_parse(const char *text)
{
	uint32_t mix = 0;

	for (;;) {
		size_t len = strcspn(text, ",");
		uint32_t bit = cvm_mix_bit(text, len);

		if (!bit || mix & bit)
			return 0;
		mix |= bit;
		if (!text[len])
			return mix;
		text += len + 1;
	}
}

const char *cvm_mix_text(uint32_t mix, char text[CVM_MIX_TEXT])
{
	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(mixes); i++) {
		if (!(mix & 1U << i))
			continue;
		if (text[0])
			strcat(text, ",");
		strcat(text, mixes[i]);
	}
	return text[0] ? text : strcpy(text, "none");
}

const char *cvm_root_name(uint32_t root)
{
	return root < ARRAY_SIZE(roots) ? roots[root] : "unknown";
}

int cvm_root_parse(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		if (!strcmp(name, roots[i]))
			return (int)i;
	return -1;
}

bool cvm_tcb_within(uint64_t a, uint64_t b)
{
	/* a component is a byte, on each product another one; reserved ones are 0 */
	for (unsigned int shift = 0; shift < 64; shift += 8)
		if ((a >> shift & 0xff) > (b >> shift & 0xff))
			return false;
	return true;
}

void cvm_key_inputs_newest(struct cvm_key_inputs *inputs, uint32_t root, uint32_t mix,
			   const struct cvm_key_facts *facts)
{
	*inputs = (struct cvm_key_inputs){ .root = root };
	if (root == CVM_ROOT_TPM)
		return;
	*inputs = (struct cvm_key_inputs){
		.root = root,
		.mix = mix,
		.vmpl = facts->vmpl,
		.guest_svn = mix & CVM_MIX_GUEST_SVN ? facts->guest_svn : 0,
		.tcb = mix & CVM_MIX_TCB ? facts->committed_tcb : 0,
		.launch_mit = mix & CVM_MIX_LAUNCH_MIT ? facts->launch_mit : 0,
	};
}

int cvm_key_inputs_check(const struct cvm_key_inputs *inputs, const struct cvm_key_facts *facts,
			 struct cvm_error *error)
{
	if (!cvm_tcb_within(inputs->tcb, facts->committed_tcb))
		return cvm_set_error(error, -ESTALE, "the key is of TCB %016llx, which is above the committed %016llx: the firmware has been rolled back, or this is another machine",
				     (unsigned long long)inputs->tcb,
				     (unsigned long long)facts->committed_tcb);
	if (inputs->guest_svn > facts->guest_svn)
		return cvm_set_error(error, -ESTALE, "the key is of guest SVN %u, which is above this guest's %u: the guest has been rolled back",
				     inputs->guest_svn, facts->guest_svn);
	if (inputs->mix & CVM_MIX_LAUNCH_MIT &&
	    (!facts->has_launch_mit || inputs->launch_mit & ~facts->launch_mit))
		return cvm_set_error(error, -ESTALE, "the key is of launch mitigations %016llx, and this guest was launched with %016llx: something has been rolled back",
				     (unsigned long long)inputs->launch_mit,
				     (unsigned long long)facts->launch_mit);
	if (inputs->vmpl < facts->vmpl)
		return cvm_set_error(error, -EINVAL, "the key is of VMPL %u, and this kernel runs at VMPL %u, which may not ask for it",
				     inputs->vmpl, facts->vmpl);
	return 0;
}
