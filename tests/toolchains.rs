//! Repositories that ask for another Rust or another Go than the usual one: what is there is used, what is not holds its
//! project with the way to get it, and nothing is downloaded unasked.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{Env, text};

/// A world with a rustup of its own, whose toolchains are links to the one that runs these tests.
struct Rustup {
    env: Env,
    /// Where its downloads would come from; nobody may knock.
    server: TcpListener,
}

impl Rustup {
    fn new(fixture: &str, names: &[&str]) -> Self {
        let mut env = Env::new(fixture);
        let home = env.world.root.join("rustup");
        std::fs::create_dir_all(home.join("toolchains")).unwrap();
        for name in names {
            std::os::unix::fs::symlink(sysroot(), home.join("toolchains").join(name)).unwrap();
        }
        let settings = format!("version = \"12\"\ndefault_toolchain = \"{}\"\n", names[0]);
        std::fs::write(home.join("settings.toml"), settings).unwrap();
        env.world.env.insert("RUSTUP_HOME".into(), home.display().to_string());
        let server = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        server.set_nonblocking(true).unwrap();
        let address = format!("http://{}", server.local_addr().unwrap());
        env.set("RUSTUP_DIST_SERVER", &address).set("RUSTUP_UPDATE_ROOT", format!("{address}/rustup"));
        Self { env, server }
    }

    fn assert_nothing_was_downloaded(&self) {
        assert!(self.server.accept().is_err(), "rustup asked for a download");
        let there = self.env.world.root.join("rustup/toolchains").read_dir().unwrap();
        assert!(there.flatten().all(|entry| entry.path().is_symlink()), "a toolchain was installed");
    }
}

fn sysroot() -> PathBuf {
    let output = std::process::Command::new("rustc").args(["--print", "sysroot"]).output().unwrap();
    Path::new(String::from_utf8(output.stdout).unwrap().trim()).to_owned()
}

fn held<'a>(plan: &'a Value, project: &str) -> &'a Value {
    let list = plan["held"].as_array().unwrap();
    list.iter().find(|one| one["project"] == project).unwrap_or_else(|| panic!("nothing is held in {project}: {plan:#}"))
}

#[test]
fn each_project_gets_the_rust_that_it_asks_for() {
    let world = Rustup::new("toolchain_pinned", &["usual", "xupgrade-linked"]);
    let ran = world.env.run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    let upgrades = ran.report["upgrades"].as_array().unwrap();
    let projects: Vec<&str> = upgrades.iter().map(|one| text(one, "project")).collect();
    assert_eq!(projects, ["linked", "usual"]);
    let held = held(&ran.report, "absent");
    assert_eq!((text(held, "name"), text(&held["reason"], "kind")), ("dep", "toolchain_missing"));
    let words = text(&held["reason"], "text");
    assert!(words.contains("absent/rust-toolchain asks for Rust `xupgrade-absent`"), "{words}");
    assert!(words.contains("rustup toolchain install xupgrade-absent"), "{words}");
    world.assert_nothing_was_downloaded();
}
