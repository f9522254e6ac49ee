// SPDX-License-Identifier: MIT
use crate::sha512::sha512;
use crate::{Error, REPORT_DATA_SIZE};

/// 64 bytes of several things, or of something of another length: by convention the
/// audience, a nonce of 16 random bytes or more, and a channel's key. The same parts in
/// another split or order give others.
pub fn user_data(parts: &[&[u8]]) -> Result<[u8; REPORT_DATA_SIZE], Error> {
    let lengths: Vec<[u8; 4]> = parts
        .iter()
        .map(|part| u32::try_from(part.len()).map(u32::to_le_bytes))
        .collect::<Result<_, _>>()
        .map_err(|_| Error::Part)?;
    let mut hashed: Vec<&[u8]> = vec![b"CVMGUD1\0"];
    for (length, part) in lengths.iter().zip(parts) {
        hashed.extend([&length[..], part]);
    }
    Ok(sha512(&hashed))
}
