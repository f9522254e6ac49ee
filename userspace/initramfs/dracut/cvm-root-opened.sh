#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut hook, sourced before the root is mounted: see cvm-root
/usr/sbin/cvm-root opened
