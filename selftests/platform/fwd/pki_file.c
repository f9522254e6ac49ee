// SPDX-License-Identifier: GPL-2.0
/*
 * The state directory. Several cvm-fwd may share one: files appear by rename,
 * and whoever makes something that lasts holds the lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "cleanup.h"
#include "pki.h"

#define PATH_LEN 4096

static int complain(const char *what, const char *path)
{
	fprintf(stderr, "cvm-fwd: cannot %s %s: %s\n", what, path, strerror(errno));
	return -1;
}

/* mkdir -p */
static int make_dir(const char *dir)
{
	char path[PATH_LEN];
	char *slash = path;

	if (snprintf(path, sizeof(path), "%s", dir) >= (int)sizeof(path))
		return -1;
	while ((slash = strchr(slash + 1, '/'))) {
		*slash = 0;
		mkdir(path, 0755);
		*slash = '/';
	}
	return mkdir(path, 0755) && errno != EEXIST ? -1 : 0;
}

int pki_lock(const char *dir)
{
	char path[PATH_LEN];
	int fd;

	if (make_dir(dir))
		return complain("make the state directory", dir);
	snprintf(path, sizeof(path), "%s/lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return complain("open", path);
	if (!flock(fd, LOCK_EX))
		return fd;
	complain("lock", path);
	close(fd);
	return -1;
}

static FILE *open_file(const char *dir, const char *name, const char *suffix)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix);
	return fopen(path, "re");
}

int pki_load(struct pki_cert *out, const char *dir, const char *name)
{
	FILE *pem __clean(file) = open_file(dir, name, ".pem");
	FILE *key __clean(file) = open_file(dir, name, ".key");

	memset(out, 0, sizeof(*out));
	if (!pem)
		return -1;
	out->x509 = PEM_read_X509(pem, NULL, NULL, NULL);
	if (out->x509)
		out->der_len = i2d_X509(out->x509, &out->der);
	if (key)
		out->key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
	if (out->der && (!key || out->key))
		return 0;
	fprintf(stderr, "cvm-fwd: %s/%s.pem or .key is damaged: a new one replaces it\n", dir, name);
	pki_free(out);
	return -1;
}

static int finish_file(FILE *file, const char *temp, const char *path, bool good)
{
	if (fclose(file))
		good = false;
	if (good && !rename(temp, path))
		return 0;
	complain("write", path);
	unlink(temp);
	return -1;
}

/* a new file beside @path; finish_file() puts it into place */
static FILE *start_file(char *temp, const char *path)
{
	FILE *file = NULL;
	int fd;

	snprintf(temp, PATH_LEN + 8, "%s.XXXXXX", path);
	fd = mkstemp(temp);
	if (fd >= 0)
		file = fdopen(fd, "w");
	if (!file) {
		complain("write", path);
		if (fd >= 0)
			close(fd);
	}
	return file;
}

int pki_save_file(const char *dir, const char *name, const void *data, size_t len)
{
	char path[PATH_LEN], temp[PATH_LEN + 8];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = start_file(temp, path);
	return file ? finish_file(file, temp, path, fwrite(data, 1, len, file) == len) : -1;
}

int pki_save(const struct pki_cert *cert, const char *dir, const char *name)
{
	char path[PATH_LEN], temp[PATH_LEN + 8];
	FILE *file;
	bool good;

	/* the key first: whoever sees the certificate finds its key */
	if (cert->key) {
		snprintf(path, sizeof(path), "%s/%s.key", dir, name);
		file = start_file(temp, path);
		if (!file)
			return -1;
		good = PEM_write_PKCS8PrivateKey(file, cert->key, NULL, NULL, 0, NULL, NULL);
		if (finish_file(file, temp, path, good))
			return -1;
	}
	snprintf(path, sizeof(path), "%s/%s.pem", dir, name);
	file = start_file(temp, path);
	if (!file)
		return -1;
	good = PEM_write_X509(file, cert->x509) && !fchmod(fileno(file), 0644);
	return finish_file(file, temp, path, good);
}

long pki_load_file(const char *dir, const char *name, void *data, size_t size)
{
	FILE *file __clean(file) = open_file(dir, name, "");

	return file ? (long)fread(data, 1, size, file) : -1;
}

/* a root that is in the file already stays where it is */
int pki_add_root(const char *dir, const struct pki_cert *root)
{
	FILE *file __clean(file) = open_file(dir, "trust-root", ".pem");
	BIO *all = BIO_new(BIO_s_mem());
	bool there = false;
	X509 *cert;
	char *text;
	long len;
	int ret;

	while (file && (cert = PEM_read_X509(file, NULL, NULL, NULL))) {
		there |= !X509_cmp(cert, root->x509);
		PEM_write_bio_X509(all, cert);
		X509_free(cert);
	}
	ERR_clear_error();	/* the end of the file is an error to PEM_read */
	if (!there)
		PEM_write_bio_X509(all, root->x509);
	len = BIO_get_mem_data(all, &text);
	ret = there ? 0 : pki_save_file(dir, "trust-root.pem", text, (size_t)len);
	BIO_free(all);
	return ret;
}
