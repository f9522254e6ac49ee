// SPDX-License-Identifier: MIT
//! Tells a relying party what batch evidence must carry.
//!
//! In a batch many requests share one hardware report or quote, and each has a proof of
//! its own ("Batch v1"). [`expected`] makes of what was asked for and of the proof the 64
//! bytes that stand in REPORT_DATA where the proof is right. It proves nothing by itself:
//! an ordinary verifier has to find exactly these bytes, all of them, in evidence that it
//! verifies.
//!
//! Whoever expects a batch demands a proof, and whoever expects direct evidence refuses a
//! REPORT_DATA that is [`reserved`]: there is no way back in either direction.
//!
//! The functions are pure and have no `unsafe` code; [`expected`] allocates nothing. They
//! answer as the C code that libcvmguest has from the driver, case by case.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::fmt;

mod scope;
mod sha512;
mod user_data;

pub use scope::Scope;
pub use user_data::user_data;

use sha512::sha384;

/// Bytes of user data and of REPORT_DATA.
pub const REPORT_DATA_SIZE: usize = 64;
/// Bytes of a vTPM quote's extraData.
pub const TPM_DATA_SIZE: usize = 48;
/// Bytes of the longest proof there is.
pub const MAX_PROOF_SIZE: usize = PATH + MAX_DEPTH * HASH_SIZE;

const MAGIC: &[u8; 8] = b"CVMGBAT1";
const TAG: &[u8] = b"CVMGBAT"; // no user data begins with it
const ALG_V1: u8 = 1;
const DUMMIES: u8 = 1; // the only flag
const MAX_DEPTH: usize = 16;
const HASH_SIZE: usize = 48;

const HEADER_SIZE: usize = 16;
const INDEX: usize = HEADER_SIZE;
const PATH_LEN: usize = INDEX + 4;
const ZERO: usize = PATH_LEN + 1;
const SCOPE: usize = ZERO + 1;
const SALT: usize = SCOPE + 14;
const PATH: usize = SALT + 32;

// The first byte of all that is hashed: no kind passes for another.
const OF_LEAF: &[u8] = &[0];
const OF_NODE: &[u8] = &[1];
const OF_SEAL: &[u8] = &[2];
const OF_TPM: &[u8] = &[3];

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// User data begins with the tag of batches.
    Reserved,
    /// No proof of version 1; the field that is wrong.
    Malformed(&'static str),
    /// The proof speaks for somebody else.
    Scope,
    /// A label has 1 to 255 bytes.
    Label,
    /// A part of user data is 4 GiB or longer.
    Part,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Reserved => f.write_str("user data begins with CVMGBAT, which is reserved"),
            Error::Malformed(field) => write!(f, "no proof of version 1: {}", field),
            Error::Scope => f.write_str("the proof speaks for somebody else"),
            Error::Label => f.write_str("a label has 1 to 255 bytes"),
            Error::Part => f.write_str("a part of user data is too long"),
        }
    }
}

impl std::error::Error for Error {}

/// What evidence has to carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment {
    /// REPORT_DATA, or user-data of Azure's claims.
    pub report_data: [u8; REPORT_DATA_SIZE],
    /// extraData of a vTPM's quote, besides `report_data` and never alone.
    pub tpm_data: [u8; TPM_DATA_SIZE],
    /// For whom the proof speaks.
    pub scope: Scope,
}

/// Section 2 of the specification: what evidence must commit to where the proof is right,
/// and for whom the proof speaks. Which scopes are good enough is for the caller to say:
/// see [`report_data`].
pub fn expected(user_data: &[u8; REPORT_DATA_SIZE], proof: &[u8]) -> Result<Commitment, Error> {
    if reserved(user_data) {
        return Err(Error::Reserved);
    }
    check(proof)?;
    let (header, scope) = (&proof[..HEADER_SIZE], &proof[SCOPE..SALT]);
    let root = walk(proof, sha384(&[OF_LEAF, &proof[SALT..PATH], scope, user_data]));
    let mut c = Commitment { report_data: [0; 64], tpm_data: [0; 48], scope: Scope([0; 14]) };
    c.report_data[..HEADER_SIZE].copy_from_slice(header);
    c.report_data[HEADER_SIZE..].copy_from_slice(&sha384(&[OF_SEAL, header, &root]));
    c.tpm_data[..8].copy_from_slice(MAGIC);
    c.tpm_data[8..].copy_from_slice(&sha384(&[OF_TPM, header, &root])[..40]);
    c.scope.0.copy_from_slice(scope);
    Ok(c)
}

/// [`expected`] for a caller who accepts one scope, and [`Error::Scope`] for all others.
pub fn report_data(
    user_data: &[u8; REPORT_DATA_SIZE],
    proof: &[u8],
    accepted: Scope,
) -> Result<[u8; REPORT_DATA_SIZE], Error> {
    match expected(user_data, proof)? {
        c if c.scope == accepted => Ok(c.report_data),
        _ => Err(Error::Scope),
    }
}

/// Whether `data` begins as the REPORT_DATA of a batch does.
pub fn reserved(data: &[u8]) -> bool {
    data.starts_with(TAG)
}

fn le32(bytes: &[u8]) -> usize {
    bytes[..4].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

/// One form for each leaf of each tree, and nothing behind it.
fn check(proof: &[u8]) -> Result<(), Error> {
    let bad = |field| Err(Error::Malformed(field));
    if proof.len() < PATH {
        return bad("length");
    }
    let (size, index, depth) = (le32(&proof[12..]), le32(&proof[INDEX..]), proof[PATH_LEN] as usize);
    match proof {
        p if !p.starts_with(MAGIC) => bad("magic"),
        p if p[8] != ALG_V1 => bad("alg"),
        p if p[9] & !DUMMIES != 0 => bad("flags"),
        p if p[10] | p[11] | p[ZERO] != 0 => bad("reserved bytes"),
        _ if size < 1 || size > 1 << MAX_DEPTH => bad("tree size"),
        _ if index >= size => bad("leaf index"),
        _ if depth != path_len(index, size) => bad("path length"),
        p if p.len() != PATH + depth * HASH_SIZE => bad("length"),
        p if p[SCOPE] > 2 => bad("scope kind"),
        p if p[SCOPE] < 2 && p[SCOPE + 1..SALT] != [0; 13] => bad("scope value"),
        _ => Ok(()),
    }
}

/// The levels of a tree from the leaves up at which leaf `index` has a sibling, as whether
/// that is on the left. A node with nobody beside it moves up as it is.
fn siblings(mut index: usize, mut size: usize) -> impl Iterator<Item = bool> {
    std::iter::from_fn(move || {
        if size <= 1 {
            return None;
        }
        let side = (index != size - 1 || index & 1 == 1).then(|| index & 1 == 1);
        (index, size) = (index / 2, (size + 1) / 2);
        Some(side)
    })
    .flatten()
}

fn path_len(index: usize, size: usize) -> usize {
    siblings(index, size).count()
}

/// From the leaf's hash to the root's: RFC 9162, section 2.1.3.2.
fn walk(proof: &[u8], leaf: [u8; HASH_SIZE]) -> [u8; HASH_SIZE] {
    let sides = siblings(le32(&proof[INDEX..]), le32(&proof[12..]));
    let path = proof[PATH..].chunks_exact(HASH_SIZE);
    sides.zip(path).fold(leaf, |node, (left, sibling)| match left {
        true => sha384(&[OF_NODE, sibling, &node]),
        false => sha384(&[OF_NODE, &node, sibling]),
    })
}

#[cfg(test)]
mod tests;
