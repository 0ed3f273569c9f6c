//! The house rules that a machine can check.

use crate::{generate, root};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path, process::Command};

/// Which of our crates each of our crates may use (ARCHITECTURE.md). Tests may use everything.
const ARROWS: &[(&str, &[&str])] = &[
    ("diemcau-model", &[]),
    ("diemcau-conference", &["diemcau-model"]),
    ("diemcau-protocol", &["diemcau-conference", "diemcau-model"]),
    ("diemcau-journal", &["diemcau-conference", "diemcau-model"]),
    (
        "diemcau-hub",
        &[
            "diemcau-conference",
            "diemcau-journal",
            "diemcau-model",
            "diemcau-protocol",
        ],
    ),
    ("diemcau-media", &["diemcau-model"]),
    ("diemcau-probe", &["diemcau-model"]),
    (
        "diemcau-endpoint",
        &["diemcau-conference", "diemcau-model", "diemcau-protocol"],
    ),
    (
        "diemcau-load",
        &[
            "diemcau-conference",
            "diemcau-fuzz",
            "diemcau-model",
            "diemcau-protocol",
        ],
    ),
    ("diemcau-verify", &[]),
    ("diemcau-fuzz", &[]),
    (
        "diemcau-simulation",
        &[
            "diemcau-conference",
            "diemcau-fuzz",
            "diemcau-hub",
            "diemcau-journal",
            "diemcau-media",
            "diemcau-model",
            "diemcau-protocol",
        ],
    ),
    ("xtask", &["diemcau-protocol"]),
];
/// May use all of them.
const ABOVE_ALL: [&str; 2] = ["diemcau", "diemcau-tests"];

/// Addresses that the client's files may name: they are names, nothing is fetched from them.
const NO_FETCH: [&str; 1] = ["http://www.w3.org/"];

/// Lines of code of the verifier, without blank ones and comments: whoever doubts a record is to read all of it.
const VERIFIER_LINES_MAX: usize = 500;

/// Checks all of it.
pub fn check() -> Result<()> {
    generate::check()?;
    let metadata = metadata()?;
    check_arrows(&metadata)?;
    check_licences(&metadata)?;
    check_pins()?;
    check_verifier()?;
    check_client()
}

fn metadata() -> Result<Value> {
    let output = Command::new("cargo")
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(root())
        .output()
        .context("cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().into_iter().flatten()
}

fn check_arrows(metadata: &Value) -> Result<()> {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for package in packages(metadata).filter(|package| package["source"].is_null()) {
        let name = package["name"].as_str().unwrap_or_default();
        if ABOVE_ALL.contains(&name) {
            continue;
        }
        let allowed = allowed
            .get(name)
            .with_context(|| format!("{name} has no place in ARROWS of tidy.rs"))?;
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let uses = dependency["name"].as_str().unwrap_or_default();
            let ours = uses.starts_with("diemcau") && dependency["kind"].is_null();
            ensure!(
                !ours || allowed.contains(&uses),
                "{name} must not use {uses}"
            );
        }
    }
    Ok(())
}

/// Every licence must offer a choice that `deny.toml` allows.
fn check_licences(metadata: &Value) -> Result<()> {
    let deny: toml::Table = toml::from_str(&fs::read_to_string(root().join("deny.toml"))?)?;
    let allow = deny
        .get("licenses")
        .and_then(|licenses| licenses.get("allow"))
        .and_then(toml::Value::as_array);
    let allow: Vec<&str> = allow
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
        .collect();
    for package in packages(metadata).filter(|package| !package["source"].is_null()) {
        let licence = package["license"].as_str().unwrap_or("none");
        ensure!(
            is_allowed(licence, &allow),
            "{}: licence {licence} is not allowed",
            package["name"]
        );
    }
    Ok(())
}

/// "A OR B" needs one allowed side, "A AND B" both; the old "/" means OR.
fn is_allowed(licence: &str, allow: &[&str]) -> bool {
    let licence = licence.replace('/', " OR ").replace(['(', ')'], "");
    let all = |choice: &str| {
        choice
            .split(" AND ")
            .all(|part| allow.contains(&part.trim()))
    };
    licence.split(" OR ").any(all)
}

fn check_pins() -> Result<()> {
    let manifest: toml::Table = toml::from_str(&fs::read_to_string(root().join("Cargo.toml"))?)?;
    let dependencies = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"));
    for (name, value) in dependencies
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten()
    {
        let version = value
            .as_str()
            .or_else(|| value.get("version").and_then(toml::Value::as_str));
        ensure!(
            version.is_none_or(|version| version.starts_with('=')),
            "{name} is not pinned by \"=\""
        );
    }
    Ok(())
}

fn check_verifier() -> Result<()> {
    let mut lines = 0;
    for_each_file(&root().join("crates/verify/src"), &mut |path| {
        lines += lines_of_code(&fs::read_to_string(path)?);
        Ok(())
    })?;
    ensure!(
        (1..=VERIFIER_LINES_MAX).contains(&lines),
        "the verifier has {lines} lines of code, of {VERIFIER_LINES_MAX}"
    );
    Ok(())
}

fn lines_of_code(text: &str) -> usize {
    let lines = text.lines().map(str::trim);
    let code = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    code.count()
}

/// The client asks nothing of anybody outside the installation.
fn check_client() -> Result<()> {
    for folder in ["web/src", "web/styles", "web/locales"] {
        for_each_file(&root().join(folder), &mut check_addresses)?;
    }
    Ok(())
}

fn check_addresses(path: &Path) -> Result<()> {
    let text = fs::read_to_string(path)?;
    for scheme in ["http://", "https://"] {
        for (at, _) in text.match_indices(scheme) {
            let known = NO_FETCH.iter().any(|name| text[at..].starts_with(name));
            if !known {
                bail!(
                    "{}: an outside address: {:.60}",
                    path.display(),
                    &text[at..]
                );
            }
        }
    }
    Ok(())
}

fn for_each_file(folder: &Path, work: &mut impl FnMut(&Path) -> Result<()>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            for_each_file(&path, work)?
        } else {
            work(&path)?
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_code_is_not_counted_as_such() {
        let text = "//! What it is.\n\nfn main() {\n    // Why.\n    run(); // now\n}\n";
        assert_eq!(lines_of_code(text), 3);
    }

    #[test]
    fn a_licence_needs_one_allowed_choice() {
        let allow = ["MIT", "Apache-2.0", "ISC"];
        assert!(is_allowed("MIT OR GPL-3.0", &allow));
        assert!(is_allowed("MIT/Apache-2.0", &allow));
        assert!(is_allowed("Apache-2.0 AND ISC", &allow));
        assert!(!is_allowed("GPL-3.0", &allow));
        assert!(!is_allowed("MIT AND GPL-3.0", &allow));
    }
}
