/* SPDX-License-Identifier: MIT */
/*
 * Azure's vTPM, in which a paravisor keeps its report: "HCL report", with claims whose
 * hash the hardware report carries. The claims have user-data, which is what the guest
 * has left in an NV index; the report is made anew when it is read from its beginning,
 * but not twice in 2 s, and what is old then is given without a word. So what has come
 * is compared each time, and nothing that is not about the request is ever given.
 */
#ifndef CVM_LIB_VTPM_H
#define CVM_LIB_VTPM_H

#include <openssl/evp.h>
#include <sys/types.h>
#include <tss2/tss2_esys.h>

#include "common/cleanup.h"
#include "driver/merkle.h"
#include "lib.h"

/* NV indices and a key, as the paravisor has them */
#define CVM_VTPM_REPORT		0x01400001U
#define CVM_VTPM_USER_DATA	0x01400002U
#define CVM_VTPM_AK		0x81000003U

#define CVM_VTPM_NODE		"/dev/tpmrm0"

/* longer than any report: 2,048 to 2,900 bytes have been seen */
#define CVM_VTPM_REPORT_MAX	8192U

/* what ESYS has allocated */
#define __cleanup_esys	__cleanup(cvm_cleanup_esys)

static inline void cvm_cleanup_esys(void *pointer)
{
	Esys_Free(*(void **)pointer);
}

/**
 * struct cvm_share_word - by which those who wait for what a batch shares are woken
 * @at: for the kernel alone to look at, or NULL
 * @dev, @ino: the file that has it
 */
struct cvm_share_word {
	uint32_t *at;
	dev_t dev;
	ino_t ino;
};

/**
 * struct cvm_vtpm_place - where a vTPM is; nothing but @renewed_ms changes
 * @node: path of the TPM's node
 * @lock: of what who uses it for a report has locked
 * @tcti: another way to it, or NULL
 * @imds: base URL of the host's service
 * @renewed_ms: when the report was last seen to be new: CLOCK_MONOTONIC; 0: never
 * @share_path: the file for what members of the driver's batches share
 * @share_fd: memory for that, of this context alone, where and when no such file can be, or -1
 * @done: the file's, as it was when the context was opened, and memory's
 */
struct cvm_vtpm_place {
	char node[PATH_MAX];
	char lock[PATH_MAX];
	char *tcti;
	char *imds;
	_Atomic int64_t renewed_ms;
	char share_path[PATH_MAX];
	int share_fd;
	struct cvm_share_word done[2];
};

/**
 * struct cvm_vtpm - a vTPM, open for one request
 * @place: where
 * @tcti: how to reach it
 * @loaded: @tcti is of the loader's
 * @esys: what speaks to it
 * @lock: keeps off others who want a report, or -1
 */
struct cvm_vtpm {
	struct cvm_vtpm_place *place;
	TSS2_TCTI_CONTEXT *tcti;
	bool loaded;
	ESYS_CONTEXT *esys;
	int lock;
};

/**
 * struct cvm_hcl - a report of a paravisor
 * @len: bytes of @data
 * @td: it has a TDREPORT, else an SNP report
 * @ak: HCLAkPub of its claims, for cvm_hcl_done()
 * @has_user_data: and so its claims
 * @user_data: of the claims
 * @data: as it is in the NV index
 */
struct cvm_hcl {
	size_t len;
	bool td;
	EVP_PKEY *ak;
	bool has_user_data;
	uint8_t user_data[CVM_REPORT_DATA_LEN];
	uint8_t data[CVM_VTPM_REPORT_MAX];
};

/* ---- hcl.c: pure */

/* Takes apart @hcl->data; the hardware report must carry the claims' hash. 0 or -EBADMSG */
int cvm_hcl_read(struct cvm_hcl *hcl, struct cvm_error *error);
void cvm_hcl_done(struct cvm_hcl *hcl);

