// SPDX-License-Identifier: MIT
/* A context: which sources of evidence this machine has. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "driver/merkle.h"
#include "lib.h"

/* The last fields that the first version had */
#define OPEN_OPTS_MIN	CVM_STRUCT_UP_TO(struct cvm_open_opts, reserved)
#define STATUS_MIN	CVM_STRUCT_UP_TO(struct cvm_status, scope)

CVM_STRUCT_FROZEN(struct cvm_open_opts, OPEN_OPTS_MIN, 40);
CVM_STRUCT_FROZEN(struct cvm_status, STATUS_MIN, 328);

/* what the library can share among the requests of one call */
#define CAN_GATHER	(CVM_TYPE_BIT(CVM_EVIDENCE_SNP_REPORT) | \
			 CVM_TYPE_BIT(CVM_EVIDENCE_TDX_QUOTE) | \
			 CVM_TYPE_BIT(CVM_EVIDENCE_HCL_REPORT))

static void free_ctx(struct cvm_ctx **ctx)
{
	cvm_close(*ctx);
}

void cvm_close(struct cvm_ctx *ctx)
{
	if (!ctx)
		return;
	for (size_t i = 0; i < ctx->count; i++)
		if (ctx->source[i].backend->close)
			ctx->source[i].backend->close(&ctx->source[i]);
	free(ctx);
}

static int add_source(struct cvm_ctx *ctx, const struct cvm_backend *backend,
		      const struct cvm_open_opts *opts, struct cvm_error *error)
{
	struct cvm_source *source = &ctx->source[ctx->count];
	int rc;

	*source = (struct cvm_source) {
		.backend = backend, .root = ctx->root, .fd = -ENODEV, .batch_fd = -ENODEV,
	};
	snprintf(source->status.backend, sizeof(source->status.backend), "%s", backend->name);
	rc = backend->open(source, opts, error);
	if (!rc)
		ctx->count++;
	return rc;
}

/*
 * Azure's machines are Hyper-V's. Who says so is the host, and it only decides who is asked. A
 * container may not see it: @hidden
 */
static bool is_hyperv(const struct cvm_ctx *ctx, bool *hidden)
{
	static const char vendor[] = "Microsoft Corporation";
	__cleanup_free void *text = NULL;
	char path[PATH_MAX];
	size_t len;

	*hidden = snprintf(path, sizeof(path), "%s/sys/class/dmi/id/sys_vendor", ctx->root) >= PATH_MAX ||
		  cvm_read_file(path, 4096, &text, &len);
	return !*hidden && !strncmp(text, vendor, sizeof(vendor) - 1);
}

static bool has_tpm(const struct cvm_ctx *ctx)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/dev/tpmrm0", ctx->root) < PATH_MAX &&
	       !access(path, F_OK);
}

/*
 * Most machines have a TPM, and with it nothing to do here, whatever is wrong with it: it
 * is not even asked. One that has the paravisor's index, of a size that it can be, is
 * another matter.
 */
static int add_vtpm(struct cvm_ctx *ctx, const struct cvm_open_opts *opts,
		    struct cvm_error *error)
{
	bool hidden = false;
	int rc = opts->tcti || is_hyperv(ctx, &hidden) ?
		 add_source(ctx, &cvm_backend_vtpm, opts, error) : -ENODEV;

	if (hidden && has_tpm(ctx))
		return cvm_set_error(error, -ENXIO, "no source of evidence but perhaps the TPM, which is not asked: /sys/class/dmi/id/sys_vendor, which would say that this is Azure, is hidden; if it is, name the backend: vtpm");
	return rc && rc != -ENOMEM && !ctx->source[ctx->count].status.max_evidence ? -ENODEV : rc;
}

/*
 * The driver knows everything that the platform can do. Without it, the
 * kernel's own two doors complement each other. What is absent is passed over;
 * what is there and fails is the machine's trouble, and is said.
 */
