//! Fast planning, as far as it can be seen without a clock: what a second plan no longer does, and that the answer stays
//! the same, byte for byte, however it was come by.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::common::{AS_OF, Env};

const JSON: &[&str] = &["plan", "--format", "json", "--as-of", AS_OF];

fn bytes(env: &Env) -> String {
    let ran = env.run(JSON);
    assert_eq!(ran.code, 0, "{}", ran.said());
    ran.stdout
}

/// Puts programs before the real ones on the PATH that note how they are called; gives the note.
fn note_calls(env: &mut Env, programs: &[&str]) -> PathBuf {
    let (folder, note) = (env.world.root.join("noting"), env.world.root.join("calls"));
    std::fs::create_dir(&folder).unwrap();
    for program in programs {
        let script = format!(
            "#!/bin/sh\necho \"{program} $*\" >> '{}'\nPATH=\"${{PATH#*:}}\" exec {program} \"$@\"\n",
            note.display()
        );
        std::fs::write(folder.join(program), script).unwrap();
        std::fs::set_permissions(folder.join(program), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    env.set("PATH", path);
    note
}

fn take(note: &PathBuf) -> Vec<String> {
    let text = std::fs::read_to_string(note).unwrap_or_default();
    let _ = std::fs::remove_file(note);
    text.lines().map(str::to_owned).collect()
}

fn with(calls: &[String], words: &str) -> usize {
    calls.iter().filter(|call| call.contains(words)).count()
}

#[test]
fn releases_of_modules_are_read_without_a_go_command_for_each_dozen() {
    let mut env = Env::new("mixed");
    let note = note_calls(&mut env, &["go"]);
    let plan = bytes(&env);
    let calls = take(&note);
    assert_eq!(with(&calls, "list -m"), 0, "{calls:#?}");
    assert!(plan.contains("\"go\""), "{plan}");
}

#[test]
fn the_cache_folder_may_be_named_from_the_current_one() {
    let mut env = Env::new("mixed");
    let usual = bytes(&env);
    env.set("XUPGRADE_CACHE_DIR", "../another cache/../cache 2");
    env.world.env.remove("XUPGRADE_CACHE_DIR");
    assert_eq!(bytes(&env), usual);
    assert!(env.world.root.join("cache 2").is_dir());
}
