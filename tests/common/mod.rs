//! The stage of the end-to-end tests: a sealed world from a fixture, the real binary in it, and what it left behind.
//! Writes only below a folder of its own in the system's temporary one; the folders of dead runs are removed first.

pub mod process;
pub mod promises;
pub mod registry;
pub mod snapshot;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use cargo_xupgrade::app::demo::ARCHIVE;
use cargo_xupgrade::app::demo::world::{GoBuildCache, World};
use serde_json::Value;

/// The program under test.
pub const TOOL: &str = env!("CARGO_BIN_EXE_cargo-xupgrade");

/// A day after everything that the fixtures publish, and the day of their base commit.
pub const AS_OF: &str = "2025-06-01T00:00:00Z";

/// The text of a fixture.
pub fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/{name}.txtar"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A world of its own, with the tool's configuration, cache and registries in it.
pub struct Env {
    pub world: World,
    /// Variables beside those of the world.
    pub vars: BTreeMap<String, String>,
}

impl Drop for Env {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.world.root);
    }
}

fn usual_path() -> String {
    std::env::var("PATH").expect("there is a PATH")
}

/// The PATH with the toolchain that runs these tests before all others: rustup's cargo and rustc look it up at each start,
/// which takes about as long as many a check here.
fn path_of_this_toolchain() -> String {
    let cargo = std::env::var("CARGO").unwrap_or_default();
    let folder = Path::new(&cargo).parent().filter(|folder| folder.is_absolute());
    folder.map_or_else(usual_path, |folder| format!("{}:{}", folder.display(), usual_path()))
}

/// A file with the first of the system's certificates. No world trusts a server, but cargo reads them all at each start,
/// which takes half of its time; none at all would be an error of the TLS library.
fn one_certificate() -> Option<PathBuf> {
    const END: &str = "-----END CERTIFICATE-----\n";
    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let write = || {
        let bundles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
        let all = bundles.iter().find_map(|path| std::fs::read_to_string(path).ok())?;
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("one-certificate.pem");
        std::fs::write(&file, &all[..all.find(END)? + END.len()]).ok()?;
        Some(file)
    };
    FILE.get_or_init(write).clone()
}

impl Env {
    /// The world of a fixture.
    pub fn new(name: &str) -> Self {
        Self::from_archive(&fixture(name))
    }

    /// A world from a text.
    pub fn from_archive(text: &str) -> Self {
        let world = World::build_with(text, &fresh_folder(), go_build_cache()).expect("the world can be built");
        let mut vars = BTreeMap::new();
        for key in ["LANG", "LD_LIBRARY_PATH"] {
            if let Ok(value) = std::env::var(key) {
                vars.insert(key.to_owned(), value);
            }
        }
        vars.insert("PATH".to_owned(), path_of_this_toolchain());
        if let Some(file) = one_certificate() {
            vars.insert("SSL_CERT_FILE".to_owned(), file.display().to_string());
        }
        if let Some(companion) = companion() {
            vars.insert("XUPGRADE_GO_COMPANION".into(), companion.display().to_string());
        }
        Self { world, vars }
    }

    /// With the PATH of this process, whose cargo may be rustup's.
    pub fn with_usual_path(mut self) -> Self {
        self.vars.insert("PATH".to_owned(), usual_path());
        self
    }

    /// The root of the repository.
    pub fn repo(&self) -> &Path {
        &self.world.repo
    }

    /// Sets a variable for the tool.
    pub fn set(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.vars.insert(key.into(), value.into());
        self
    }

    /// Writes a file of the repository without committing it.
    pub fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.repo().join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Commits everything.
    pub fn commit(&self) -> &Self {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--message=More"]);
        self
    }

    /// The sealed environment.
    pub fn vars(&self) -> impl Iterator<Item = (&String, &String)> {
        self.vars.iter().chain(&self.world.env)
    }

