//! The confirmation code: 26 letters and digits that lead to a request's status page.
//!
//! 128 bits in base32 (RFC 4648 §6), lower case, without padding. It is the one capability that we put into URLs.

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;

/// Derives the code of a callback: the same app and text give the same code on every machine and after a restore.
pub fn derive(key: &[u8; 32], app: &str, text: &str) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    // The length in front keeps ("ab", "c") and ("a", "bc") apart.
    context.update(&(app.len() as u64).to_be_bytes());
    context.update(app.as_bytes());
    context.update(text.as_bytes());
    encode(&context.sign().as_ref()[..16])
}

/// Makes a code from random bytes, for doors that receive no text of their own.
pub fn from_random(bytes: &[u8; 16]) -> String {
    encode(bytes)
}

fn encode(bytes: &[u8]) -> String {
    BASE32_NOPAD.encode(bytes).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_depends_on_key_app_and_text_and_on_nothing_else() {
        let code = derive(&[7; 32], "shop", "text");
        assert_eq!(code, derive(&[7; 32], "shop", "text"));
        assert_eq!(code.len(), 26);
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{code}");
        for other in [derive(&[8; 32], "shop", "text"), derive(&[7; 32], "sho", "ptext"), derive(&[7; 32], "shop", "t")]
        {
            assert_ne!(code, other);
        }
        assert_eq!(from_random(&[0; 16]), "a".repeat(26));
    }
}
