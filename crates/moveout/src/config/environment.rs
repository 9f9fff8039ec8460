//! The environment variables, taken once.

use std::collections::HashMap;

/// The environment variables of the process.
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// Takes those of the process; what is not UTF-8 is left out.
    #[expect(clippy::disallowed_methods, reason = "this is the room that reads the environment")]
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// Returns the variable of this name.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}