    /// Any program in the sealed environment, in the repository's folder.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.vars).envs(&self.world.env).current_dir(self.repo());
        command.stdin(Stdio::null());
        command
    }

    /// The tool, with the usual flags of a run here where a test states none of its own.
    pub fn tool(&self, args: &[&str]) -> Command {
        let mut command = self.command(TOOL);
        command.args(args);
        if args.first().is_none_or(|first| is_of_a_run(first)) {
            command.args(USUAL.iter().filter(|(flag, _)| !args.contains(flag)).flat_map(|(flag, value)| [flag, value]));
        }
        command
    }

    /// Runs the tool to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::new(self, &self.tool(args).output().expect("the tool starts"))
    }

    /// Runs the tool and gives its standard output as JSON.
    pub fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{}", ran.said());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
    }

    /// The plan, as JSON, at the instant of the fixtures.
    pub fn plan(&self, args: &[&str]) -> Value {
        self.json(&[&["plan", "--format", "json", "--as-of", AS_OF], args].concat())
    }

    /// Starts the tool with events on its standard output.
    pub fn start(&self, args: &[&str]) -> Running {
        let mut command = self.tool(args);
        command.args(["--format", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the tool starts");
        let events = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Running { child, events }
    }

    /// Runs git and gives its output without the line end.
    pub fn git(&self, args: &[&str]) -> String {
        self.world.git(args).unwrap().trim_end().to_owned()
    }

    /// All branches but the base one.
    pub fn branches(&self) -> Vec<String> {
        let refs = self.git(&["for-each-ref", "--format=%(refname)"]);
        refs.lines().filter(|name| *name != "refs/heads/main").map(str::to_owned).collect()
    }
}

/// The flag that says how commits are tried.
pub const VERIFY: &str = "--verify-commits";

/// The flag that says how often the last set has to pass the whole matrix.
pub const VERIFY_RUNS: &str = "--verify-runs";

/// The flag for the time of more runs of the tests.
pub const FLAKE_BUDGET: &str = "--flake-budget";

/// The usual flags of a run: all take time, and few tests look at what they are for.
const USUAL: [(&str, &str); 3] = [(VERIFY, "no"), (VERIFY_RUNS, "1"), (FLAKE_BUDGET, "0")];

/// Tells the first word of a run from those of other commands.
fn is_of_a_run(first: &str) -> bool {
    first == "run" || (first.starts_with('-') && !["--help", "-h", "--version", "-V"].contains(&first))
}

/// A tool at work.
pub struct Running {
    child: Child,
    events: BufReader<ChildStdout>,
}

impl Running {
    /// Reads one event; none at the end of the output.
    pub fn next_event(&mut self) -> Option<Value> {
        let mut line = String::new();
        let length = self.events.read_line(&mut line).unwrap();
        (length > 0).then(|| serde_json::from_str(&line).unwrap())
    }

    /// Reads events until one fits, and gives it; the end of the output is a failure.
    pub fn wait_for(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut seen = String::new();
        let mut line = String::new();
        loop {
            line.clear();
            let length = self.events.read_line(&mut line).unwrap();
            assert!(length > 0, "the tool ended before {what}; it said: {seen}");
            let event: Value = serde_json::from_str(&line).unwrap();
            if fits(&event) {
                return event;
            }
            seen.push_str(&line);
        }
    }

    /// Waits until the tests of a trial (no baseline) run: announced by an event, and there as a marked process.
    pub fn wait_for_tests_of_a_trial(&mut self, mark: &str) {
        self.wait_for("the tests of a trial began", |event| {
            let trial = event["trial"].as_str().unwrap_or_default();
            let command = event["command"].as_str().unwrap_or_default();
            event["event"] == "cell-began" && !trial.starts_with("baseline") && !command.contains("--no-run")
        });
        process::wait_for(mark, "/target/debug/deps/");
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), "--", &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    pub fn end(mut self, env: &Env) -> Ran {
        use std::io::Read as _;
        let mut rest = String::new();
        self.events.read_to_string(&mut rest).unwrap();
        let mut output = self.child.wait_with_output().unwrap();
        output.stdout = rest.into_bytes();
        Ran::new(env, &output)
    }
}

/// What a run of the tool left.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    /// `xupgrade.out/report.json`; null where there is none.
    pub report: Value,
}

impl Ran {
    fn new(env: &Env, output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let report = std::fs::read_to_string(env.repo().join("xupgrade.out/report.json"));
        Self {
            // A signal has no code; shells say 128 and its number.
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            report: report.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap()),
        }
    }

    /// Everything that it said, for the message of a failed assertion.
    pub fn said(&self) -> String {
        format!("code {}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }

    /// The upgrades as `name from -> to`, in commit order.
    pub fn upgrades(&self) -> Vec<String> {
        let list = self.report["upgrades"].as_array().unwrap_or_else(|| panic!("no report: {}", self.said()));
        list.iter().map(|one| format!("{} {} -> {}", text(one, "name"), text(one, "from"), text(one, "to"))).collect()
    }

    /// The upgrade of a dependency.
    pub fn upgrade(&self, name: &str) -> &Value {
        self.find("upgrades", name)
    }

    /// The held dependency of a name.
    pub fn held(&self, name: &str) -> &Value {
        self.find("held", name)
    }

    /// The kind of reason that holds a dependency.
    pub fn why(&self, name: &str) -> &str {
        text(&self.held(name)["reason"], "kind")
    }

    /// The words of the reason that holds a dependency.
    pub fn words(&self, name: &str) -> &str {
        text(&self.held(name)["reason"], "text")
    }

    fn find(&self, list: &str, name: &str) -> &Value {
        find(&self.report, list, name).unwrap_or_else(|| panic!("`{name}` is not in `{list}`: {:#}", self.report))
    }
}

/// The first entry of a list with a name.
pub fn find<'a>(report: &'a Value, list: &str, name: &str) -> Option<&'a Value> {
    report[list].as_array()?.iter().find(|one| one["name"] == name)
}

