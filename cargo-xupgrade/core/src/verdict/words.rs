//! The words for a failed check in a sentence: its command as short as a reader knows it again, and where it failed. Pure.

use crate::shell::typed;
use crate::trial::CellReport;

/// Flags that say how a check is run, not which one it is.
const QUIET: [&str; 6] = ["--workspace", "--locked", "--no-fail-fast", "--keep-going", "-json", "-count=1"];
/// Most characters of a command in a sentence; the evidence has it word for word.
const MOST: usize = 60;

/// The command of a check, in quotes, with its folder unless that is the root.
pub(super) fn brief(cell: &CellReport) -> String {
    let behind = cell.words.iter().position(|word| word == "--").unwrap_or(cell.words.len());
    let is_said = |word: &&String| !QUIET.contains(&word.as_str()) && !word.starts_with("--message-format");
    let words: Vec<String> = cell.words[..behind].iter().filter(is_said).cloned().collect();
    let command = typed(&words);
    let shown: String = command.chars().take(MOST).collect();
    let more = if shown.len() < command.len() { "…" } else { "" };
    match cell.cell.project.path.as_str() {
        "." => format!("`{shown}{more}`"),
        folder => format!("`{shown}{more}` in {folder}"),
    }
}

/// The words for a build that fails, at a target where that is known.
pub(super) fn fails_at(target: Option<&String>) -> String {
    target.map_or_else(|| "fails".to_owned(), |target| format!("fails at {target}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Cell, Exit, Phase, Reading};

    fn said(project: &str, command: &str) -> String {
        let mut cell = Cell::of("test", Phase::Test).ended(Exit::Code(1), Reading::default());
        cell.words = command.split(' ').map(str::to_owned).collect();
        cell.cell.project = project.into();
        brief(&cell)
    }

    #[test]
    fn a_command_is_told_without_the_flags_that_do_not_tell_it_from_others() {
        let gate = "cargo test --workspace --locked --no-run --message-format=json-render-diagnostics";
        assert_eq!(said("cargo .", gate), "`cargo test --no-run`");
        assert_eq!(said("go svc", "go test -json ./... -count=1"), "`go test ./...` in svc");
        let by_name = "cargo test --workspace --locked --no-fail-fast --lib -- --exact a b";
        assert_eq!(said("cargo .", by_name), "`cargo test --lib`");
    }

    #[test]
    fn a_long_command_is_cut() {
        let told = said("cargo tools", &format!("make {}", "x".repeat(80)));
        assert_eq!(told, format!("`make {}…` in tools", "x".repeat(55)));
    }
}
