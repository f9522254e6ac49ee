/* SPDX-License-Identifier: MIT */
/*
 * Verification of evidence, by whoever relies on it; a part of cvmguest.h.
 *
 * No network, no files, no clock: certificates, revocation lists, collateral and
 * the time come from the caller. The answer is a list of named checks, each
 * passed, failed or not made, with the reason.
 *
 * Two questions are kept apart. Authentic: is this genuine evidence of the
 * hardware, and about what I asked? Verified: is it, besides, of a VM that my
 * policy accepts, with nothing left unlooked at that matters?
 */
#ifndef CVMGUEST_VERIFY_H
#define CVMGUEST_VERIFY_H

#ifndef CVMGUEST_H
#error "include cvmguest.h, of which this is a part"
#endif

/* ---------------------------------------------------------------- verifier */

/*
 * What to verify evidence with: roots, certificates, collateral, a policy. One
 * thread at a time may change it, while nobody verifies with it; any number of
 * threads may call cvm_verify() on it. Chains and collateral are verified once
 * and kept. Since: 0.1
 */
struct cvm_verifier;

/**
 * cvm_verifier_new() - a verifier that trusts the roots of AMD and Intel
 * @verifier: out: to be freed with cvm_verifier_free()
 *
 * Return: 0 or -ENOMEM. Since: 0.1
 */
CVM_API int cvm_verifier_new(struct cvm_verifier **verifier);

/* Free @verifier, which may be NULL and which no thread may use. Since: 0.1 */
CVM_API void cvm_verifier_free(struct cvm_verifier *verifier);

/**
 * cvm_verifier_add_certs() - certificates that a chain may be made of
 * @verifier: verifier
 * @data: a GHCB certificate table as the host gave it, or X.509 certificates
 *	and revocation lists as PEM (one or more) or DER (one); copied
 * @len: bytes at @data
 * @error: or NULL
 *
 * They need not be trusted: a chain must still end in a trusted root, and a
 * list must be signed by who issued the certificate. Where there is a PCK
 * certificate among them, they take the place of those that quotes carry.
 *
 * Return: 0; -EBADMSG: malformed, or more than 256, and nothing was added;
 * -ENOMEM. Since: 0.1
 */
CVM_API int cvm_verifier_add_certs(struct cvm_verifier *verifier, const void *data,
				   size_t len, struct cvm_error *error);

/**
 * cvm_verifier_add_trust_root() - trust this root instead of AMD's and Intel's
 * @verifier: verifier
 * @data: X.509 certificates, self-signed, as PEM (one or more) or DER
 * @len: bytes at @data
 * @error: or NULL
 *
 * From the first call on only such roots are trusted; every verdict says so.
 *
 * Return: 0; -EBADMSG: malformed or not self-signed, and nothing was added;
 * -ENOMEM. Since: 0.1
 */
CVM_API int cvm_verifier_add_trust_root(struct cvm_verifier *verifier,
					const void *data, size_t len, struct cvm_error *error);

/**
 * cvm_verifier_add_collateral() - what the vendors say of their platforms
 * @verifier: verifier
 * @data: JSON, cvm-collateral(5): TCB info, QE identity, revocation lists and
 *	the certificates of those who signed them; copied
 * @len: bytes at @data
 * @error: or NULL
 *
 * May be called for each kind of platform (FMSPC); a quote takes the newest
 * that is about its own.
 *
 * Return: 0; -EBADMSG: malformed, and nothing was added; -ENOMEM. Since: 0.1
 */
CVM_API int cvm_verifier_add_collateral(struct cvm_verifier *verifier, const void *data,
					size_t len, struct cvm_error *error);

/**
 * cvm_verifier_set_policy() - which VMs are accepted
 * @verifier: verifier
 * @data: JSON, cvm-policy(5); copied
 * @len: bytes at @data
 * @error: or NULL
 *
 * It takes the place of one that was set before.
 *
 * Return: 0; -EBADMSG: malformed, or with a key that is not known, and nothing
 * was changed; -ENOMEM. Since: 0.1
 */
