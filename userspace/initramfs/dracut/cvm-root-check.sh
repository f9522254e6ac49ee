#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut hook, sourced: see cvm-root
/usr/sbin/cvm-root check
