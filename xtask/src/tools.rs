//! What the tests need beside Rust: installed where that is possible, named where it is not.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

/// A tool, where it may lie, and the Debian package it comes from.
struct Tool {
    name: &'static str,
    package: &'static str,
    found: fn() -> bool,
}

const TOOLS: &[Tool] = &[
    Tool { name: "a C compiler", package: "gcc", found: || on_path("cc") },
    Tool { name: "PostgreSQL", package: "postgresql", found: postgres },
    // Debian's redis-tools holds the server program too, under another name and without a service that starts.
    Tool { name: "Redis", package: "redis-tools", found: || on_path("redis-check-rdb") || on_path("redis-server") },
    // The programs alone: the package of the server would start one.
    Tool { name: "MariaDB", package: "mariadb-server-core", found: || on_path("mariadbd") },
    Tool { name: "MariaDB's client", package: "mariadb-client-core", found: || on_path("my_print_defaults") },
    Tool { name: "pgbouncer", package: "pgbouncer", found: || Path::new("/usr/sbin/pgbouncer").is_file() },
    Tool { name: "Chromium", package: "chromium", found: || on_path("chromium") },
    Tool { name: "Node.js", package: "nodejs", found: || on_path("node") },
    Tool { name: "aiosmtpd", package: "python3-aiosmtpd", found: aiosmtpd },
    Tool { name: "Python's venv", package: "python3-venv", found: || on_path("python3") },
    Tool { name: "npm", package: "npm", found: || on_path("npm") },
];

/// Installs what is missing, or says exactly what to install.
pub fn ensure() -> Result<()> {
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| !(tool.found)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|tool| tool.name).collect();
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    let by_hand = format!("install it with: apt-get install -y --no-install-recommends {}", packages.join(" "));
    if !on_path("apt-get") || !is_root() {
        bail!("{} missing; {by_hand}", names.join(", "));
    }
    println!("installing {}", packages.join(" "));
    let apt = |arguments: &[&str]| {
        Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .status()
            .is_ok_and(|status| status.success())
    };
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(&packages);
    if !apt(&["update", "-qq"]) || !apt(&install) || missing.iter().any(|tool| !(tool.found)()) {
        bail!("{} could not be installed; {by_hand}", names.join(", "));
    }
    Ok(())
}

fn on_path(program: &str) -> bool {
    folders_of_path().iter().any(|folder| folder.join(program).is_file())
}

#[expect(clippy::disallowed_methods, reason = "a chore looks for programs where the shell would")]
fn folders_of_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    // Servers lie where an ordinary user's PATH may not lead.
    path.unwrap_or_default().into_iter().chain(["/usr/sbin".into()]).collect()
}

/// Debian keeps the server's programs off the PATH, one folder a version.
fn postgres() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    on_path("initdb") || versions.map(|version| version.path().join("bin/initdb")).any(|initdb| initdb.is_file())
}

/// The mail server that catches what tests send, for the Python that Debian installs it for.
fn aiosmtpd() -> bool {
    let import =
        Command::new("/usr/bin/python3").args(["-c", "import aiosmtpd"]).stderr(std::process::Stdio::null()).status();
    import.is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    // The owner of our own process folder, without calling libc.
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0)
}
