#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut hook, sourced again and again until the root is there: see cvm-root
/usr/sbin/cvm-root open
