/* SPDX-License-Identifier: GPL-2.0 */
/* TCB info and QE identity as Intel writes them, for a platform that is up to date. */
#ifndef MAKE_COLLATERAL_H
#define MAKE_COLLATERAL_H

#include <jansson.h>

json_t *make_tcb_info(void);
json_t *make_qe_identity(void);

/* 16 components, the first of which are given */
json_t *make_components(const int *svn, int count);

/* The member at "a.b.2.c": numbers are places in arrays; ends the program if there is none */
json_t *json_at(json_t *root, const char *path);

/* Takes over @value, which takes the place of that member */
void json_put(json_t *root, const char *path, json_t *value);

#endif /* MAKE_COLLATERAL_H */
