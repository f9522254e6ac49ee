// SPDX-License-Identifier: MIT
use crate::sha512::sha384;
use crate::*;

/// Leaf 2 of three, which moves up one level alone; made without what verifies it.
fn made() -> ([u8; 64], Vec<u8>, Commitment) {
    let mut user_data = [0; 64];
    for (i, byte) in user_data.iter_mut().enumerate() {
        *byte = i as u8;
    }
    let header = b"CVMGBAT1\x01\0\0\0\x03\0\0\0";
    let (scope, salt, sibling) = (Scope::PRIVILEGED, [0x5a; 32], [0xc3; 48]);
    let leaf = sha384(&[&[0], &salt, &scope.0, &user_data]);
    let root = sha384(&[&[1], &sibling, &leaf]);
    let proof = [&header[..], &[2, 0, 0, 0, 1, 0], &scope.0, &salt, &sibling].concat();
    let report_data = [&header[..], &sha384(&[&[2], header, &root])].concat();
    let tpm_data = [&b"CVMGBAT1"[..], &sha384(&[&[3], header, &root])[..40]].concat();
    let want = Commitment {
        report_data: report_data.try_into().unwrap(),
        tpm_data: tpm_data.try_into().unwrap(),
        scope,
    };
    (user_data, proof, want)
}

#[test]
fn expects() {
    let (mut user_data, proof, want) = made();
    assert_eq!(expected(&user_data, &proof), Ok(want));
    assert!(reserved(&want.report_data) && reserved(&want.tpm_data) && !reserved(&user_data));
    user_data[..7].copy_from_slice(b"CVMGBAT");
    assert_eq!(expected(&user_data, &proof), Err(Error::Reserved));
    assert_eq!(expected(&user_data, &[]), Err(Error::Reserved));
}

/// Every way to spoil a field, and what is then said of it.
#[test]
fn malformed() {
    let spoilt = [
        (0, b'c', "magic"), (7, b'2', "magic"), (8, 0, "alg"), (8, 2, "alg"), (9, 2, "flags"),
        (10, 1, "reserved bytes"), (11, 1, "reserved bytes"), (21, 1, "reserved bytes"),
        (12, 0, "tree size"), (14, 1, "tree size"), (15, 1, "tree size"),
        (16, 3, "leaf index"), (19, 1, "leaf index"),
        (12, 4, "path length"), (16, 1, "path length"),
        (20, 0, "path length"), (20, 255, "path length"),
        (22, 3, "scope kind"), (23, 1, "scope value"), (35, 1, "scope value"),
    ];
    for (at, value, field) in spoilt {
        let (user_data, mut proof, _) = made();
        proof[at] = value;
        assert_eq!(expected(&user_data, &proof), Err(Error::Malformed(field)), "byte {}", at);
    }
    let (user_data, proof, _) = made();
    for length in 0..2 * proof.len() {
        let mut cut = proof.clone();
        cut.resize(length, 0);
        assert_eq!(expected(&user_data, &cut).is_ok(), length == proof.len(), "{} bytes", length);
    }
}

/// The largest tree there is, and not one leaf more.
#[test]
fn largest() {
    let (user_data, mut proof, _) = made();
    proof[12..21].copy_from_slice(&[0, 0, 1, 0, 0xff, 0xff, 0, 0, 16]);
    proof.resize(MAX_PROOF_SIZE, 0);
    assert!(expected(&user_data, &proof).is_ok());
    proof[12] = 1;
    assert_eq!(expected(&user_data, &proof), Err(Error::Malformed("tree size")));
}

#[test]
fn scopes() {
    let (user_data, mut proof, want) = made();
    let kbs = Scope::labelled(b"kbs").unwrap();
    assert_eq!(report_data(&user_data, &proof, Scope::PRIVILEGED), Ok(want.report_data));
    for accepted in [Scope::UNPRIVILEGED, kbs, Scope([3; 14])] {
        assert_eq!(report_data(&user_data, &proof, accepted), Err(Error::Scope));
    }
    proof[SCOPE..SALT].copy_from_slice(&kbs.0);
    assert!(report_data(&user_data, &proof, kbs).is_ok());
    assert_eq!(report_data(&user_data, &proof, Scope::PRIVILEGED), Err(Error::Scope));
    assert_eq!(report_data(&user_data, &proof[1..], kbs), Err(Error::Malformed("magic")));
    for label in [&[][..], &[b'a'; 256]] {
        assert_eq!(Scope::labelled(label), Err(Error::Label));
    }
    assert!(Scope::labelled(&[b'a'; 255]).is_ok());
}
