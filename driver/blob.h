/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that several requests refer to, which goes with the last of them.
 */
#ifndef CVM_BLOB_H
#define CVM_BLOB_H

#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/types.h>

struct cvm_blob {
	refcount_t ref;
	u32 len;
	u8 data[] __counted_by(len);
};

/* @len bytes that nobody has written yet, with one reference; NULL: no memory */
static inline struct cvm_blob *cvm_blob_alloc(u32 len)
{
	struct cvm_blob *blob;

	blob = kvmalloc(struct_size(blob, data, len), GFP_KERNEL);
	if (!blob)
		return NULL;
	refcount_set(&blob->ref, 1);
	blob->len = len;
	return blob;
}

static inline struct cvm_blob *cvm_blob_get(struct cvm_blob *blob)
{
	refcount_inc(&blob->ref);
	return blob;
}

/* @blob: or NULL */
static inline void cvm_blob_put(struct cvm_blob *blob)
{
	if (blob && refcount_dec_and_test(&blob->ref))
		kvfree(blob);
}

#endif /* CVM_BLOB_H */
