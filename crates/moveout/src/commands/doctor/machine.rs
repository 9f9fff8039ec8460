//! What the machine gives us: the data folder, its disk, HTTPS.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use server::listen::Tls;
use x509_parser::pem::Pem;

use crate::config::TlsFiles;
use crate::context::Context;
use model::check::{Checks, Verdict};

/// Below this many free bytes, work will soon stop.
const SCARCE: u64 = 1 << 30;
/// Below this many free bytes, it may stop at any moment.
const EMPTY: u64 = 64 << 20;
/// A certificate that is valid for less than this should have been renewed.
const RENEW: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Looks at folder, disk, public URL and certificate.
pub fn look(checks: &mut Checks, context: &Context) {
    let config = &context.config;
    folder(checks, &config.data);
    let url = config.public_url();
    checks.should("public_url", url.starts_with("https://"), format!("{url}; the platform demands https"));
    match &config.tls {
        Some(files) => certificate(checks, files, context.ambient.now()),
        None => checks.note("tls", Verdict::Ok, "no certificate: HTTPS is the reverse proxy's matter"),
    }
}

fn folder(checks: &mut Checks, data: &Path) {
    // A folder that is not there yet will lie on the disk of the first one that is.
    let absolute = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let there = absolute.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
    match rustix::fs::statvfs(there) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let verdict = match free {
                free if free < EMPTY => Verdict::Failed,
                free if free < SCARCE => Verdict::Warning,
                _ => Verdict::Ok,
            };
            checks.note("disk", verdict, format!("{} MiB free at {}", free >> 20, there.display()));
        }
        Err(cause) => checks.must("disk", false, format!("{}: {cause}", there.display())),
    }
    let writable = rustix::fs::access(there, rustix::fs::Access::WRITE_OK).is_ok();
    checks.must("data", writable, format!("{} can{} be written", there.display(), if writable { "" } else { "not" }));
    #[cfg(unix)]
    if let Ok(key) = std::fs::metadata(data.join("master.key")) {
        let mode = std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777;
        checks.must("master_key", mode & 0o077 == 0, format!("master.key has mode {mode:o}; it is for its owner only"));
    }
}

fn certificate(checks: &mut Checks, files: &TlsFiles, now: Timestamp) {
    if let Err(problem) = Tls::from_pem(&files.certificate, &files.key) {
        return checks.must("tls", false, problem.detail);
    }
    match expiry(&files.certificate) {
        Some(until) => {
            let verdict = match until.duration_since(now) {
                rest if rest.is_negative() => Verdict::Failed,
                rest if rest < RENEW => Verdict::Warning,
                _ => Verdict::Ok,
            };
            checks.note("tls", verdict, format!("{} is valid until {until}", files.certificate.display()));
        }
        None => checks.must("tls", false, format!("{} holds no certificate", files.certificate.display())),
    }
}

/// Returns when the first certificate of a chain ends, which is the server's own.
fn expiry(path: &Path) -> Option<Timestamp> {
    let text = std::fs::read(path).ok()?;
    let pem = Pem::iter_from_buffer(&text).find_map(|pem| pem.ok().filter(|pem| pem.label == "CERTIFICATE"))?;
    let until = pem.parse_x509().ok()?.validity().not_after.timestamp();
    Timestamp::from_second(until).ok()
}
