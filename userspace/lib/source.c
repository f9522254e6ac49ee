// SPDX-License-Identifier: MIT
/* What every backend needs: paths below the root. */
#include <stdio.h>
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
