//! Who sees the user's credentials: fetches and resolves do, checks do not, and no host that only the repository names.
//! Each end-to-end, with a listener on loopback that writes down what it was asked and opens for nobody, or a registry
//! that wants a token.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::common::registry::serve_beside;
use crate::common::{Env, names};

const TOKEN: &str = "s3cret";

/// Somebody who refuses everything and remembers the head of each request.
struct Listener {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&heads);
        // The thread ends with the test program.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                shared.lock().unwrap().push(head.join("\n"));
                let _ = stream.write_all(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            }
        });
        Self { address, heads }
    }

    /// Everything that was asked; nothing is a failure.
    fn heard(&self) -> String {
        let heads = self.heads.lock().unwrap().join("\n\n");
        assert!(!heads.is_empty(), "nobody asked");
        heads
    }
}

#[test]
fn a_check_has_no_token_though_the_users_cargo_home_lies_above_the_clone() {
    let mut env = Env::new("lock_only");
    let listener = Listener::start();
    let home = env.world.root.join(".cargo");
    std::fs::rename(env.world.root.join("cargo-home"), &home).unwrap();
    env.world.env.insert("CARGO_HOME".into(), home.display().to_string());
    let config = std::fs::read_to_string(home.join("config.toml")).unwrap();
    let corp = format!(
        "\n[registries.corp]\nindex = \"sparse+http://{}/\"\ntoken = \"{TOKEN}\"\ncredential-provider = [\"cargo:token\"]\n",
        listener.address
    );
    std::fs::write(home.join("config.toml"), config + &corp).unwrap();
    let manifest = "[package]\nname = \"probe\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n\
        [dependencies]\na = { version = \"1\", registry = \"corp\" }\n";
    let probe = format!(
        "mkdir -p \"$TMPDIR/probe/src\" && cd \"$TMPDIR/probe\" && : > src/lib.rs\n\
         cat > Cargo.toml <<'END'\n{manifest}END\nCARGO_NET_OFFLINE=false cargo generate-lockfile || true\n"
    );
    let check = |name| format!("[[check]]\nname = \"{name}\"\necosystem = \"cargo\"\ncommand = \"sh probe.sh\"\n");
    env.write("probe.sh", &probe).write("xupgrade.toml", &(check("gate") + &check("test"))).commit();
    let ran = env.run(&["--only", "ant"]);
    let heard = listener.heard();
    assert!(heard.contains("GET /config.json") && !heard.contains(TOKEN), "{heard}\n{}", ran.said());
}

#[test]
fn a_host_that_only_gitmodules_names_gets_no_credentials_and_no_token_is_shown() {
    let env = Env::new("lock_only");
    let (stranger, origin) = (Listener::start(), Listener::start());
    env.git(&["config", "http.extraHeader", &format!("X-Opens: {TOKEN}")]);
    env.git(&["config", "credential.helper", &format!("!echo username=me; echo password={TOKEN}; :")]);
    env.git(&["config", "remote.origin.url", &format!("http://oauth2:{TOKEN}@{}/a/b.git", origin.address)]);
    let modules = format!(
        "[submodule \"far\"]\n\tpath = far\n\turl = http://{}/far.git\n\
         [submodule \"near\"]\n\tpath = near\n\turl = ../near.git\n",
        stranger.address
    );
    env.write(".gitmodules", &modules);
    env.git(&["add", ".gitmodules"]);
    for path in ["far", "near"] {
        env.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},{path}", "1".repeat(40))]);
    }
    env.git(&["commit", "--quiet", "--message=Submodules"]);
    let ran = env.run(&["plan"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    let heard = stranger.heard();
    // `me:s3cret`, as HTTP writes it.
    assert!(!heard.contains(TOKEN) && !heard.contains("bWU6czNjcmV0"), "{heard}");
    let near = format!("`near` is left empty: cannot fetch http://{}/a/near.git", origin.address);
    assert!(ran.stderr.contains(&near) && !ran.stderr.contains(TOKEN), "{}", ran.stderr);
}

/// A project that takes `beta` from a registry that wants a token.
const PRIVATE: &str = r#"
-- world.toml --
at = "ws/repo"
-- repo/.gitignore --
/target
.cargo
-- repo/src/lib.rs --
-- repo/Cargo.toml --
[package]
name = "app"
version = "0.1.0"
edition = "2021"

[dependencies]
beta = { version = "1", registry = "corp" }
"#;

const CORP: &str = "-- crates/beta/1.0.0/src/lib.rs --\n-- crates/beta/1.1.0/src/lib.rs --\n";

/// The private world, locked by cargo, with the token in a file that is named from the world's root.
fn private(file: &str) -> Env {
    let env = Env::from_archive(PRIVATE);
    serve_beside(&env, "corp", CORP, Some(TOKEN));
    let file = env.world.root.join(file);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, format!("[registries.corp]\ntoken = \"{TOKEN}\"\n[env]\nPLAIN = \"yes\"\n")).unwrap();
    for words in [["generate-lockfile", "--quiet"].as_slice(), &["update", "--quiet", "beta", "--precise", "1.0.0"]] {
        assert!(env.command("cargo").args(words).status().unwrap().success());
    }
    env.git(&["add", "Cargo.lock"]);
    env.git(&["commit", "--quiet", "--message=Lock"]);
    std::fs::remove_dir_all(env.world.root.join("cargo-home/registry")).unwrap();
    env
}

#[test]
fn a_token_above_the_repository_opens_the_registry_for_the_survey_too() {
    let plan = private("ws/.cargo/config.toml").plan(&[]);
    assert_eq!(names(&plan, "candidates"), ["beta"], "{plan:#}");
}

#[test]
fn a_token_in_configuration_that_is_copied_opens_the_registry_and_is_not_in_the_copy() {
    let env = private("ws/repo/.cargo/config.toml");
    env.write("xupgrade.toml", "[setup]\ncopy = [\".cargo/config.toml\"]\n");
    let plan = env.plan(&[]);
    assert_eq!(names(&plan, "candidates"), ["beta"], "{plan:#}");
    let cache = env.world.root.join("cache").read_dir().unwrap().flatten().map(|entry| entry.path());
    let copies = cache.filter_map(|folder| std::fs::read_to_string(folder.join("w0/tree/.cargo/config.toml")).ok());
    let copies: Vec<String> = copies.collect();
    assert!(copies.len() == 1 && copies[0].contains("PLAIN") && !copies[0].contains(TOKEN), "{copies:?}");
}
