// SPDX-License-Identifier: MIT

package batchproof

import (
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"math"
)

// ErrPart: a part of user data is 4 GiB or longer.
var ErrPart = errors.New("batchproof: a part of user data is too long")

// UserData makes 64 bytes of several things, or of something of another length: by
// convention the audience, a nonce of 16 random bytes or more, and a channel's key. The
// same parts in another split or order give others.
func UserData(parts ...[]byte) (userData [UserDataSize]byte, err error) {
	h := sha512.New()
	h.Write([]byte("CVMGUD1\x00"))
	for _, part := range parts {
		if uint64(len(part)) > math.MaxUint32 {
			return userData, ErrPart
		}
		var length [4]byte
		binary.LittleEndian.PutUint32(length[:], uint32(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
	h.Sum(userData[:0])
	return userData, nil
}
