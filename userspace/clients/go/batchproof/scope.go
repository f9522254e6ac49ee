// SPDX-License-Identifier: MIT

package batchproof

import (
	"crypto/sha512"
	"errors"
)

// ErrLabel: a label is 1 to 255 bytes long.
var ErrLabel = errors.New("batchproof: a label has 1 to 255 bytes")

// Scope says for whom in the VM a proof speaks. The driver writes it, never who asks.
type Scope [14]byte

// Unprivileged is anybody whom root let near the node: do not hand out for it what
// belongs to the VM, or to one workload in it.
func Unprivileged() Scope { return Scope{0} }

// Privileged is root in the VM.
func Privileged() Scope { return Scope{1} }

// Labelled is the workload to which root in the VM gave this label.
func Labelled(label string) (Scope, error) {
	if len(label) < 1 || len(label) > 255 {
		return Scope{}, ErrLabel
	}
	hash := sha512.Sum384([]byte(magic + " scope\x00" + label))
	scope := Scope{2}
	copy(scope[1:], hash[:])
	return scope, nil
}
