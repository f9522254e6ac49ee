// SPDX-License-Identifier: MIT
use crate::sha512::sha384;
use crate::{Error, MAGIC};

/// For whom in the VM a proof speaks. The driver writes it, never who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope(pub [u8; 14]);

impl Scope {
    /// Anybody whom root let near the node: do not hand out for it what belongs to the VM,
    /// or to one workload in it.
    pub const UNPRIVILEGED: Scope = Scope([0; 14]);
    /// Root in the VM.
    pub const PRIVILEGED: Scope = Scope([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

    /// The workload to which root in the VM gave this label.
    pub fn labelled(label: &[u8]) -> Result<Scope, Error> {
        if label.is_empty() || label.len() > 255 {
            return Err(Error::Label);
        }
        let mut scope = Scope([2; 14]);
        scope.0[1..].copy_from_slice(&sha384(&[MAGIC, b" scope\0", label])[..13]);
        Ok(scope)
    }
}
