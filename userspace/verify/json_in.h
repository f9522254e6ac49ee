/* SPDX-License-Identifier: MIT */
/*
 * Reading JSON that has to be just so: each function that finds something else
 * sets the error to what was expected where ("tcbLevels[3].tcb.pcesvn: expected
 * ...") and returns -EBADMSG.
 */
#ifndef CVM_VERIFY_JSON_IN_H
#define CVM_VERIFY_JSON_IN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct cvm_error;

#define CVM_JSON_MAX	(4U << 20)	/* bytes of a text */

/**
 * struct cvm_json - a value, and the way to it
 * @value: borrowed
 * @up: what it is a part of, or NULL
 * @key: its name there, or NULL in an array; of the outermost what it is called
 * @index: its place in an array
 * @error: or NULL
 */
struct cvm_json {
	const json_t *value;
	const struct cvm_json *up;
	const char *key;
	size_t index;
	struct cvm_error *error;
};

/**
 * cvm_json_load() - an object from its text
 * @data: @len bytes; a key that is there twice is refused
 * @len: bytes
 * @name: what it is called in errors, or ""
 * @out: out: @out->value is the caller's to json_decref()
 * @error: or NULL
 */
int cvm_json_load(const void *data, size_t len, const char *name, struct cvm_json *out,
		  struct cvm_error *error);

/* Likewise, or an array */
int cvm_json_load_any(const void *data, size_t len, const char *name, struct cvm_json *out,
		      struct cvm_error *error);

int cvm_json_wrong(const struct cvm_json *in, const char *expected);

/* A member of an object, which must be there */
int cvm_json_member(const struct cvm_json *in, const char *key, struct cvm_json *out);
bool cvm_json_has(const struct cvm_json *in, const char *key);

/* An array, of @max elements at most, and an element of it */
int cvm_json_array(const struct cvm_json *in, size_t max, size_t *count);
void cvm_json_item(const struct cvm_json *in, size_t index, struct cvm_json *out);

int cvm_json_object(const struct cvm_json *in);
int cvm_json_text(const struct cvm_json *in, const char **out);
int cvm_json_number(const struct cvm_json *in, uint64_t max, uint64_t *out);
int cvm_json_bool(const struct cvm_json *in, bool *out);
int cvm_json_time(const struct cvm_json *in, int64_t *out);

/* Hexadecimal text of exactly @len bytes */
int cvm_json_hex(const struct cvm_json *in, void *out, size_t len);

/* Of at most @size bytes; @len: out: how many they are */
int cvm_json_bytes(const struct cvm_json *in, void *out, size_t size, size_t *len);

/* Members, by name */
int cvm_json_get_text(const struct cvm_json *in, const char *key, const char **out);
int cvm_json_get_number(const struct cvm_json *in, const char *key, uint64_t max, uint64_t *out);
int cvm_json_get_time(const struct cvm_json *in, const char *key, int64_t *out);
int cvm_json_get_hex(const struct cvm_json *in, const char *key, void *out, size_t len);
int cvm_json_get_bytes(const struct cvm_json *in, const char *key, void *out, size_t size,
		       size_t *len);

#endif /* CVM_VERIFY_JSON_IN_H */
