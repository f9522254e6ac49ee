// SPDX-License-Identifier: MIT
/*
 * Would the kernel take our module? What mod_verify_sig() asks is asked here of the
 * lists that the kernel reads at boot, as far as those have certificates and not
 * hashes. The keys that are built into it nobody can see: what is loaded although
 * no list has its key was signed with one of those.
 */
#include <lzma.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "doctor_signature.h"
#include "formats/efi_list.h"
#include "formats/module_signature.h"

#define MODULE_MAX	(64U << 20)

static void cleanup_cms(CMS_ContentInfo **cms)
{
	CMS_ContentInfo_free(*cms);
}

static void cleanup_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void cleanup_certs(STACK_OF(X509) **certs)
{
	sk_X509_free(*certs);
}

/* what is in @in, *len bytes, which is freed; NULL: it is not xz, or damaged */
static uint8_t *decompress(uint8_t *in, size_t *len)
{
	uint8_t *out = malloc(MODULE_MAX);
	uint64_t memory = MODULE_MAX;
	size_t at = 0, used = 0;
	bool good = out && lzma_stream_buffer_decode(&memory, 0, NULL, in, &at, *len, out, &used,
						     MODULE_MAX) == LZMA_OK;

	free(in);
	if (good) {
		*len = used;
		return out;
	}
	free(out);
	return NULL;
}

static bool is_elf(const uint8_t *data, size_t len)
{
	return len > 4 && !memcmp(data, "\177ELF", 4);
}

/* the module as the kernel would see it; NULL: not to be seen here */
static uint8_t *read_module(const struct doctor *d, const char *path, size_t *len)
{
	uint8_t *module = doctor_contents(d, path, len);

	if (module && !is_elf(module, *len))
		module = decompress(module, len);
	if (!module || is_elf(module, *len))
		return module;
	free(module);
	return NULL;
}

static bool verifies(CMS_ContentInfo *cms, X509 *cert, struct cvm_span content)
{
	BIO *bio __cleanup(cleanup_bio) = BIO_new_mem_buf(content.data, (int)content.len);
	STACK_OF(X509) *certs __cleanup(cleanup_certs) = sk_X509_new_null();

	return bio && certs && sk_X509_push(certs, cert) > 0 &&
	       CMS_verify(cms, certs, NULL, bio, NULL,
			  CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY) == 1;
}

/* the common name of who issued the certificate: of most, its own */
static void name_signer(CMS_SignerInfo *si, struct signature *s)
{
	X509_NAME *issuer = NULL;

	if (CMS_SignerInfo_get0_signer_id(si, NULL, &issuer, NULL) && issuer)
		X509_NAME_get_text_by_NID(issuer, NID_commonName, s->signer, sizeof(s->signer));
}

static void judge(const struct doctor *d, const struct cvm_module_signature *signature,
		  struct signature *s)
{
	const uint8_t *der = signature->pkcs7.data;
	CMS_ContentInfo *cms __cleanup(cleanup_cms) =
		d2i_CMS_ContentInfo(NULL, &der, (long)signature->pkcs7.len);
	STACK_OF(CMS_SignerInfo) *signers = cms ? CMS_get0_SignerInfos(cms) : NULL;
	X509 *cert __cleanup(cleanup_x509) = NULL;

	s->standing = WRONG;
	if (sk_CMS_SignerInfo_num(signers) < 1)
		return;
	name_signer(sk_CMS_SignerInfo_value(signers, 0), s);
	cert = doctor_find_certificate(d, sk_CMS_SignerInfo_value(signers, 0), s);
	if (cert && !verifies(cms, cert, signature->content))
		s->standing = WRONG;
}

static void examine(const struct doctor *d, struct signature *s)
{
	struct cvm_module_signature signature;
	struct cvm_format_error err;
	size_t len;
	__cleanup_free uint8_t *module = read_module(d, s->path, &len);

	if (!module)
		return;
	if (cvm_module_signature_parse(module, len, &signature, &err))
		s->standing = WRONG;
	else if (!signature.pkcs7.len)
		s->standing = UNSIGNED;
	else
		judge(d, &signature, s);
	ERR_clear_error();
}

/* what makes it anew: DKMS, or the package that it came with; NULL: neither can */
static const char *remake(const struct doctor *d, const struct signature *s, char *command)
{
	char version[NAME_MAX];

	if (!strstr(s->path, "/dkms/"))
		return doctor_install_prebuilt(d, "--reinstall ", command);
	if (!doctor_sources(d, version))
		return NULL;
	snprintf(command, COMMAND_MAX,
		 "dkms build --force cvm-guest/%s -k %s && dkms install --force cvm-guest/%s -k %s",
		 version, d->release, version, d->release);
	return command;
}