CVM_API int cvm_verifier_set_policy(struct cvm_verifier *verifier, const void *data,
				    size_t len, struct cvm_error *error);

/* ------------------------------------------------------------------ verify */

/**
 * enum cvm_binding - how evidence is bound to what was asked for
 * @CVM_BINDING_REPORT: REPORT_DATA of an SNP report or of a quote is it
 * @CVM_BINDING_SVSM: REPORT_DATA is SHA-512 of it and the services manifest, in a
 *	report of VMPL 0, which no guest above the SVSM can ask for
 * @CVM_BINDING_AZURE: user-data in the claims of an HCL report is it, and a quote
 *	of the vTPM carries the TPM's part of it
 * @CVM_BINDING_AZURE_TPM: the vTPM's quote alone; the HCL report, verified before
 *	in full, is of the same boot
 *
 * The relying party says which, never the evidence: "Batch v1", section 2. A
 * policy that names one decides; it must be the same here, or REPORT.
 *
 * Since: 0.1
 */
enum cvm_binding {
	CVM_BINDING_REPORT = 0,
	CVM_BINDING_SVSM = 1,
	CVM_BINDING_AZURE = 2,
	CVM_BINDING_AZURE_TPM = 3,
};

/**
 * struct cvm_tpm_quote - a quote of an Azure guest's vTPM
 * @size: sizeof(struct cvm_tpm_quote)
 * @message: TPMS_ATTEST, as TPM2_Quote gave it
 * @message_len: bytes
 * @signature: RSASSA with SHA-256, the bare number, big-endian
 * @signature_len: bytes
 * @pcrs: values of the SHA-256 bank from PCR 0 on, 32 bytes each
 * @pcr_count: how many, 1 to 24
 * @nonce: direct evidence: qualifyingData that the quote must carry; NULL: what
 *	was asked for without the zeros at its end, or the SHA-384 of all of it where
 *	that is longer than CVM_TPM_NONCE_LEN
 * @nonce_len: bytes, at most 64
 * @reset_count: with CVM_TPM_QUOTE_RESET_COUNT: the resetCount that the quote must
 *	have: that of the boot whose HCL report was verified before, as
 *	cvm_verdict_reset_count() gave it. The relying party's own knowledge: taken
 *	from whoever sends the quote it proves nothing
 * @flags: CVM_TPM_QUOTE_RESET_COUNT or 0. CVM_BINDING_AZURE_TPM without it is
 *	never verified
 *
 * Since: 0.1
 */
struct cvm_tpm_quote {
	size_t size;
	const void *message;
	size_t message_len;
	const void *signature;
	size_t signature_len;
	const uint8_t *pcrs;
	size_t pcr_count;
	const void *nonce;
	size_t nonce_len;
	uint32_t reset_count;
	uint32_t flags;
};

/* struct cvm_tpm_quote.flags; Since: 0.1 */
#define CVM_TPM_QUOTE_RESET_COUNT	(1U << 0)	/* reset_count is given */

/**
 * cvm_evidence_tpm_quote() - the vTPM's quote that belongs to an HCL report
 * @evidence: of type CVM_EVIDENCE_HCL_REPORT
 * @quote: with its size set; message, signature and PCRs are filled in, and belong to
 *	@evidence; the rest is what the relying party knows, and becomes 0
 *
 * Return: 0; -ENODATA: there is none; -EINVAL: a size below that of version 0.1.
 * Since: 0.1
 */
CVM_API int cvm_evidence_tpm_quote(const struct cvm_evidence *evidence,
				   struct cvm_tpm_quote *quote);

/**
 * cvm_evidence_td_quote() - the quote of the TDREPORT in an HCL report
 * @evidence: the evidence
 * @len: out: bytes, 0 where there is none
 *
 * Return: the bytes, which belong to @evidence, or NULL. Since: 0.1
 */
CVM_API const void *cvm_evidence_td_quote(const struct cvm_evidence *evidence, size_t *len);

/* struct cvm_verify_opts.flags; Since: 0.1 */
#define CVM_VERIFY_BATCH	(1U << 0)	/* proofs come later, to cvm_verdict_proof() */

