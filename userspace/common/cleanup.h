/* SPDX-License-Identifier: MIT */
/*
 * Scope-based cleanup: declare with the attribute at the point of acquisition,
 * release in reverse order at the end of the scope. Never together with goto
 * in one function.
 */
#ifndef CVM_COMMON_CLEANUP_H
#define CVM_COMMON_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define __cleanup(function)	__attribute__((cleanup(function)))
#define __cleanup_free		__cleanup(cvm_cleanup_free)
#define __cleanup_fd		__cleanup(cvm_cleanup_fd)

/* The pointer, which the scope then no longer frees. */
#define cvm_take_ptr(pointer)				\
	({						\
		__typeof__(pointer) taken_ = (pointer);	\
		(pointer) = NULL;			\
		taken_;					\
	})

/* The descriptor, which the scope then no longer closes. */
#define cvm_take_fd(fd)			\
	({				\
		int taken_ = (fd);	\
		(fd) = -1;		\
		taken_;			\
	})

static inline void cvm_cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cvm_cleanup_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#endif /* CVM_COMMON_CLEANUP_H */
