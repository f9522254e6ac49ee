// SPDX-License-Identifier: MIT

// Package batchproof tells a relying party what batch evidence must carry.
//
// In a batch many requests share one hardware report or quote, and each has a
// proof of its own ("Batch v1"). Expected makes of what was asked for and of the
// proof the 64 bytes that stand in REPORT_DATA where the proof is right. It
// proves nothing by itself: an ordinary verifier has to find exactly these bytes,
// all of them, in evidence that it verifies.
//
// Whoever expects a batch demands a proof, and whoever expects direct evidence
// refuses a REPORT_DATA that is Reserved: there is no way back in either direction.
//
// The functions are pure. They allocate nothing that a sender has a say in, and
// answer as the C code that libcvmguest has from the driver, case by case.
package batchproof

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
)

// Sizes in bytes.
const (
	UserDataSize   = 64
	ReportDataSize = 64
	TPMDataSize    = 48
	MaxProofSize   = pathAt + maxDepth*hashSize
)

const (
	magic    = "CVMGBAT1"
	tagSize  = 7 // no user data begins with so much of it
	algV1    = 1
	dummies  = 1 // the only flag
	maxDepth = 16
	hashSize = sha512.Size384

	headerSize = 16
	indexAt    = headerSize
	pathLenAt  = indexAt + 4
	zeroAt     = pathLenAt + 1
	scopeAt    = zeroAt + 1
	saltAt     = scopeAt + len(Scope{})
	pathAt     = saltAt + 32
)

// The first byte of all that is hashed: no kind passes for another.
const (
	ofLeaf = iota
	ofNode
	ofSeal
	ofTPM
)

var (
	// ErrReserved: user data that begins with the tag of batches.
	ErrReserved = errors.New("batchproof: user data begins with CVMGBAT, which is reserved")
	// ErrMalformed: no proof of version 1. Errors that wrap it say where.
	ErrMalformed = errors.New("batchproof: no proof of version 1")
	// ErrScope: the proof speaks for somebody else.
	ErrScope = errors.New("batchproof: the proof speaks for somebody else")
)

// Commitment is what evidence has to carry.
type Commitment struct {
	ReportData [ReportDataSize]byte // REPORT_DATA, or user-data of Azure's claims
	TPMData    [TPMDataSize]byte    // extraData of a vTPM's quote, besides and never alone
	Scope      Scope
}

// Expected is section 2 of the specification: what evidence must commit to where the
// proof is right, and for whom the proof speaks. Which scopes are good enough is for
// the caller to say: see ReportData.
func Expected(userData [UserDataSize]byte, proof []byte) (Commitment, error) {
	if Reserved(userData[:]) {
		return Commitment{}, ErrReserved
	}
	if field := malformed(proof); field != "" {
		return Commitment{}, fmt.Errorf("%w: %s", ErrMalformed, field)
	}
	header := proof[:headerSize]
	root := walk(proof, hash(ofLeaf, proof[saltAt:pathAt], proof[scopeAt:saltAt], userData[:]))
	var c Commitment
	seal := hash(ofSeal, header, root)
	copy(c.ReportData[copy(c.ReportData[:], header):], seal)
	tpm := hash(ofTPM, header, root)
	copy(c.TPMData[copy(c.TPMData[:], magic):], tpm)
	copy(c.Scope[:], proof[scopeAt:])
	return c, nil
}

// ReportData is Expected for a caller who accepts one scope, and ErrScope for all others.
func ReportData(userData [UserDataSize]byte, proof []byte, accepted Scope) ([ReportDataSize]byte, error) {
	c, err := Expected(userData, proof)
	if err == nil && c.Scope != accepted {
		err = ErrScope
	}
	if err != nil {
		return [ReportDataSize]byte{}, err
	}
	return c.ReportData, nil
}

// Reserved tells whether data begins as the REPORT_DATA of a batch does.
func Reserved(data []byte) bool {
	return bytes.HasPrefix(data, []byte(magic[:tagSize]))
}

func hash(kind byte, parts ...[]byte) []byte {
	h := sha512.New384()
	h.Write([]byte{kind})
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// The field that makes it no proof, or "": one form for each leaf of each tree.
func malformed(proof []byte) string {
	if len(proof) < pathAt {
		return "length"
	}
	size, index := binary.LittleEndian.Uint32(proof[12:]), binary.LittleEndian.Uint32(proof[indexAt:])
	switch depth := int(proof[pathLenAt]); {
	case string(proof[:8]) != magic:
		return "magic"
	case proof[8] != algV1:
		return "alg"
	case proof[9]&^dummies != 0:
		return "flags"
	case proof[10] != 0 || proof[11] != 0 || proof[zeroAt] != 0:
		return "reserved bytes"
	case size < 1 || size > 1<<maxDepth:
		return "tree size"
	case index >= size:
		return "leaf index"
	case depth != pathLen(index, size):
		return "path length"
	case len(proof) != pathAt+depth*hashSize:
		return "length"
	case proof[scopeAt] > 2:
		return "scope kind"
	case proof[scopeAt] < 2 && !bytes.Equal(proof[scopeAt+1:saltAt], make([]byte, 13)):
		return "scope value"
	}
	return ""
}

// A node with nobody beside it moves up as it is.
func lone(index, size uint32) bool { return index == size-1 && index&1 == 0 }

func pathLen(index, size uint32) (length int) {
	for ; size > 1; index, size = index/2, (size+1)/2 {
		if !lone(index, size) {
			length++
		}
	}
	return length
}

// From the leaf's hash to the root's: RFC 9162, section 2.1.3.2.
func walk(proof, node []byte) []byte {
	size, index := binary.LittleEndian.Uint32(proof[12:]), binary.LittleEndian.Uint32(proof[indexAt:])
	path := proof[pathAt:]
	for ; size > 1; index, size = index/2, (size+1)/2 {
		if lone(index, size) {
			continue
		}
		left, right := node, path[:hashSize]
		if index&1 == 1 {
			left, right = right, left
		}
		node, path = hash(ofNode, left, right), path[hashSize:]
	}
	return node
}
