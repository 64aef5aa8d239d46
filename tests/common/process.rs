//! Processes, found by a variable in their environment: what a run starts inherits it, wherever it hides.

use std::path::Path;
use std::time::{Duration, Instant};

/// A mark that no other process carries.
pub fn mark() -> String {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// The variable that carries it; a configuration has to let it through to the checks.
pub const VARIABLE: &str = "XUPGRADE_TEST_MARK";

/// The processes that carry a mark, with their command lines; what is dead and only waits to be collected is none.
pub fn marked(mark: &str) -> Vec<String> {
    let wanted = format!("{VARIABLE}={mark}");
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
        if environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes()) {
            let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).replace('\0', " ");
            found.push(format!("{} {words}", entry.file_name().to_string_lossy()));
        }
    }
    found
}

/// The processes that work in a folder or below it, with their command lines.
fn inside(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let works_there = |path: &Path| std::fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
    let words = |path: &Path| std::fs::read(path.join("cmdline")).unwrap_or_default();
    let line = |path: &Path| format!("{} {}", path.display(), String::from_utf8_lossy(&words(path)).replace('\0', " "));
    entries.map(|entry| entry.path()).filter(|path| works_there(path)).map(|path| line(&path)).collect()
}

/// Waits until a process with the mark has these words in its command line.
pub fn wait_for(mark: &str, words: &str) {
    let start = Instant::now();
    while !marked(mark).iter().any(|process| process.contains(words)) {
        assert!(start.elapsed() < PATIENCE, "no process `{words}` among {:#?}", marked(mark));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Only what does not happen at all uses it up.
const PATIENCE: Duration = Duration::from_mins(2);

/// Waits until no process carries the mark.
pub fn assert_none_left(mark: &str) {
    assert_gone(&|| marked(mark));
}

/// Waits until no process works in a folder or below it.
pub fn assert_none_inside(folder: &Path) {
    assert_gone(&|| inside(folder));
}

fn assert_gone(look: &dyn Fn() -> Vec<String>) {
    let start = Instant::now();
    loop {
        let left = look();
        if left.is_empty() {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "processes are left: {left:#?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