/// The kind and the words of the reason that holds a dependency.
pub fn held<'a>(plan: &'a Value, name: &str) -> (&'a str, &'a str) {
    let reason = &find(plan, "held", name).unwrap_or_else(|| panic!("{name} is not held: {plan:#}"))["reason"];
    (text(reason, "kind"), text(reason, "text"))
}

/// The versions of a candidate's rungs.
pub fn rungs(candidate: &Value) -> Vec<&str> {
    candidate["rungs"].as_array().unwrap().iter().map(|rung| text(rung, "version")).collect()
}

/// The names in a list.
pub fn names(report: &Value, list: &str) -> Vec<String> {
    report[list].as_array().into_iter().flatten().map(|one| text(one, "name").to_owned()).collect()
}

/// A field that must be text.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text `{key}` in {value:#}"))
}

/// A run of a fixture that several tests look at, with the repository as it was before.
pub struct Shared {
    pub env: Env,
    pub ran: Ran,
    pub before: snapshot::Snapshot,
}

/// Runs the tool on a fixture, or on the demo by that name, once for all tests that ask; every promise that holds for any run is checked here.
pub fn shared(name: &'static str, args: &'static [&'static str]) -> &'static Shared {
    type Runs = BTreeMap<(&'static str, &'static [&'static str]), &'static OnceLock<Shared>>;
    static RUNS: Mutex<Runs> = Mutex::new(BTreeMap::new());
    let once = *RUNS.lock().unwrap().entry((name, args)).or_insert_with(|| Box::leak(Box::default()));
    once.get_or_init(|| {
        let env = if name == "demo" { Env::from_archive(ARCHIVE) } else { Env::new(name) };
        let before = snapshot::Snapshot::of(env.repo());
        let ran = env.run(args);
        if ran.code == 0 {
            promises::hold(&env, &ran, &before);
        }
        // The target directory is large, and nobody looks at it any more.
        let _ = std::fs::remove_dir_all(env.world.root.join("cache"));
        Shared { env, ran, before }
    })
}

/// A folder that does not exist yet; those of runs that are over are removed.
fn fresh_folder() -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    static OWN: OnceLock<(PathBuf, File)> = OnceLock::new();
    let (own, _) = OWN.get_or_init(|| {
        remove_dead_folders();
        let own = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
        std::fs::create_dir_all(&own).expect("the system's temporary folder can be written");
        let alive = File::create(own.join(ALIVE)).expect("the system's temporary folder can be written");
        alive.lock().expect("nobody else locks it");
        (own, alive)
    });
    own.join(format!("w{}", NUMBER.fetch_add(1, Ordering::Relaxed)))
}

const PREFIX: &str = "xupgrade-it-";

/// A file that a run keeps locked as long as it lives; its process id says nothing to a run in another namespace.
const ALIVE: &str = "alive";

fn remove_dead_folders() {
    for entry in std::env::temp_dir().read_dir().into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_ours && File::open(entry.path().join(ALIVE)).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The user's Go build cache: the standard library alone costs each world twenty seconds.
fn go_build_cache() -> &'static GoBuildCache {
    static CACHE: OnceLock<GoBuildCache> = OnceLock::new();
    CACHE.get_or_init(|| {
        let output = Command::new("go").args(["env", "GOCACHE"]).env("GOTOOLCHAIN", "local").output();
        let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
        if Path::new(&said).is_absolute() { GoBuildCache::Shared(said.into()) } else { GoBuildCache::Own }
    })
}

/// The Go companion, built once for all tests; none without Go.
fn companion() -> Option<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("companion");
            let output = Command::new(TOOL).arg("companion").env("XUPGRADE_CACHE_DIR", cache).output().ok()?;
            let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
            output.status.success().then_some(path)
        })
        .clone()
}