/* Of one that was allocated, or NULL */
static inline void cvm_hcl_free(struct cvm_hcl **hcl)
{
	if (*hcl)
		cvm_hcl_done(*hcl);
	free(*hcl);
}

/* What an HCL report is about, for comparison. 0; -ENODATA: nothing; or -EBADMSG, -ENOMEM */
int cvm_hcl_about(const uint8_t *data, size_t len, uint8_t user_data[CVM_REPORT_DATA_LEN]);

/* ---- vtpm_place.c: makes and frees @source->vtpm; nothing is opened */

int cvm_vtpm_place(struct cvm_source *source, const struct cvm_open_opts *opts,
		   struct cvm_error *error);
void cvm_vtpm_unplace(struct cvm_source *source);

/* ---- vtpm.c */

/* 0, or why nobody would get far here; nothing is opened */
int cvm_vtpm_usable(const struct cvm_vtpm_place *place, struct cvm_error *error);

/* 0; -ENODEV: there is no TPM; or why it cannot be opened */
int cvm_vtpm_open(struct cvm_vtpm *vtpm, struct cvm_vtpm_place *place, struct cvm_error *error);
void cvm_vtpm_close(struct cvm_vtpm *vtpm);

/* Keep off others who want a report; they are waited for until @deadline, in ms. */
int cvm_vtpm_lock(struct cvm_vtpm *vtpm, int64_t deadline, struct cvm_error *error);
void cvm_vtpm_unlock(struct cvm_vtpm *vtpm);

int64_t cvm_vtpm_clock_ms(void);

/* ---- vtpm_nv.c: the two indices; each names what is wrong with one */

/*
 * -ENODEV: there is no report, so this is no guest of such a paravisor. @size: from
 * CVM_HCL_CLAIMS to CVM_VTPM_REPORT_MAX
 */
int cvm_vtpm_find_report(struct cvm_vtpm *vtpm, ESYS_TR *index, size_t *size,
			 struct cvm_error *error);

/*
 * @size bytes from @offset; the report is made anew by nothing but an offset of 0. -ENOENT:
 * somebody has taken the index away; -EBUSY: it has not been written yet
 */
int cvm_vtpm_read_nv(struct cvm_vtpm *vtpm, ESYS_TR index, size_t offset, void *data, size_t size,
		     struct cvm_error *error);

/* Makes the index of user-data, where there is none, and sees that it is as it must be. */
int cvm_vtpm_find_user_data(struct cvm_vtpm *vtpm, ESYS_TR *index, struct cvm_error *error);
int cvm_vtpm_write_nv(struct cvm_vtpm *vtpm, ESYS_TR index,
		      const uint8_t user_data[CVM_REPORT_DATA_LEN], struct cvm_error *error);

/* ---- vtpm_report.c */

/**
 * cvm_vtpm_report() - a report about @user_data, made after this was called
 * @vtpm: locked
 * @user_data: CVM_REPORT_DATA_LEN bytes
 * @unique: nobody has asked for them before
 * @deadline: ms of the monotonic clock
 * @hcl: out: for cvm_hcl_done()
 * @error: or NULL
 *
 * Return: 0; -ETIMEDOUT; -EIO, -EPERM, -EACCES: a report about them is never made, and
 * @error says why; -EBADMSG: what is there is no report.
 */
int cvm_vtpm_report(struct cvm_vtpm *vtpm, const uint8_t *user_data, bool unique,
		    int64_t deadline, struct cvm_hcl *hcl, struct cvm_error *error);

/* The report as it is there, whatever it is about: none is made anew. 0, or as above */
int cvm_vtpm_present(struct cvm_vtpm *vtpm, struct cvm_hcl *hcl, struct cvm_error *error);

/* ---- vtpm_quote.c */

/**
 * cvm_vtpm_quote() - a quote of all PCRs, by the key that the claims name
 * @vtpm: open
 * @ak: HCLAkPub: the TPM's own key must be it
 * @nonce: qualifyingData
 * @len: bytes, at most CVM_TPM_NONCE_LEN
 * @azure: out: message, signature and PCRs
 * @error: or NULL
 */
