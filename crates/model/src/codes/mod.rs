//! The catalogue of error codes, one file a room. Numbers are never reused; `docs/ERRORS.md` is checked against it.

/// Declares the codes of one room: `NAME = number, Verdict, http status, "error word", "what happened", "what to do.";`.
macro_rules! codes {
    ($($name:ident = $number:literal, $verdict:ident, $status:literal, $error:literal, $title:literal, $next:literal;)+) => {
        $(
            #[doc = $title]
            pub const $name: $crate::problem::Code = $crate::problem::Code {
                number: $number,
                verdict: $crate::problem::Verdict::$verdict,
                status: $status,
                error: $error,
                title: $title,
                next: $next,
            };
        )+
        /// Every code of this room.
        pub const ALL: &[&$crate::problem::Code] = &[$(&$name),+];
    };
}

pub mod config;
pub mod door;
pub mod erasure;
pub mod landing;
pub mod net;
pub mod notify;
pub mod store;
pub mod transfer;

use crate::problem::Code;

/// Returns every code there is, in the order of their numbers.
pub fn all() -> Vec<&'static Code> {
    let rooms = [door::ALL, erasure::ALL, transfer::ALL, landing::ALL, store::ALL, net::ALL, config::ALL, notify::ALL];
    let mut codes: Vec<_> = rooms.into_iter().flatten().copied().collect();
    codes.sort_by_key(|code| code.number);
    codes
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_unique_and_words_are_whole() {
        let codes = super::all();
        for pair in codes.windows(2) {
            assert_ne!(pair[0].number, pair[1].number, "{} and {}", pair[0].title, pair[1].title);
        }
        for code in codes {
            assert!(!code.title.ends_with('.'), "{code}: the title has no full stop");
            assert!(code.next.ends_with('.'), "{code}: the next step is a sentence");
        }
    }
}
