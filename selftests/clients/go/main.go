// SPDX-License-Identifier: GPL-2.0

// expected answers as merkle_tool does, by the package for users of Go:
//
//	in:  USER_DATA PROOF in hex, "-" for no bytes
//	out: R64 SCOPE TPM48, or "refused" and why
//
// With "label" or "parts" each line is a label, or the parts of user data.
package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"cvm-guest/batchproof"
)

func field(text string) []byte {
	if text == "-" {
		return nil
	}
	data, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return data
}

func expected(fields [][]byte) string {
	var userData [batchproof.UserDataSize]byte
	if copy(userData[:], fields[0]) != len(fields[0]) || len(fields[0]) != len(userData) {
		return "refused length"
	}
	c, err := batchproof.Expected(userData, fields[1])
	switch {
	case err == nil:
		return fmt.Sprintf("%x %x %x", c.ReportData, c.Scope, c.TPMData)
	case errors.Is(err, batchproof.ErrReserved):
		return "refused reserved"
	case errors.Is(err, batchproof.ErrMalformed):
		return "refused malformed"
	}
	return err.Error()
}

func label(fields [][]byte) string {
	scope, err := batchproof.Labelled(string(fields[0]))
	if err != nil {
		return "refused label"
	}
	return fmt.Sprintf("%x", scope)
}

func parts(fields [][]byte) string {
	userData, err := batchproof.UserData(fields...)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%x", userData)
}

func main() {
	answer := map[string]func([][]byte) string{"expected": expected, "label": label, "parts": parts}[os.Args[1]]
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var fields [][]byte
		for _, text := range strings.Fields(in.Text()) {
			fields = append(fields, field(text))
		}
		fmt.Fprintln(out, answer(fields))
	}
}
