// SPDX-License-Identifier: MIT
#include "cbor.h"

/* values below it are in the first byte; from it on so many say where the value is */
#define IN_BYTE	24
#define WIDEST	27	/* 8 bytes behind; above: reserved, or no length said */

int cvm_cbor_next(struct cvm_cbor *from, const char *field, struct cvm_cbor_item *item,
		  struct cvm_format_error *err)
{
	const uint8_t *p = from->in.data + from->at;
	size_t left = from->in.len - from->at, width;

	*item = (struct cvm_cbor_item){ 0 };
	if (!left)
		return cvm_format_short(err, from->at, field, "its first byte");
	item->major = p[0] >> 5;
	item->value = p[0] & 0x1f;
	if (item->value > WIDEST || item->major > CVM_CBOR_TAG)
		return cvm_format_bad(err, from->at, field, "CBOR whose length is said", p[0]);
	width = item->value < IN_BYTE ? 0 : (size_t)1 << (item->value - IN_BYTE);
	if (left - 1 < width)
		return cvm_format_short(err, from->in.len, field, "the rest of its head");
	if (width)
		item->value = 0;
	for (size_t i = 1; i <= width; i++)
		item->value = item->value << 8 | p[i];
	from->at += 1 + width;
	if (item->major != CVM_CBOR_BYTES && item->major != CVM_CBOR_TEXT)
		return 0;
	if (item->value > left - 1 - width)
		return cvm_format_short(err, from->in.len, field, "as many bytes as it says");
	item->string = (struct cvm_span){ p + 1 + width, (size_t)item->value };
	from->at += item->string.len;
	return 0;
}

size_t cvm_cbor_head(uint8_t *out, enum cvm_cbor_major major, uint64_t value)
{
	uint8_t code = IN_BYTE;
	size_t width = 1;

	out[0] = (uint8_t)(major << 5 | value);
	if (value < IN_BYTE)
		return 1;
	for (; width < 8 && value >> (8 * width); width *= 2)
		code++;
	out[0] = (uint8_t)(major << 5 | code);
	for (size_t i = 0; i < width; i++)
		out[1 + i] = (uint8_t)(value >> (8 * (width - 1 - i)));
	return 1 + width;
}
