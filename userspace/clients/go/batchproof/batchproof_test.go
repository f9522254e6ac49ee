// SPDX-License-Identifier: MIT

package batchproof

import (
	"bytes"
	"crypto/sha512"
	"errors"
	"testing"
)

// Made by hand, so that nothing of the package vouches for itself: leaf 2 of three, which
// moves up one level alone.
func made() (userData [64]byte, proof []byte, want Commitment) {
	sum := func(data ...[]byte) []byte {
		s := sha512.Sum384(bytes.Join(data, nil))
		return s[:]
	}
	for i := range userData {
		userData[i] = byte(i)
	}
	header := []byte("CVMGBAT1\x01\x00\x00\x00\x03\x00\x00\x00")
	scope := append([]byte{1}, make([]byte, 13)...)
	salt := bytes.Repeat([]byte{0x5a}, 32)
	sibling := bytes.Repeat([]byte{0xc3}, 48)
	leaf := sum([]byte{0}, salt, scope, userData[:])
	root := sum([]byte{1}, sibling, leaf)
	proof = bytes.Join([][]byte{header, {2, 0, 0, 0, 1, 0}, scope, salt, sibling}, nil)
	copy(want.ReportData[:], append(header[:16:16], sum([]byte{2}, header, root)...))
	copy(want.TPMData[:], append([]byte("CVMGBAT1"), sum([]byte{3}, header, root)...))
	copy(want.Scope[:], scope)
	return
}

func TestExpected(t *testing.T) {
	userData, proof, want := made()
	got, err := Expected(userData, proof)
	if err != nil || got != want {
		t.Fatalf("got %x, %v; want %x", got, err, want)
	}
	if !Reserved(got.ReportData[:]) || !Reserved(got.TPMData[:]) || Reserved(userData[:]) {
		t.Error("Reserved")
	}
	copy(userData[:], "CVMGBAT")
	if got, err = Expected(userData, proof); err != ErrReserved || got != (Commitment{}) {
		t.Errorf("user data with the tag: %x, %v", got, err)
	}
	if got, err = Expected(userData, nil); err != ErrReserved {
		t.Errorf("the same without a proof: %x, %v", got, err)
	}
}

// Every way to spoil a field, and what is then said of it.
func TestMalformed(t *testing.T) {
	for _, c := range []struct {
		at    int
		value byte
		field string
	}{
		{0, 'c', "magic"}, {7, '2', "magic"}, {8, 0, "alg"}, {8, 2, "alg"}, {9, 2, "flags"},
		{10, 1, "reserved bytes"}, {11, 1, "reserved bytes"}, {21, 1, "reserved bytes"},
		{12, 0, "tree size"}, {14, 1, "tree size"}, {15, 1, "tree size"},
		{16, 3, "leaf index"}, {19, 1, "leaf index"},
		{12, 4, "path length"}, {16, 1, "path length"}, {20, 0, "path length"}, {20, 255, "path length"},
		{22, 3, "scope kind"}, {23, 1, "scope value"}, {35, 1, "scope value"},
	} {
		userData, proof, _ := made()
		proof[c.at] = c.value
		got, err := Expected(userData, proof)
		if !errors.Is(err, ErrMalformed) || err.Error() != ErrMalformed.Error()+": "+c.field {
			t.Errorf("byte %d is %d: %v, wanted %s", c.at, c.value, err, c.field)
		}
		if got != (Commitment{}) {
			t.Errorf("byte %d is %d: %x", c.at, c.value, got)
		}
	}
	userData, proof, _ := made()
	for n := 0; n < 2*len(proof); n++ {
		cut := append(proof[:len(proof):len(proof)], make([]byte, len(proof))...)[:n]
		if _, err := Expected(userData, cut); (err == nil) != (n == len(proof)) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// The largest tree there is, and not one leaf more.
func TestLargest(t *testing.T) {
	userData, proof, _ := made()
	copy(proof[12:], []byte{0, 0, 1, 0, 0xff, 0xff, 0, 0, 16})
	proof = append(proof, make([]byte, 15*48)...)
	if len(proof) != MaxProofSize {
		t.Error("MaxProofSize")
	}
	if _, err := Expected(userData, proof); err != nil {
		t.Error(err)
	}
	proof[12] = 1
	if _, err := Expected(userData, proof); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func TestReportData(t *testing.T) {
	userData, proof, want := made()
	got, err := ReportData(userData, proof, Privileged())
	if err != nil || got != want.ReportData {
		t.Errorf("%x, %v", got, err)
	}
	kbs, err := Labelled("kbs")
	if err != nil {
		t.Fatal(err)
	}
	for _, accepted := range []Scope{Unprivileged(), kbs, {}, {3}} {
		if got, err = ReportData(userData, proof, accepted); err != ErrScope || got != [64]byte{} {
			t.Errorf("%v: %x, %v", accepted, got, err)
		}
	}
	copy(proof[22:], kbs[:])
	if got, err = ReportData(userData, proof, kbs); err != nil || got == [64]byte{} {
		t.Errorf("label: %x, %v", got, err)
	}
	if got, err = ReportData(userData, proof[1:], kbs); !errors.Is(err, ErrMalformed) || got != [64]byte{} {
		t.Errorf("malformed: %x, %v", got, err)
	}
}

func TestLabelled(t *testing.T) {
	for _, label := range []string{"", string(make([]byte, 256))} {
		if _, err := Labelled(label); err != ErrLabel {
			t.Errorf("a label of %d bytes: %v", len(label), err)
		}
	}
	if s, err := Labelled(string(make([]byte, 255))); err != nil || s[0] != 2 {
		t.Errorf("a label of 255 bytes: %v, %v", s, err)
	}
}
