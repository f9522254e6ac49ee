// SPDX-License-Identifier: GPL-2.0

module cvm-guest/selftests

go 1.19

require cvm-guest/batchproof v0.0.0

replace cvm-guest/batchproof => ../batchproof
