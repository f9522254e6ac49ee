/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_VERSION_H
#define CVM_VERSION_H

#define CVM_VERSION "0.1.0"

#endif /* CVM_VERSION_H */
