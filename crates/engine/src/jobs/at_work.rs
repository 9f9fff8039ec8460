//! Whether somebody works on a data folder: for what must have it alone.

use std::fs::File;
use std::io::ErrorKind;

use model::{Problem, Result, codes};

use super::name::{FOLDER, PLACES};
use crate::Engine;

/// Tells whether another process works on the data folder right now: one of its places is locked.
///
/// # Errors
/// `MO-7005` if the places cannot be opened.
pub(crate) fn others_at_work(engine: &Engine) -> Result<bool> {
    for place in 1..=PLACES {
        let path = engine.settings.data.join(FOLDER).join(place.to_string());
        match File::options().read(true).write(true).open(&path) {
            Ok(file) if file.try_lock().is_err() => return Ok(true),
            Ok(_) => {}
            Err(cause) if cause.kind() == ErrorKind::NotFound => {}
            Err(cause) => {
                return Err(Problem::new(&codes::config::FILE_UNWRITABLE, path.display().to_string()).caused_by(cause));
            }
        }
    }
    Ok(false)
}
