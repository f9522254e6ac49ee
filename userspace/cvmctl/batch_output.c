// SPDX-License-Identifier: MIT
/* What cvmctl batch writes: JSON lines, or a directory of files. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "batch_output.h"
#include "common/cleanup.h"
#include "common/json_hex.h"
#include "common/util.h"
#include "verify/evidence_json.h"

static json_t *json_base64url(const void *data, size_t len)
{
	return cvm_json_of_base64url(data, len, false);
}

static const char *evidence_key(const struct cvm_evidence *evidence)
{
	return cvm_evidence_type(evidence) == CVM_EVIDENCE_TDX_QUOTE ? "quote" : "report";
}

/* What belongs to an HCL report; 0 where it is there then, or there is none */
static int put_azure(json_t *json, const struct cvm_evidence *evidence)
{
	struct cvm_tpm_quote quote = { .size = sizeof(quote) };
	size_t len;
	const void *td_quote = cvm_evidence_td_quote(evidence, &len);
	int rc = 0;

	if (!cvm_evidence_tpm_quote(evidence, &quote))
		rc = json_object_set_new(json, "tpm_quote", cvm_tpm_quote_json(&quote));
	if (td_quote)
		rc |= json_object_set_new(json, "td_quote", json_base64url(td_quote, len));
	return rc;
}

static json_t *json_of(const struct cvm_batch_request *request)
{
	const struct cvm_evidence *evidence = request->evidence;
	size_t len, certs_len, proof_len;
	const void *data = cvm_evidence_data(evidence, &len);
	const void *certs = cvm_evidence_certs(evidence, &certs_len);
	const void *proof = cvm_evidence_proof(evidence, &proof_len);
	json_t *json = json_pack("{so so}",
				 "user_data", cvm_json_of_hex(request->user_data, sizeof(request->user_data)),
				 evidence_key(evidence), json_base64url(data, len));
	int rc = 0;

	if (certs)
		rc = json_object_set_new(json, "certs", json_base64url(certs, certs_len));
	rc |= put_azure(json, evidence);
	rc |= json_object_set_new(json, "proof", json_base64url(proof, proof_len));
	if (!rc)
		return json;
	json_decref(json);
	return NULL;
}

static int print_line(FILE *file, json_t *json)
{
	int rc = json ? json_dumpf(json, file, JSON_COMPACT) : -1;

	json_decref(json);
	return rc || putc('\n', file) == EOF ? -1 : 0;
}

int write_jsonl(const struct nonces *nonces)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < nonces->count; i++)
		rc = print_line(stdout, json_of(&nonces->request[i]));
	if (rc || fflush(stdout))
		return fail(EXIT_FAILED, "standard output: cannot be written: %s", strerror(errno));
	return 0;
}

int make_directory(const char *path)
{
	int entries = 0;
	DIR *dir;

	if (!mkdir(path, 0777))
		return 0;
	if (errno != EEXIST)
		return fail(EXIT_FAILED, "%s: cannot be made: %s", path, strerror(errno));
	dir = opendir(path);
	if (!dir)
		return fail(EXIT_FAILED, "%s: cannot be written to: %s", path, strerror(errno));
	while (readdir(dir))
		entries++;
	closedir(dir);
	/* besides itself and the one above it */
	if (entries > 2)
		return fail(EXIT_FAILED, "%s: not empty; name a new or empty directory", path);
	return 0;
}

static int write_one(const char *directory, const char *name, const void *data, size_t len)
{
	__cleanup_free char *path = NULL;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return fail(EXIT_FAILED, "out of memory");
	return output_binary(path, data, len);
}

/**
 * struct directory - what is written to
 * @path: of it
 * @index: text of index.jsonl
 * @first: the first request with each distinct piece of evidence
 * @count: how many such there are
 */
struct directory {
	const char *path;
	FILE *index;
	const struct cvm_batch_request **first;
	size_t count;
};

static bool same_evidence(const struct cvm_batch_request *a, const struct cvm_batch_request *b)
{
	size_t len_a, len_b;
	const void *data_a = cvm_evidence_data(a->evidence, &len_a);
	const void *data_b = cvm_evidence_data(b->evidence, &len_b);

	return len_a == len_b && !memcmp(data_a, data_b, len_a);
}

