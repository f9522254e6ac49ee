// SPDX-License-Identifier: GPL-2.0
/*
 * The parsers of what vouches for a module: UEFI's lists of certificates, and the
 * signature behind a module. Inputs are copied to allocations of exactly their
 * length, so that a build with SAN=1 sees a read of one byte too many.
 */
#include <stdlib.h>

#include "formats/efi_list.h"
#include "formats/module_signature.h"
#include "tap.h"

#define MARKER "~Module signature appended~\n"

/* EFI_CERT_X509_GUID and EFI_CERT_SHA256_GUID, as they are stored */
#define X509 "\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72"
#define SHA256 "\x26\x16\xc4\xc1\x4c\x50\x92\x40\xac\xa9\x41\xf9\x36\x93\x43\x28"

static void put32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

/* a list with a header of @header bytes and @count entries of @entry; returns its length */
static size_t put_list(uint8_t *p, const char *type, uint32_t header, uint32_t entry,
		       uint32_t count)
{
	uint32_t size = 28 + header + count * entry;

	memset(p, 0xee, size);
	memcpy(p, type, 16);
	put32(p + 16, size);
	put32(p + 20, header);
	put32(p + 24, entry);
	for (uint32_t i = 0; i < count; i++)
		memset(p + 28 + header + i * entry + 16, (int)('A' + i), entry - 16);
	return size;
}

static int parse_lists(const uint8_t *data, size_t len, struct cvm_efi_list *list,
		       struct cvm_format_error *err)
{
	uint8_t *copy = malloc(len ? len : 1);
	int ret;

	memcpy(copy, data, len);
	ret = cvm_efi_list_parse(copy, len, list, err);
	for (size_t i = 0; i < list->count; i++)
		check(list->cert[i].data >= copy &&
		      list->cert[i].data + list->cert[i].len <= copy + len,
		      "certificate %zu lies within its input", i);
	free(copy);
	return ret;
}

static void test_lists(void)
{
	uint8_t data[1024];
	struct cvm_efi_list list;
	struct cvm_format_error err;
	size_t one = put_list(data, X509, 0, 116, 2), two = put_list(data + one, SHA256, 5, 48, 3);
	size_t len = one + two + put_list(data + one + two, X509, 8, 17, 1), good = 0;

	check(!cvm_efi_list_parse(data, len, &list, &err) && list.count == 3 &&
	      list.cert[0].len == 100 && list.cert[1].len == 100 && list.cert[2].len == 1 &&
	      list.cert[0].data[0] == 'A' && list.cert[1].data[99] == 'B' &&
	      list.cert[2].data[0] == 'A', "three lists, two of them of certificates");
	for (size_t cut = 0; cut < len; cut++)
		good += !cvm_efi_list_parse(data, cut, &list, &err);
	check(good == 3, "cut short it is valid between lists only (%zu)", good);
	check(parse_lists(data, one - 1, &list, &err) == -EBADMSG && err.offset == 16,
	      "a list that is longer than it is");
	check(!parse_lists(data, 0, &list, &err) && !list.count, "nothing is no list");
}

static void test_bad_lists(void)
{
	static const struct {
		const char *what;
		size_t at;
		uint32_t value;
		size_t offset;
	} cases[] = {
		{ "a list that is smaller than its header", 16, 27, 16 },
		{ "a list of size 0", 16, 0, 16 },
		{ "a header that is longer than the list", 20, 500, 20 },
		{ "a header so long that it wraps", 20, 0xfffffff0, 20 },
		{ "an entry of size 0", 24, 0, 24 },
		{ "an entry of an owner alone", 24, 16, 24 },
		{ "entries that do not fill the list", 24, 99, 24 },
		{ "an entry larger than the list", 24, 0xffffffff, 24 },
	};
	struct cvm_efi_list list;
	struct cvm_format_error err;
	uint8_t data[64 * 20];
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		len = put_list(data, X509, 0, 116, 2);
		put32(data + cases[i].at, cases[i].value);
		check(parse_lists(data, len, &list, &err) == -EBADMSG &&
		      err.offset == cases[i].offset && !list.count, "%s", cases[i].what);
	}
	len = put_list(data, X509, 0, 17, CVM_EFI_CERTS_MAX + 1);
	check(cvm_efi_list_parse(data, len, &list, &err) == -EBADMSG,
	      "more certificates than there is room for");
	len = put_list(data, X509, 0, 17, CVM_EFI_CERTS_MAX);
	check(!cvm_efi_list_parse(data, len, &list, &err) && list.count == CVM_EFI_CERTS_MAX,
	      "as many as there is room for");
}

/* a module of @content bytes with @pkcs7 bytes of signature; returns its length */
static size_t put_module(uint8_t *p, size_t content, size_t pkcs7)
{
	memset(p, 'm', content);
	memset(p + content, 's', pkcs7);
	p += content + pkcs7;
	memset(p, 0, 12);
	p[2] = 2;
	p[10] = (uint8_t)(pkcs7 >> 8);
	p[11] = (uint8_t)pkcs7;
	memcpy(p + 12, MARKER, strlen(MARKER));
	return content + pkcs7 + 12 + strlen(MARKER);
}

static int parse_module(const uint8_t *data, size_t len, struct cvm_module_signature *signature,
			struct cvm_format_error *err)
{
	uint8_t *copy = malloc(len ? len : 1);
	int ret;

	memcpy(copy, data, len);
	ret = cvm_module_signature_parse(copy, len, signature, err);
	check(signature->content.data == copy && signature->content.len <= len,
	      "the content begins where the module does");
	free(copy);
	return ret;
}

static void test_module(void)
{
	struct cvm_module_signature s;
	struct cvm_format_error err;
	uint8_t data[1024];
	size_t len = put_module(data, 100, 300);

	check(!cvm_module_signature_parse(data, len, &s, &err) && s.content.len == 100 &&
	      s.pkcs7.len == 300 && s.pkcs7.data == data + 100, "a signed module");
	check(!parse_module(data, len - 1, &s, &err) && s.content.len == len - 1 && !s.pkcs7.len,
	      "without the end of the marker it is not signed");
	check(!parse_module(data, 0, &s, &err) && !s.pkcs7.len, "nothing is not signed");
	check(parse_module((const uint8_t *)MARKER, strlen(MARKER), &s, &err) == -EBADMSG,
	      "a marker alone");
	data[400 + 2] = 1;
	check(parse_module(data, len, &s, &err) == -EPROTONOSUPPORT && err.offset == 402,
	      "a signature of another kind");
	len = put_module(data, 0, 300);
	check(!cvm_module_signature_parse(data, len, &s, &err) && !s.content.len &&
	      s.pkcs7.len == 300, "a signature of nothing");
	data[300 + 11]++;
	check(parse_module(data, len, &s, &err) == -EBADMSG && err.offset == 308 && !s.pkcs7.len,
	      "a signature that is longer than the module");
	data[300 + 8] = 0xff;
	check(parse_module(data, len, &s, &err) == -EBADMSG, "a length that wraps");
	memset(data + 308, 0, 4);
	check(parse_module(data, len, &s, &err) == -EBADMSG, "a signature of no length");
}

int main(void)
{
	test_lists();
	test_bad_lists();
	test_module();
	return tap_end();
}
