#!/bin/sh
# SPDX-License-Identifier: MIT
# dracut hook, sourced: until then it goes on, whoever has made a device of the root's name
[ -e /run/cvm-root.opened ]