int cvm_vtpm_quote(struct cvm_vtpm *vtpm, EVP_PKEY *ak, const uint8_t *nonce, size_t len,
		   struct cvm_azure *azure, struct cvm_error *error);

/* Is it as the relying party will have it? 0, or why not; -EAGAIN: PCRs were extended */
int cvm_vtpm_check(const struct cvm_azure *azure, EVP_PKEY *ak, const uint8_t *nonce, size_t len,
		   struct cvm_error *error);

/* ---- vtpm_complete.c */

/**
 * cvm_azure_make() - what belongs to a report: a quote of the vTPM, and of the TDREPORT
 * @place: where the vTPM is
 * @hcl: the report, which has been read
 * @nonce: qualifyingData
 * @len: bytes
 * @deadline: ms of the monotonic clock; may be brought forward meanwhile
 * @azure: out: for cvm_azure_put()
 * @error: or NULL
 */
int cvm_azure_make(struct cvm_vtpm_place *place, const struct cvm_hcl *hcl, const uint8_t *nonce,
		   size_t len, const _Atomic int64_t *deadline, struct cvm_azure **azure,
		   struct cvm_error *error);

/* Every job gets its result: a quote, and the report that names its key */
void cvm_vtpm_quote_alone(const struct cvm_source *source, struct cvm_job *jobs, size_t count,
			  uint32_t timeout_ms);

/* ---- vtpm_share.c: what belongs to a batch's report, for all its members */

/**
 * struct cvm_share_key - which batch's it is, and the place for it
 * @tpm48: what the vTPM's quote is about
 * @report: the HCL report
 * @len: its bytes
 * @fd, @locked: cvm_share_get() to cvm_share_put(): its file, or -1, and if it is locked
 */
struct cvm_share_key {
	uint8_t tpm48[CVM_TPM48_SIZE];
	const void *report;
	size_t len;
	int fd;
	bool locked;
};

/* Once, for @source->vtpm, whose share is then for cvm_share_close() */
int cvm_share_open(const struct cvm_source *source, struct cvm_error *error);
void cvm_share_close(struct cvm_vtpm_place *place);

/**
 * cvm_share_get() - what another member has had made
 * @place: with its share open
 * @key: of the batch
 * @deadline: ms of the monotonic clock; another member may be at it. It may be brought forward
 * @azure: out: for cvm_azure_put(); NULL with 0: it is for the caller to make, and to give
 *	or to give up with cvm_share_put(), for which the others wait
 * @error: or NULL
 */
int cvm_share_get(const struct cvm_vtpm_place *place, struct cvm_share_key *key,
		  const _Atomic int64_t *deadline, struct cvm_azure **azure,
		  struct cvm_error *error);

/* The same if it is there; NULL: it is not, and neither waited for nor for the caller to make */
struct cvm_azure *cvm_share_find(const struct cvm_vtpm_place *place, struct cvm_share_key *key);

/*
 * @azure: which stays the caller's, or NULL: it could not be made. By @deadline, as above, who is
 * writing to the file has to be done: else nobody finds it there.
 */
void cvm_share_put(const struct cvm_vtpm_place *place, struct cvm_share_key *key,
		   const struct cvm_azure *azure, const _Atomic int64_t *deadline);

/* ---- vtpm_driver.c */

/*
 * As cvm_job_copy() of what the driver gave for an HCL report, with what belongs to that by
 * @deadline, ms of the monotonic clock, which may be brought forward meanwhile; or it fails.
 */
void cvm_azure_answer(const struct cvm_source *source, struct cvm_job *job,
		      struct cvm_answer *answer, const _Atomic int64_t *deadline);

/* The same where nothing has to be made or waited for; false: something has, and is not there */
bool cvm_azure_found(const struct cvm_source *source, struct cvm_job *job,
		     struct cvm_answer *answer);

#endif /* CVM_LIB_VTPM_H */
