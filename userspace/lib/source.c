// SPDX-License-Identifier: MIT
/* What every backend needs: paths below the root. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"

int cvm_source_path(const struct cvm_source *source, const char *path, char out[PATH_MAX])
{
	int len = snprintf(out, PATH_MAX, "%s%s", source->root, path);

	return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

bool cvm_source_has(const struct cvm_source *source, const char *path)
{
	char full[PATH_MAX];

	return !cvm_source_path(source, path, full) && !access(full, F_OK);
}

int cvm_source_set(struct cvm_source *source, const char *root, const char *path,
		   struct cvm_error *error)
{
	char *out = source->status.source;
	size_t size = sizeof(source->status.source);

	if (strlen(root) + strlen(path) >= size)
		return cvm_set_error(error, -ENAMETOOLONG, "%s%s: the path is longer than %zu bytes", root,
				     path, size - 1);
	stpcpy(stpcpy(out, root), path);
	return 0;
}