/* The quote of the vTPM is JSON, as verify takes it. */
static int write_azure_files(const struct directory *dir, const struct cvm_evidence *evidence,
			     size_t number)
{
	struct cvm_tpm_quote quote = { .size = sizeof(quote) };
	size_t len;
	const void *td_quote = cvm_evidence_td_quote(evidence, &len);
	__cleanup_free char *text = NULL;
	json_t *json;
	char name[64];
	int rc = 0;

	if (!cvm_evidence_tpm_quote(evidence, &quote)) {
		json = cvm_tpm_quote_json(&quote);
		text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
		json_decref(json);
		snprintf(name, sizeof(name), "tpm-quote-%zu.json", number);
		rc = text ? write_one(dir->path, name, text, strlen(text)) :
			    fail(EXIT_FAILED, "out of memory");
	}
	snprintf(name, sizeof(name), "td-quote-%zu.bin", number);
	return rc || !td_quote ? rc : write_one(dir->path, name, td_quote, len);
}

/* Their names */
static int name_azure_files(json_t *json, const struct cvm_evidence *evidence, size_t number)
{
	struct cvm_tpm_quote quote = { .size = sizeof(quote) };
	size_t len;
	int rc = 0;

	if (!cvm_evidence_tpm_quote(evidence, &quote))
		rc = json_object_set_new(json, "tpm_quote",
					 json_sprintf("tpm-quote-%zu.json", number));
	if (cvm_evidence_td_quote(evidence, &len))
		rc |= json_object_set_new(json, "td_quote",
					  json_sprintf("td-quote-%zu.bin", number));
	return rc;
}

static int write_evidence_files(const struct directory *dir,
				const struct cvm_batch_request *request, size_t number)
{
	const struct cvm_evidence *evidence = request->evidence;
	size_t len, certs_len;
	const void *data = cvm_evidence_data(evidence, &len);
	const void *certs = cvm_evidence_certs(evidence, &certs_len);
	char name[64];
	int rc;

	snprintf(name, sizeof(name), "%s-%zu.bin", evidence_key(evidence), number);
	rc = write_one(dir->path, name, data, len);
	snprintf(name, sizeof(name), "certs-%zu.bin", number);
	if (!rc && certs)
		rc = write_one(dir->path, name, certs, certs_len);
	return rc ? rc : write_azure_files(dir, evidence, number);
}

/* The number of the request's evidence, whose files are written when it is new. */
static int number_of(struct directory *dir, const struct cvm_batch_request *request,
		     size_t *number)
{
	/* neighbours share it most likely: the newest is looked at first */
	for (*number = dir->count; (*number)--;)
		if (same_evidence(dir->first[*number], request))
			return 0;
	*number = dir->count;
	dir->first[dir->count++] = request;
	return write_evidence_files(dir, request, *number);
}

static int add_to_index(const struct directory *dir, const struct cvm_batch_request *request,
			const char *proof, size_t number)
{
	char evidence[64], certs[64];
	size_t certs_len;
	json_t *json;
	int rc = 0;

	snprintf(evidence, sizeof(evidence), "%s-%zu.bin", evidence_key(request->evidence), number);
	snprintf(certs, sizeof(certs), "certs-%zu.bin", number);
	json = json_pack("{so ss}",
			 "user_data", cvm_json_of_hex(request->user_data, sizeof(request->user_data)),
			 evidence_key(request->evidence), evidence);
	if (cvm_evidence_certs(request->evidence, &certs_len))
		rc = json_object_set_new(json, "certs", json_string(certs));
	rc |= name_azure_files(json, request->evidence, number);
	rc |= json_object_set_new(json, "proof", json_string(proof));
	rc |= print_line(dir->index, json);
	return rc ? fail(EXIT_FAILED, "out of memory") : 0;
}

static int write_files(struct directory *dir, const struct nonces *nonces)
{
	for (size_t i = 0; i < nonces->count; i++) {
		const struct cvm_batch_request *request = &nonces->request[i];
		size_t len, number;
		const void *proof = cvm_evidence_proof(request->evidence, &len);
		char name[64];
		int rc = number_of(dir, request, &number);

		snprintf(name, sizeof(name), "%04zu.proof", i);
		if (!rc)
			rc = write_one(dir->path, name, proof, len);
		if (!rc)
			rc = add_to_index(dir, request, name, number);
		if (rc)
			return rc;
	}
	return 0;
}

int write_directory(const char *path, const struct nonces *nonces)
{
	__cleanup_free const struct cvm_batch_request **first = NULL;
	__cleanup_free char *index = NULL;
	struct directory dir = { .path = path };
	size_t len;
	int rc;

	first = calloc(nonces->count, sizeof(*first));
	dir.first = first;
	dir.index = open_memstream(&index, &len);
	if (!first || !dir.index)
		return fail(EXIT_FAILED, "out of memory");
	rc = write_files(&dir, nonces);
	if (fclose(dir.index) && !rc)
		rc = fail(EXIT_FAILED, "out of memory");
	/* the last file: whoever finds it finds all that it names */
	return rc ? rc : write_one(path, "index.jsonl", index, len);
}
