/* SPDX-License-Identifier: MIT */
#ifndef CVM_COMMON_SOURCE_NAME_H
#define CVM_COMMON_SOURCE_NAME_H

struct cvm_open_opts;

/*
 * What users call a source: a backend, "sim:SOCKET" or "vtpm:TCTI"; NULL: the best one.
 * @opts points into @name then.
 */
void cvm_source_name(const char *name, struct cvm_open_opts *opts);

#endif /* CVM_COMMON_SOURCE_NAME_H */