/**
 * struct cvm_verify_opts - what this evidence is to be about, and what came along
 * @size: sizeof(struct cvm_verify_opts)
 * @at: the time at which certificates, lists and collateral must be valid, in
 *	seconds since 1970-01-01 00:00:00 UTC
 * @report_data: direct evidence: the CVM_REPORT_DATA_LEN bytes asked for, or NULL
 * @user_data: batch evidence: the CVM_USER_DATA_LEN bytes asked for, or NULL
 * @proof: batch evidence: the proof
 * @proof_len: bytes
 * @scope: for whom the proof must speak, as for cvm_batch_expected(); NULL: what
 *	the policy accepts, or "privileged"
 * @certs: certificates and lists of this evidence, in any form of
 *	cvm_verifier_add_certs(), 16 of each and 256 KiB at most, or NULL; whoever sent
 *	them need not be trusted. The same bytes are parsed and verified once. If they
 *	are malformed, or more, the check "chain" fails
 * @certs_len: bytes
 * @manifest: CVM_BINDING_SVSM: the services manifest
 * @manifest_len: bytes
 * @td_quote: an HCL report with a TDREPORT: the quote of that TDREPORT
 * @td_quote_len: bytes
 * @tpm_quote: an HCL report: the vTPM's quote, or NULL
 * @binding: enum cvm_binding
 * @flags: CVM_VERIFY_BATCH or 0
 * @event_log: an HCL report with the vTPM's quote: what was measured into PCRs, as the
 *	kernel has it in binary_bios_measurements, at most 256 KiB; or NULL. Whoever sent it
 *	need not be trusted. Rules azure.event_log of the policy refuse one that cannot be
 *	read or does not lead to the quote's PCRs; without such rules nothing hangs on it
 * @event_log_len: bytes
 *
 * Nothing is kept of what it points to. Since: 0.1
 */
struct cvm_verify_opts {
	size_t size;
	int64_t at;
	const uint8_t *report_data;
	const uint8_t *user_data;
	const void *proof;
	size_t proof_len;
	const char *scope;
	const void *certs;
	size_t certs_len;
	const void *manifest;
	size_t manifest_len;
	const void *td_quote;
	size_t td_quote_len;
	const struct cvm_tpm_quote *tpm_quote;
	uint32_t binding;
	uint32_t flags;
	const void *event_log;
	size_t event_log_len;
};

/* The named checks of one piece of evidence. Since: 0.1 */
struct cvm_verdict;

/**
 * cvm_verify() - verify evidence
 * @verifier: verifier
 * @evidence: an SNP attestation report, a TDX quote or an HCL report
 * @len: bytes at @evidence
 * @opts: what it is to be about; the time at least
 * @verdict: out: the checks, to be freed with cvm_verdict_free(); or NULL
 * @error: or NULL
 *
 * A return of 0 does not mean that the evidence holds; ask the verdict.
 *
 * Return: 0: the verdict says; -EBADMSG: malformed, cut short, or of a version
 * or kind that is not known, and the verdict's check "format" says where; -EINVAL: @opts
 * contradict each other, or the policy; -E2BIG: @opts are newer than this library;
 * -ENOMEM. Since: 0.1
 */
CVM_API int cvm_verify(const struct cvm_verifier *verifier, const void *evidence, size_t len,
		       const struct cvm_verify_opts *opts, struct cvm_verdict **verdict,
		       struct cvm_error *error);

/* ----------------------------------------------------------------- verdict */

/**
 * enum cvm_check_state - what became of one check
 * @CVM_CHECK_NOT_CHECKED: nothing to check against was given, or the check
 *	before it failed; no statement either way
 * @CVM_CHECK_PASSED: holds
 * @CVM_CHECK_FAILED: does not hold: the evidence is refused
 * Since: 0.1
 */
enum cvm_check_state {
	CVM_CHECK_NOT_CHECKED = 0,
	CVM_CHECK_PASSED = 1,
	CVM_CHECK_FAILED = 2,
};

/**
 * struct cvm_check - one check
 * @name: stays the same from release to release, such as "signature"; a rule of
 *	the policy has its path there, such as "snp.policy.debug"
 * @state: enum cvm_check_state
 * @reason: one line for people, never NULL; both live as long as the verdict
 * @required: without it having passed nothing is verified
 * Since: 0.1
 */