static int add_best(struct cvm_ctx *ctx, const struct cvm_open_opts *opts,
		    struct cvm_error *error)
{
	static const struct cvm_backend *const own[] = { &cvm_backend_tsm, &cvm_backend_native };
	int rc = add_source(ctx, &cvm_backend_cvm, opts, error);

	if (rc != -ENODEV || opts->batch_fd)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		rc = add_source(ctx, own[i], opts, error);
		if (rc && rc != -ENODEV)
			return rc;
	}
	if (ctx->count)
		return 0;
	rc = add_vtpm(ctx, opts, error);
	if (rc == -ENXIO)
		return -ENODEV;
	if (rc != -ENODEV)
		return rc;
	return cvm_set_error(error, -ENODEV, "no source of evidence: neither /dev/cvm/report nor configfs-tsm nor /dev/sev-guest nor /dev/tdx_guest is there, nor a TPM with a paravisor's report that this process may use; is this a confidential VM, and the driver loaded ('cvmctl module load')?");
}

static int add_named(struct cvm_ctx *ctx, const struct cvm_open_opts *opts,
		     struct cvm_error *error)
{
	static const struct cvm_backend *const all[] = {
		&cvm_backend_cvm, &cvm_backend_tsm, &cvm_backend_native, &cvm_backend_vtpm,
		&cvm_backend_sim,
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!strcmp(opts->backend, all[i]->name))
			return add_source(ctx, all[i], opts, error);
	return cvm_set_error(error, -EINVAL, "'%s' is no backend: cvm, tsm, native, vtpm or sim is expected",
			     opts->backend);
}

int cvm_open(struct cvm_ctx **out, const struct cvm_open_opts *given, struct cvm_error *error)
{
	__cleanup(free_ctx) struct cvm_ctx *ctx = calloc(1, sizeof(*ctx));
	struct cvm_open_opts opts = { .size = sizeof(opts) };
	int rc = 0;

	*out = NULL;
	if (!ctx)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	if (given)
		rc = cvm_struct_in(&opts, sizeof(opts), OPEN_OPTS_MIN, given);
	if (rc)
		return cvm_set_error(error, rc, "cvm_open: options that this version of the library does not know");
	if (opts.root && snprintf(ctx->root, sizeof(ctx->root), "%s", opts.root) >= PATH_MAX)
		return cvm_set_error(error, -ENAMETOOLONG, "cvm_open: the root's path is too long");
	if (opts.reserved)
		return cvm_set_error(error, -EINVAL, "cvm_open: reserved options are given");
	if (opts.batch_fd && opts.backend && strcmp(opts.backend, "cvm"))
		return cvm_set_error(error, -EINVAL, "cvm_open: an open batch file is given, and the backend is not cvm");
	atomic_flag_clear(&ctx->async);
	rc = opts.backend ? add_named(ctx, &opts, error) : add_best(ctx, &opts, error);
	if (!rc)
		*out = cvm_take_ptr(ctx);
	return rc;
}

/* What several sources offer together; the first one's name and limits. */
int cvm_status(struct cvm_ctx *ctx, struct cvm_status *out, struct cvm_error *error)
{
	const struct cvm_source *first = &ctx->source[0];
	struct cvm_status status = first->status;
	size_t size = out->size;
	int rc = 0;

	if (size < STATUS_MIN)
		return cvm_set_error(error, -EINVAL, "cvm_status: the struct is shorter than that of version 0.1");
	if (first->backend->refresh)
		rc = first->backend->refresh(first, &status, error);
	if (rc)
		return rc;
	for (size_t i = 1; i < ctx->count; i++)
		status.types |= ctx->source[i].status.types;
	if (!first->backend->batches && status.types & CAN_GATHER) {
		status.max_leaves = CVM_MAX_TREE;
		status.scope = cvm_gather_scope();
	}
	status.size = size < sizeof(status) ? size : sizeof(status);
	memcpy(out, &status, status.size);
	return 0;
}
