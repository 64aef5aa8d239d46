//! Which Rust a folder asks for, as rustup reads it (the rustup book, "Overrides"), and what a person does when that is not
//! installed. Reads files and asks rustup what it has; nothing here installs anything.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::candidate::{Reason, ReasonKind};
use crate::machine::command::{Tool, variable};
use crate::machine::toml_text::{self, Value};
use crate::phrases;

/// The user's `RUSTUP_TOOLCHAIN`, which outranks every file. As `cargo xupgrade` the tool itself runs below rustup's
/// cargo, which sets that variable for its own folder; passed on, it would choose the Rust of every project.
#[must_use]
pub fn named() -> Option<OsString> {
    let name = variable("RUSTUP_TOOLCHAIN")?;
    let is_users = match variable("RUSTUP_TOOLCHAIN_SOURCE") {
        Some(source) => source == "env" || source == "cli",
        // A rustup before 1.29 does not say; what it would choose anyway is no choice of the user's.
        None => variable("CARGO").is_none() || chosen_here().is_none_or(|here| name.to_str() != Some(here.as_str())),
    };
    is_users.then_some(name)
}

fn chosen_here() -> Option<String> {
    let tool = Tool::new("rustup").args(["show", "active-toolchain"]).without("RUSTUP_TOOLCHAIN");
    let line = tool.env("RUSTUP_AUTO_INSTALL", "0").line().ok()?;
    line.split_whitespace().next().map(str::to_owned)
}

/// A command of rustup's that takes the toolchain of its folder, or the one that the user names, and installs none.
#[must_use]
pub fn of_the_folder(tool: Tool) -> Tool {
    let tool = tool.env("RUSTUP_AUTO_INSTALL", "0");
    if named().is_some() { tool } else { tool.without("RUSTUP_TOOLCHAIN") }
}

/// The version of the Rust that runs in a folder (`1.95.0`, `1.97.0-nightly`); `None` where none answers.
#[must_use]
pub fn version(folder: &Path) -> Option<String> {
    let line = of_the_folder(Tool::new("rustc")).arg("--version").dir(folder).line().ok()?;
    line.split_whitespace().nth(1).map(str::to_owned)
}

/// What a toolchain file asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pin {
    /// The file.
    pub file: PathBuf,
    /// The toolchain's name (`1.60.0`, `nightly`, a custom one); empty where the file names none.
    pub channel: String,
    /// Components beside the profile's.
    pub components: Vec<String>,
    /// Targets beside the host.
    pub targets: Vec<String>,
}

/// The toolchain file of a folder; where both spellings exist rustup reads the one without an ending.
#[must_use]
pub fn file_in(folder: &Path) -> Option<PathBuf> {
    ["rust-toolchain", "rust-toolchain.toml"].map(|name| folder.join(name)).into_iter().find(|file| file.is_file())
}

/// The nearest toolchain file of a folder and those above it, up to `top`.
#[must_use]
pub fn pin(folder: &Path, top: &Path) -> Option<Pin> {
    let file = folder.ancestors().take_while(|above| above.starts_with(top)).find_map(file_in)?;
    let text = std::fs::read_to_string(&file).ok()?;
    Some(read(&text, file))
}