struct cvm_check {
	const char *name;
	enum cvm_check_state state;
	const char *reason;
	bool required;
};

/**
 * cvm_verdict_authentic() - is this genuine hardware evidence
 * @verdict: verdict
 *
 * True where the signature and its chain to a trusted root hold, and no check
 * failed but rules of the policy. It says nothing of checks that were not made:
 * without a policy what the VM is, without something to expect how old the
 * evidence is, without lists whether a certificate was revoked. Since: 0.1
 */
CVM_API bool cvm_verdict_authentic(const struct cvm_verdict *verdict);

/**
 * cvm_verdict_verified() - is it of a VM that the policy accepts
 * @verdict: verdict
 *
 * True where it is authentic, every rule of the policy holds, and every check
 * that is required was made: it is about what was asked for, is measured as the
 * policy says, neither debugged nor migrated unless the policy allows that, at
 * a VMPL and a TCB level that the policy accepts, and nothing is revoked. With
 * CVM_VERIFY_BATCH nothing was asked for yet: it says all but that, which each
 * cvm_verdict_proof() adds for one who asked. Since: 0.1
 */
CVM_API bool cvm_verdict_verified(const struct cvm_verdict *verdict);

/**
 * cvm_verdict_proof() - one of many proofs of the same batch evidence
 * @verdict: of cvm_verify() with CVM_VERIFY_BATCH; any number of threads may ask
 * @user_data: CVM_USER_DATA_LEN bytes: what the relying party asked for
 * @proof: @len bytes
 * @len: bytes
 * @scope: as in struct cvm_verify_opts
 * @error: or NULL
 *
 * Some microseconds, where verifying the evidence again costs a signature check.
 *
 * Return: 0: the evidence is about @user_data, and speaks for @scope; it is verified
 * or, where the verifier had no policy, authentic; -EACCES: it is not, whatever the
 * proof; -EKEYREJECTED: the proof is of other evidence; -EBADMSG, -EPERM, -EINVAL: as
 * of cvm_batch_expected(); -EPERM also where the policy does not accept the scope.
 * Since: 0.1
 */
CVM_API int cvm_verdict_proof(const struct cvm_verdict *verdict, const uint8_t *user_data,
			      const void *proof, size_t len, const char *scope,
			      struct cvm_error *error);

/**
 * cvm_verdict_policy() - the strictest policy that this evidence meets
 * @verdict: authentic
 * @policy: out: JSON, cvm-policy(5), for free()
 * @error: or NULL
 *
 * Return: 0; -EINVAL: the evidence is not authentic, or of a kind that policies
 * do not speak of; -ENOMEM. Since: 0.1
 */
CVM_API int cvm_verdict_policy(const struct cvm_verdict *verdict, char **policy,
			       struct cvm_error *error);

/**
 * cvm_verdict_reset_count() - which boot of an Azure guest
 * @verdict: authentic, of CVM_BINDING_AZURE, and not with CVM_VERIFY_BATCH
 * @reset_count: out: of the vTPM's quote
 *
 * Given only of evidence that is about what was asked for (the checks report_data
 * and tpm_nonce passed), by a nonce or a proof: what may be old may be of another
 * boot.
 *
 * Return: 0; -ENODATA: the evidence had no such quote, it does not hold, or any of
 * the above. Since: 0.1
 */
CVM_API int cvm_verdict_reset_count(const struct cvm_verdict *verdict, uint32_t *reset_count);

/* The number of checks in @verdict. Since: 0.1 */
CVM_API size_t cvm_verdict_count(const struct cvm_verdict *verdict);

/* A check, which belongs to @verdict; NULL beyond the last. Since: 0.1 */
CVM_API const struct cvm_check *cvm_verdict_check(const struct cvm_verdict *verdict, size_t index);

/* Free @verdict, which may be NULL. Since: 0.1 */
CVM_API void cvm_verdict_free(struct cvm_verdict *verdict);

#endif /* CVMGUEST_VERIFY_H */