/* NULL: no command can */
static const char *enrol(const struct doctor *d, const struct signature *s, char *command)
{
	int state = doctor_secure_boot_state(d);

	if (s->standing == UNKNOWN)
		return remake(d, s, command);
	if (state < 0)
		return NULL;
	if (state && doctor_has_shim(d))
		snprintf(command, COMMAND_MAX, "mokutil --import %s && reboot", s->where);
	else
		snprintf(command, COMMAND_MAX,
			 "chattr -f -i /sys/firmware/efi/efivars/db-*; openssl x509 -in %s -out cert.pem && efi-updatevar -a -c cert.pem -k KEK.key db && reboot",
			 s->where);
	return command;
}

static void report_enrolled(struct doctor *d, const struct signature *s)
{
	fine(d, "signature", "cvm_guest is signed by '%s', whose certificate is in %s", s->signer,
	     s->where);
	if (s->key_here)
		finding(d, SIGNATURE_KEY_HERE, NULL,
			"the key of '%s' is on this machine (/var/lib/dkms/mok.key): root can sign any module, and the kernel takes it",
			s->signer);
}

/* no key that the firmware vouches for, and the kernel does not ask for one */
static void report_unasked(struct doctor *d, const struct signature *s)
{
	char command[COMMAND_MAX];

	if (s->standing == UNSIGNED)
		finding(d, SIGNATURE_NOT_NEEDED, remake(d, s, command),
			"cvm_guest is not signed, and this kernel does not ask");
	else
		finding(d, SIGNATURE_NOT_NEEDED, enrol(d, s, command),
			"cvm_guest is signed by '%s', whose key the firmware does not vouch for, and this kernel does not ask",
			s->signer);
}

/* likewise, and the kernel does ask */
static void report_asked(struct doctor *d, const struct signature *s)
{
	char command[COMMAND_MAX];

	if (s->standing == UNSIGNED)
		finding(d, SIGNATURE_MISSING, remake(d, s, command),
			"the kernel takes signed modules only, and cvm_guest (%s) is not signed",
			s->path);
	else if (d->ours)
		fine(d, "signature", "cvm_guest is signed by '%s', and the kernel has taken it",
		     s->signer);
	else
		finding(d, SIGNATURE_NOT_ENROLLED, enrol(d, s, command),
			"the kernel takes signed modules only, and does not trust the key of '%s', which signed cvm_guest%s",
			s->signer, doctor_secure_boot_state(d) < 0 ?
			": booted without UEFI, it trusts no key but its own" : "");
}

enum outlook doctor_outlook(const struct doctor *d)
{
	__cleanup_free char *path = doctor_module_path(d);
	struct signature s = { .standing = UNSEEN, .path = path, .signer = "?" };

	if (!path)
		return NOT_THERE;
	examine(d, &s);
	switch (s.standing) {
	case WRONG:
	case REVOKED:
		return REFUSED;
	case ENROLLED:
		return s.unclear || strcmp(s.where, UEFI_DB) ? TAKEN : VOUCHED_FOR;
	default:
		return doctor_enforced(d) ? REFUSED : TAKEN;
	}
}

void doctor_signature(struct doctor *d)
{
	__cleanup_free char *path = doctor_module_path(d);
	struct signature s = { .standing = UNSEEN, .path = path, .signer = "?" };
	char command[COMMAND_MAX];

	if (d->tee == CVM_TEE_NONE || !path)
		return;
	examine(d, &s);
	if (s.unclear)
		finding(d, SIGNATURE_UNSEEN, NULL,
			"whether the key of '%s' is revoked is not to be seen: %s is damaged, or has more than %u certificates",
			s.signer, s.unclear, CVM_EFI_CERTS_MAX);
	if (s.standing == UNSEEN)
		finding(d, SIGNATURE_UNSEEN, NULL, "whether cvm_guest is signed is not to be seen in %s",
			path);
	else if (s.standing == WRONG)
		finding(d, SIGNATURE_WRONG, remake(d, &s, command),
			"%s is not what '%s' has signed: damaged, or changed by somebody", path,
			s.signer);
	else if (s.standing == REVOKED)
		finding(d, SIGNATURE_REVOKED, NULL,
			"cvm_guest is signed by '%s', whose certificate is in %s: revoked", s.signer,
			s.where);
	else if (s.standing == ENROLLED)
		report_enrolled(d, &s);
	else if (doctor_enforced(d))
		report_asked(d, &s);
	else
		report_unasked(d, &s);
}