/// Reads a toolchain file: TOML, or nothing but a name.
fn read(text: &str, file: PathBuf) -> Pin {
    let Ok(table) = toml_text::parse(text) else {
        return Pin { file, channel: text.trim().to_owned(), ..Pin::default() };
    };
    let asked = |key: &str| table.get("toolchain").and_then(|table| table.get(key));
    let list = |key: &str| {
        let list = asked(key).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    Pin {
        channel: asked("channel").and_then(Value::as_str).unwrap_or_default().to_owned(),
        components: list("components"),
        targets: list("targets"),
        file,
    }
}

/// Why a project is held whose toolchain is not there; `named` is the user's `RUSTUP_TOOLCHAIN`, which outranks files.
#[must_use]
pub fn missing(words: &str, pin: Option<&Pin>, top: &Path, named: Option<&str>) -> Reason {
    let text = match (named, pin) {
        (Some(name), _) => {
            format!(
                "RUSTUP_TOOLCHAIN names `{name}`, which is not installed; run `rustup toolchain install {name}`, or unset it"
            )
        }
        (None, Some(pin)) if !pin.channel.is_empty() => {
            // What was found above the repository lies above the clone under another name.
            let who = pin.file.strip_prefix(top).map_or("rustup's choice from outside".into(), Path::to_string_lossy);
            format!("{who} asks for Rust `{}`, which is not installed; run `{}`", pin.channel, install(pin))
        }
        _ => {
            let first = words.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
            let first = phrases::cargo::without_mark(first);
            format!("{first}; install it, or name another one (RUSTUP_TOOLCHAIN)")
        }
    };
    Reason::new(ReasonKind::ToolchainMissing, text)
}

fn install(pin: &Pin) -> String {
    let mut words = vec!["rustup toolchain install".to_owned(), pin.channel.clone()];
    words.extend(pin.components.iter().map(|name| format!("--component {name}")));
    words.extend(pin.targets.iter().map(|name| format!("--target {name}")));
    words.join(" ")
}

/// What a person should know about a toolchain that is there: that nobody reads the file, or what it asks for in vain.
#[must_use]
pub fn remarks(pin: &Pin, folder: &Path, top: &Path) -> Option<String> {
    let file = pin.file.strip_prefix(top).unwrap_or(&pin.file).display().to_string();
    if !is_rustups(folder) {
        let version = ask(Tool::new("cargo").arg("--version"), folder)?;
        return Some(format!(
            "{file} asks for Rust `{}`, and the cargo on the PATH is not rustup's, so it is ignored: {} is used",
            pin.channel,
            version.trim()
        ));
    }
    if pin.components.is_empty() && pin.targets.is_empty() {
        return None;
    }
    let installed = ask(Tool::new("rustup").args(["component", "list", "--installed"]), folder)?;
    lacking(pin, &installed.lines().map(str::to_owned).collect::<Vec<_>>())
        .map(|(what, command)| format!("{file} asks for {what}, not installed; if a check needs it, run `{command}`"))
}

/// A toolchain that nobody has: rustup's cargo stumbles over it, any other cargo does not look.
fn is_rustups(folder: &Path) -> bool {
    let tool = Tool::new("cargo").arg("--version").env("RUSTUP_AUTO_INSTALL", "0");
    let output = tool.env("RUSTUP_TOOLCHAIN", "xupgrade-nobody-has-this").dir(folder).output();
    output.is_ok_and(|output| !output.status.success())
}

fn ask(tool: Tool, folder: &Path) -> Option<String> {
    let output = of_the_folder(tool).dir(folder).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Components and targets that a file asks for and that are not among the installed components (`name-host`, and
/// `rust-std-target` for a target), with the command that installs them.
fn lacking(pin: &Pin, installed: &[String]) -> Option<(String, String)> {
    let has = |name: &str| installed.iter().any(|one| one == name || one.starts_with(&format!("{name}-")));
    let gone = |list: &[String], prefix: &str| -> Vec<String> {
        list.iter().filter(|name| !has(&format!("{prefix}{name}"))).cloned().collect()
    };
    let (components, targets) = (gone(&pin.components, ""), gone(&pin.targets, "rust-std-"));
    if components.is_empty() && targets.is_empty() {
        return None;
    }
    let mut what: Vec<String> = components.iter().map(|name| format!("the component `{name}`")).collect();
    what.extend(targets.iter().map(|name| format!("the target `{name}`")));
    let wanted = Pin { components, targets, ..pin.clone() };
    Some((what.join(" and "), install(&wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pinned(text: &str) -> Pin {
        read(text, PathBuf::from("/r/app/rust-toolchain.toml"))
    }

    const WHOLE: &str = "[toolchain]\nchannel = \"1.60.0\"\ncomponents = [\"miri\", \"clippy\"]\ntargets = [\"wasm32-unknown-unknown\"]\n";

    #[test]
    fn both_spellings_of_a_toolchain_file_are_read() {
        assert_eq!(pinned("nightly-2026-01-01\n").channel, "nightly-2026-01-01");
        let pin = pinned(WHOLE);
        assert_eq!((pin.channel.as_str(), pin.components.len(), pin.targets.len()), ("1.60.0", 2, 1));
    }

    #[test]
    fn a_missing_toolchain_is_told_with_the_command_that_installs_all_of_it() {
        let words = "error: toolchain '1.60.0-x86_64-unknown-linux-gnu' is not installed\nhelp: run ...";
        assert!(phrases::rustup::is_toolchain_missing(words));
        let reason = missing(words, Some(&pinned(WHOLE)), Path::new("/r"), None);
        assert_eq!(reason.kind, ReasonKind::ToolchainMissing);
        assert_eq!(
            reason.text,
            "app/rust-toolchain.toml asks for Rust `1.60.0`, which is not installed; run `rustup toolchain install 1.60.0 \
             --component miri --component clippy --target wasm32-unknown-unknown`"
        );
    }

    #[test]
    fn the_variable_outranks_the_file() {
        let reason = missing("", Some(&pinned(WHOLE)), Path::new("/r"), Some("beta"));
        assert!(reason.text.starts_with("RUSTUP_TOOLCHAIN names `beta`"), "{}", reason.text);
    }

    #[test]
    fn components_and_targets_that_are_not_there_are_named() {
        let installed = ["clippy-x86_64-unknown-linux-gnu", "rust-std-x86_64-unknown-linux-gnu"].map(str::to_owned);
        let (what, command) = lacking(&pinned(WHOLE), &installed).unwrap();
        assert_eq!(what, "the component `miri` and the target `wasm32-unknown-unknown`");
        assert_eq!(command, "rustup toolchain install 1.60.0 --component miri --target wasm32-unknown-unknown");
        let all = [installed.as_slice(), &["miri-x".to_owned(), "rust-std-wasm32-unknown-unknown".to_owned()]].concat();
        assert_eq!(lacking(&pinned(WHOLE), &all), None);
    }

    #[test]
    fn the_nearest_file_counts_and_none_above_the_top_does() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("repo");
        std::fs::create_dir_all(top.join("a/b")).unwrap();
        std::fs::write(folder.path().join("rust-toolchain"), "above").unwrap();
        assert_eq!(pin(&top.join("a/b"), &top), None);
        std::fs::write(top.join("rust-toolchain.toml"), "[toolchain]\nchannel = \"top\"\n").unwrap();
        assert_eq!(pin(&top.join("a/b"), &top).unwrap().channel, "top");
        std::fs::write(top.join("a/rust-toolchain.toml"), "[toolchain]\nchannel = \"new\"\n").unwrap();
        std::fs::write(top.join("a/rust-toolchain"), "old\n").unwrap();
        assert_eq!(pin(&top.join("a/b"), &top).unwrap().channel, "old");
    }
}
