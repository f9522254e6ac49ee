// SPDX-License-Identifier: MIT
/* Where the certificate of a module's signer is: what the firmware lists, or files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "doctor_signature.h"
#include "formats/efi_list.h"

#define EFIVARS		"/sys/firmware/efi/efivars/"
#define IMAGES		"-d719b2cb-3d3a-4596-a3bc-dad00e67656f"
#define SHIM		"-605dab50-e046-4300-abb6-3dd810dd8b23"
#define MOK_TABLE	"/sys/firmware/efi/mok-variables/MokListRT"
#define MOK_VARIABLE	EFIVARS "MokListRT" SHIM

/* where DKMS keeps what it signs with */
#define DKMS_KEY	"/var/lib/dkms/mok.key"
#define DKMS_CERT	"/var/lib/dkms/mok.pub"

/* a variable's file begins with its attributes */
#define ATTRIBUTES	4

/* @der as a certificate, if it is that of @si */
static X509 *matching(struct cvm_span der, const CMS_SignerInfo *si)
{
	const uint8_t *at = der.data;
	X509 *cert = d2i_X509(NULL, &at, (long)der.len);

	if (cert && !CMS_SignerInfo_cert_cmp((CMS_SignerInfo *)si, cert))
		return cert;
	X509_free(cert);
	return NULL;
}

/* the lists in the file at @path begin behind @skip bytes; *bad: and are none, or too long */
static X509 *listed(const struct doctor *d, const char *path, size_t skip,
		    const CMS_SignerInfo *si, bool *bad)
{
	struct cvm_format_error err;
	struct cvm_efi_list list;
	X509 *cert = NULL;
	size_t len;
	__cleanup_free uint8_t *value = doctor_contents(d, path, &len);

	*bad = false;
	if (!value)
		return NULL;
	if (len < skip || cvm_efi_list_parse(value + skip, len - skip, &list, &err)) {
		*bad = true;
		return NULL;
	}
	for (size_t i = 0; !cert && i < list.count; i++)
		cert = matching(list.cert[i], si);
	return cert;
}

static X509 *in_file(const struct doctor *d, const char *path, const CMS_SignerInfo *si)
{
	size_t len;
	__cleanup_free uint8_t *der = doctor_contents(d, path, &len);

	return der ? matching((struct cvm_span){ der, len }, si) : NULL;
}

/* as the kernel's load_uefi_certs(): MOKs do not count without Secure Boot */
static X509 *machine_owner_key(const struct doctor *d, const CMS_SignerInfo *si)
{
	bool bad;
	X509 *cert;

	if (doctor_secure_boot_state(d) != 1)
		return NULL;
	cert = listed(d, MOK_TABLE, 0, si, &bad);
	return cert ? cert : listed(d, MOK_VARIABLE, ATTRIBUTES, si, &bad);
}

static X509 *in_db(const struct doctor *d, const CMS_SignerInfo *si)
{
	bool bad;

	return listed(d, EFIVARS "db" IMAGES, ATTRIBUTES, si, &bad);
}

bool doctor_has_shim(const struct doctor *d)
{
	return doctor_exists(d, MOK_TABLE) || doctor_exists(d, MOK_VARIABLE);
}

static X509 *found(struct signature *s, enum standing standing, const char *where, X509 *cert)
{
	if (cert) {
		s->standing = standing;
		snprintf(s->where, sizeof(s->where), "%s", where);
	}
	return cert;
}

/*
 * A list that is not understood may have any certificate in it. Those that have but
 * the hash of one (EFI_CERT_X509_SHA256) are passed over.
 */
static X509 *revoked(const struct doctor *d, const CMS_SignerInfo *si, struct signature *s)
{
	static const struct {
		const char *name, *path;
		size_t skip;
		bool mok;
	} lists[] = {
		{ "UEFI's dbx", EFIVARS "dbx" IMAGES, ATTRIBUTES, false },
		{ "MokListXRT", "/sys/firmware/efi/mok-variables/MokListXRT", 0, true },
		{ "MokListXRT", EFIVARS "MokListXRT" SHIM, ATTRIBUTES, true },
	};
	bool secure = doctor_secure_boot_state(d) == 1, bad;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		X509 *cert;

		if (lists[i].mok && !secure)
			continue;
		cert = listed(d, lists[i].path, lists[i].skip, si, &bad);
		if (cert)
			return found(s, REVOKED, lists[i].name, cert);
		if (bad)
			s->unclear = lists[i].name;
	}
	return NULL;
}

static bool dkms_signed(const struct doctor *d, const CMS_SignerInfo *si)
{
	X509 *cert __cleanup(cleanup_x509) = in_file(d, DKMS_CERT, si);

	return cert && doctor_exists(d, DKMS_KEY);
}

X509 *doctor_find_certificate(const struct doctor *d, CMS_SignerInfo *si, struct signature *s)
{
	char package[NAME_MAX];
	X509 *cert;

	snprintf(package, sizeof(package), "/usr/share/cvm-guest/%s.der", d->release);
	s->standing = UNKNOWN;
	s->key_here = dkms_signed(d, si);
	cert = revoked(d, si, s);
	if (!cert)
		cert = found(s, ENROLLED, UEFI_DB, in_db(d, si));
	if (!cert)
		cert = found(s, ENROLLED, "the machine owner's keys", machine_owner_key(d, si));
	if (!cert)
		cert = found(s, KNOWN, package, in_file(d, package, si));
	if (!cert)
		cert = found(s, KNOWN, DKMS_CERT, in_file(d, DKMS_CERT, si));
	return cert;
}
