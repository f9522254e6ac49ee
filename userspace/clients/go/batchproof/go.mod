// SPDX-License-Identifier: MIT
// Nothing but the standard library: copy the folder, or name it by `replace`.

module cvm-guest/batchproof

go 1.19
