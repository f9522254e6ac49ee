/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_CHARDEV_H
#define CVM_CHARDEV_H

int cvm_chardev_register(void);
void cvm_chardev_unregister(void);

#endif /* CVM_CHARDEV_H */
