//! The arrows of ARCHITECTURE.md: which crate may import which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Each room and the rooms that it may import; what is not listed here is not a room.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("wire", &["model"]),
    ("store", &["model"]),
    ("net", &["model"]),
    ("testkit", &["model"]),
    ("adapters", &["model", "wire", "net"]),
    ("engine", &["model", "wire", "store", "adapters", "net"]),
    ("server", &["model", "wire", "engine"]),
    ("moveout", &["model", "wire", "store", "adapters", "net", "engine", "server"]),
    ("xtask", &["model"]),
];

/// Crates from outside that a room must not name, because another room stands between.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("engine", &["rusqlite", "tokio-postgres", "deadpool-postgres", "reqwest", "hyper", "axum"]),
    ("server", &["rusqlite", "tokio-postgres", "deadpool-postgres", "reqwest"]),
    ("adapters", &["reqwest", "axum", "deadpool-postgres"]),
    ("store", &["reqwest", "axum"]),
];

/// Rooms that must build without these crates anywhere below them.
const PURE: &[(&str, &[&str])] = &[
    ("model", &["tokio", "rusqlite", "tokio-postgres", "reqwest", "hyper", "axum"]),
    ("wire", &["tokio", "rusqlite", "tokio-postgres", "reqwest", "hyper", "axum"]),
];

/// Fails with every arrow that points where it may not.
pub fn check(root: &Path) -> Result<()> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .exec()
        .context("cargo metadata could not read the workspace")?;
    let wrong = violations(&metadata);
    if wrong.is_empty() {
        Ok(())
    } else {
        bail!("arrows that ARCHITECTURE.md does not have:\n  {}", wrong.join("\n  "))
    }
}

/// Returns a sentence for each arrow that points where it may not.
fn violations(metadata: &Metadata) -> Vec<String> {
    let mut wrong = Vec::new();
    let rooms: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let Some(allowed) = rooms.get(name) else {
            wrong.push(format!("{name} is no room of ARCHITECTURE.md"));
            continue;
        };
        let forbidden = FORBIDDEN.iter().find(|(room, _)| *room == name).map_or(&[][..], |(_, crates)| crates);
        // Tests may look into any room; what ships may not.
        for dependency in
            package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development)
        {
            let target = dependency.name.as_str();
            if rooms.contains_key(target) && !allowed.contains(&target) {
                wrong.push(format!("{name} → {target}"));
            }
            if forbidden.contains(&target) {
                wrong.push(format!("{name} → {target} (another room stands between)"));
            }
        }
    }
    for (room, crates) in PURE {
        let below = below(metadata, room);
        wrong.extend(
            crates
                .iter()
                .filter(|name| below.contains(**name))
                .map(|name| format!("{room} → … → {name} ({room} is pure)")),
        );
    }
    wrong
}

/// Returns the names of all packages that a room is built from, tests left out.
fn below(metadata: &Metadata, room: &str) -> BTreeSet<String> {
    let Some(resolve) = &metadata.resolve else { return BTreeSet::new() };
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut waiting: Vec<_> = metadata
        .workspace_packages()
        .into_iter()
        .filter(|package| package.name.as_str() == room)
        .map(|package| &package.id)
        .collect();
    let mut seen = BTreeSet::new();
    let mut names = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        names.insert(metadata[id].name.to_string());
        let dependencies = nodes.get(id).map_or(&[][..], |node| &node.deps);
        waiting.extend(
            dependencies
                .iter()
                .filter(|dependency| dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development))
                .map(|dependency| &dependency.pkg),
        );
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Copies the manifests of the workspace, with empty sources, and adds `line` to the dependencies of `room`.
    fn workspace_with(room: &str, line: &str) -> tempfile::TempDir {
        let root = crate::root().unwrap();
        let copy = tempfile::tempdir().unwrap();
        for file in ["Cargo.toml", "Cargo.lock"] {
            std::fs::copy(root.join(file), copy.path().join(file)).unwrap();
        }
        let members = std::fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
        for member in members.chain([root.join("xtask")]) {
            let target = copy.path().join(member.strip_prefix(&root).unwrap());
            std::fs::create_dir_all(target.join("src")).unwrap();
            let mut manifest = std::fs::read_to_string(member.join("Cargo.toml")).unwrap();
            if member.ends_with(room) {
                manifest = manifest.replacen("[dependencies]\n", &format!("[dependencies]\n{line}\n"), 1);
            }
            std::fs::write(target.join("Cargo.toml"), manifest).unwrap();
            std::fs::write(target.join("src/lib.rs"), "").unwrap();
            if member.join("src/main.rs").exists() {
                std::fs::write(target.join("src/main.rs"), "fn main() {}").unwrap();
            }
        }
        copy
    }

    #[test]
    fn the_house_as_it_stands_holds() {
        check(&crate::root().unwrap()).unwrap();
    }

    #[test]
    fn a_broken_arrow_is_found() {
        let table = [
            ("adapters", "store.workspace = true", "adapters → store"),
            ("server", "store.workspace = true", "server → store"),
            ("store", "net.workspace = true", "store → net"),
            ("engine", "axum.workspace = true", "engine → axum"),
            ("wire", "tokio.workspace = true", "wire → … → tokio"),
            ("wire", "net.workspace = true", "wire → … → reqwest"),
        ];
        for (room, line, arrow) in table {
            let copy = workspace_with(room, line);
            let words = check(copy.path()).unwrap_err().to_string();
            assert!(words.contains(arrow), "{arrow} is not named in: {words}");
        }
    }
}
