//! The environment of checks: that of a login, and beside it only what is listed here with its reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::Env;

/// The variables of a login: login(1), and `pam_systemd(8)` for the last one.
const LOGIN: [&str; 7] = ["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "XDG_RUNTIME_DIR"];

/// The names beside those of a login, each with its reason.
const BESIDE: [(&str, &str); 18] = [
    ("CARGO_BUILD_BUILD_DIR", "what is built meets no file of the user's"),
    ("CARGO_HOME", "the user's without credentials"),
    ("CARGO_INCREMENTAL", "what would be written is never read again"),
    ("CARGO_NET_OFFLINE", "a check resolves nothing"),
    ("CARGO_TARGET_DIR", "as CARGO_BUILD_BUILD_DIR"),
    ("GIT_CONFIG_NOSYSTEM", "the machine's settings may name a helper with credentials"),
    ("GIT_TERMINAL_PROMPT", "nobody is there to answer"),
    ("LANG", "passed on, where it is set"),
    ("LC_ALL", "as LANG"),
    ("LC_CTYPE", "as LANG"),
    ("LD_LIBRARY_PATH", "as LANG"),
    ("RUSTUP_AUTO_INSTALL", "a check installs no toolchain"),
    ("RUSTUP_HOME", "would follow HOME"),
    ("SSL_CERT_FILE", "as LANG"),
    ("TMPDIR", "what a check leaves there is removed"),
    ("TZ", "as LANG"),
    ("XUPGRADE", "tells a check who runs it"),
    ("XUPGRADE_SLOT", "the number of the worker"),
];

/// The variables that a check sees, where these are set for the tool; beside them its world, which goes with it.
fn seen(given: &[(&str, &str)]) -> (BTreeMap<String, String>, Env) {
    let mut env = Env::new("lock_only");
    for (key, value) in given {
        env.set(key, *value);
    }
    env.write("xupgrade.toml", "[[check]]\necosystem = \"cargo\"\nname = \"seen\"\ncommand = \"env\"\n");
    let ran = env.run(&["-p", "ant"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    let log = std::fs::read_to_string(env.repo().join("xupgrade.out/log/baseline-1-cargo-seen.log")).unwrap();
    let pairs = log.lines().filter_map(|line| line.split_once('='));
    (pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(), env)
}

#[test]
fn checks_see_a_login_and_beside_it_only_what_has_a_reason() {
    let (seen, _world) = seen(&[]);
    let names: BTreeSet<&str> = seen.keys().map(String::as_str).collect();
    let missing: Vec<&&str> = LOGIN.iter().filter(|name| !names.contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?} of {seen:#?}");
    let known: BTreeSet<&str> = LOGIN.into_iter().chain(BESIDE.map(|(name, _)| name)).collect();
    assert_eq!(names.difference(&known).collect::<Vec<_>>(), [&""; 0], "add a reason, or leave it out");
}

/// The names that a login shell has and a check lacks, each with its reason.
const SHELL_ONLY: [(&str, &str); 5] = [
    ("MAIL", "no check reads mail"),
    ("OLDPWD", "as PWD"),
    ("PWD", "a check starts in the folder of its cell, and a shell in it sets its own"),
    ("SHLVL", "as PWD"),
    ("_", "as PWD"),
];

/// The variables of a login shell of this account in a home without a profile: what login(1) gives it, and what it and the
/// profile of the machine add.
fn login_shell() -> BTreeSet<String> {
    let home = tempfile::tempdir().unwrap();
    let user = std::env::var("USER").unwrap_or_else(|_| "somebody".into());
    let mut shell = std::process::Command::new("bash");
    shell.args(["-l", "-c", "env -0"]).current_dir(home.path()).env_clear().env("HOME", home.path());
    shell
        .env("USER", &user)
        .env("LOGNAME", &user)
        .env("SHELL", "/bin/bash")
        .env("TERM", "xterm")
        .env("PATH", "/usr/bin:/bin");
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.split('\0').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name.to_owned()).collect()
}

/// The text of the machine's profile: a name that it sets is the machine's own, and `pass-env` passes it on.
fn profile_of_the_machine() -> String {
    let parts = std::fs::read_dir("/etc/profile.d").into_iter().flatten().flatten().map(|entry| entry.path());
    let files = ["/etc/profile", "/etc/bash.bashrc", "/etc/environment"].map(std::path::PathBuf::from);
    files.into_iter().chain(parts).filter_map(|file| std::fs::read_to_string(file).ok()).collect()
}

#[test]
fn what_a_login_shell_has_and_a_check_lacks_has_a_reason() {
    let (seen, _world) = seen(&[]);
    let profile = profile_of_the_machine();
    let explained = |name: &str| SHELL_ONLY.iter().any(|(known, _)| *known == name) || profile.contains(name);
    let shell = login_shell();
    assert!(shell.contains("HOME") && shell.contains("PWD"), "no login shell: {shell:#?}");
    let lacking: Vec<&String> = shell.iter().filter(|name| !seen.contains_key(*name) && !explained(name)).collect();
    assert_eq!(lacking, [&""; 0], "give checks a stand-in, or a reason");
}

#[test]
fn nobody_needs_to_be_logged_in_for_checks_to_see_who_they_are() {
    use std::os::unix::fs::PermissionsExt as _;
    let (seen, _world) = seen(&[("USER", "ada")]);
    assert_eq!((seen["USER"].as_str(), seen["LOGNAME"].as_str()), ("ada", "ada"));
    assert!(seen["SHELL"].starts_with('/'), "{seen:#?}");
    let folder = std::fs::metadata(&seen["XDG_RUNTIME_DIR"]).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
}

/// A Rust test that expects to be refused a file.
const REFUSAL: &str = "#[test]
fn a_closed_file_cannot_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let file = std::env::temp_dir().join(\"closed\");
    std::fs::write(&file, \"\").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0)).unwrap();
    assert!(std::fs::read(&file).is_err());
}
";

fn with_a_refusal(configuration: &str) -> crate::common::Ran {
    let env = Env::new("lock_only");
    let tests = std::fs::read_to_string(env.repo().join("src/lib.rs")).unwrap();
    env.write("src/lib.rs", &format!("{tests}\n{REFUSAL}")).commit();
    env.write("xupgrade.toml", configuration);
    env.run(&["-p", "ant"])
}

#[test]
fn a_test_that_expects_a_refusal_passes_though_the_tool_is_roots() {
    let ran = with_a_refusal("");
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.report["projects"][0]["left_out"], serde_json::json!(null), "{}", ran.said());
}

#[test]
fn as_root_gives_checks_the_rights_of_the_tool() {
    if !cargo_xupgrade::machine::supervisor::is_root() {
        return;
    }
    let ran = with_a_refusal("as-root = true\n");
    let told = ran.report["projects"][0]["left_out"].to_string();
    assert!(told.contains("a_closed_file_cannot_be_read") && told.contains("it ran as root"), "{told}\n{}", ran.said());
}
