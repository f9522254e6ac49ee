// SPDX-License-Identifier: GPL-2.0
//! Answers as merkle_tool does, by the crate for users of Rust:
//!   in:  USER_DATA PROOF in hex, "-" for no bytes
//!   out: R64 SCOPE TPM48, or "refused" and why
//! With "label" or "parts" each line is a label, or the parts of user data.
use std::io::{self, BufRead, Write};

use batchproof::{Error, Scope};

fn field(text: &str) -> Vec<u8> {
    if text == "-" {
        return Vec::new();
    }
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).expect("hex") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn hex(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{:02x}", byte)).collect()
}

fn refused(error: Error) -> String {
    match error {
        Error::Reserved => "refused reserved".into(),
        Error::Malformed(_) => "refused malformed".into(),
        Error::Label => "refused label".into(),
        other => other.to_string(),
    }
}

fn answer(question: &str, fields: &[Vec<u8>]) -> Result<String, Error> {
    match question {
        "label" => Scope::labelled(&fields[0]).map(|scope| hex(&scope.0)),
        "parts" => {
            let parts: Vec<&[u8]> = fields.iter().map(|part| &part[..]).collect();
            batchproof::user_data(&parts).map(|data| hex(&data))
        }
        _ => match <&[u8; 64]>::try_from(&fields[0][..]) {
            Ok(user_data) => batchproof::expected(user_data, &fields[1]).map(|c| {
                format!("{} {} {}", hex(&c.report_data), hex(&c.scope.0), hex(&c.tpm_data))
            }),
            Err(_) => Ok("refused length".into()),
        },
    }
}

fn main() -> io::Result<()> {
    let question = std::env::args().nth(1).expect("expected, label or parts");
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let fields: Vec<Vec<u8>> = line?.split_whitespace().map(field).collect();
        writeln!(out, "{}", answer(&question, &fields).unwrap_or_else(refused))?;
    }
    out.flush()
}
