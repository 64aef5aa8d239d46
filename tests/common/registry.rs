//! Sparse registries on the loopback interface: one that serves a world's crates and can be told to refuse one of
//! them, and others beside it that may demand a token. Plain HTTP/1.1, one thread a connection; nobody but this machine
//! can reach them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cargo_xupgrade::app::demo::archive::Archive;

use super::Env;

/// What the registry does when it is asked for the crate that it has trouble with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Answers with this status.
    Status(u16),
    /// Answers 200 with something that is no index.
    Junk,
    /// Takes the question and never answers.
    Silence,
}

/// A registry whose trouble has not begun yet.
pub struct Calm(Arc<AtomicBool>);

impl Calm {
    /// From now on there is trouble.
    pub fn begins(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Puts a registry in the place of the world's; it can have trouble with one crate.
pub fn serve(env: &Env, troubled: &'static str, trouble: Trouble) -> Calm {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let text = format!(
        "[source.crates-io]\nreplace-with = \"world\"\n\n[source.world]\nregistry = \"sparse+{address}/index/\"\n"
    );
    std::fs::write(env.world.root.join("cargo-home/config.toml"), text).unwrap();
    let folder = env.world.root.join("registry");
    let begun = Arc::new(AtomicBool::new(false));
    let calm = Calm(Arc::clone(&begun));
    // The thread ends with the test program; a world that is gone answers 404.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (folder, address, begun) = (folder.clone(), address.clone(), Arc::clone(&begun));
            std::thread::spawn(move || {
                let trouble = |asked: &Question| {
                    let hit = asked.path.starts_with("/index/") && asked.path.rsplit('/').next() == Some(troubled);
                    (hit && begun.load(Ordering::SeqCst)).then_some(trouble)
                };
                let config = format!("{{\"dl\":\"{address}/dl/{{crate}}-{{version}}.crate\"}}");
                answer(stream, &folder, &config, trouble)
            });
        }
    });
    calm
}

/// A registry of its own beside the world's.
pub struct Beside {
    /// Its index, as a configuration writes it.
    pub index: String,
    /// Its `index` folder and its crates.
    pub folder: PathBuf,
}

impl Beside {
    /// Changes the text of each index file.
    pub fn rewrite(&self, change: impl Fn(&str) -> String) {
        let mut folders = vec![self.folder.join("index")];
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir().unwrap().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    let text = std::fs::read_to_string(entry.path()).unwrap();
                    std::fs::write(entry.path(), change(&text)).unwrap();
                }
            }
        }
    }
}

/// Serves the `crates/` of an archive as the registry `name`, which the world's cargo configuration gets to know. With a
/// token it shows nothing to those who do not have it.
pub fn serve_beside(env: &Env, name: &str, archive: &str, token: Option<&'static str>) -> Beside {
    let folder = env.world.root.join(format!("registry-{name}"));
    cargo_xupgrade::app::demo::registry::write(&Archive::parse(archive).unwrap(), &folder).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let index = format!("sparse+{address}/index/");
    configure(env, &format!("\n[registries.{name}]\nindex = \"{index}\"\ncredential-provider = [\"cargo:token\"]\n"));
    let served = folder.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (folder, address) = (served.clone(), address.clone());
            std::thread::spawn(move || {
                let refuse = |asked: &Question| {
                    (token.is_some() && asked.authorization.as_deref() != token).then_some(Trouble::Status(401))
                };
                let closed = token.is_some();
                let dl = format!("{address}/dl/{{crate}}-{{version}}.crate");
                let config = format!("{{\"dl\":\"{dl}\",\"auth-required\":{closed}}}");
                answer(stream, &folder, &config, refuse)
            });
        }
    });
    Beside { index, folder }
}

/// Adds to the world's cargo configuration.
pub fn configure(env: &Env, text: &str) {
    let file = env.world.root.join("cargo-home/config.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, before + text).unwrap();
}

fn answer(
    stream: TcpStream,
    folder: &Path,
    config: &str,
    trouble: impl Fn(&Question) -> Option<Trouble>,
) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let asked = question(&mut reader)?;
        if let Some(trouble) = trouble(&asked) {
            match trouble {
                Trouble::Status(code) => reply(&mut stream, code, b"this crate is none of your business")?,
                Trouble::Junk => reply(&mut stream, 200, b"<html>welcome to the hotel network</html>")?,
                Trouble::Silence => {
                    // Holds the connection open until the other side gives up.
                    question(&mut reader)?;
                }
            }
            continue;
        }
        let body = match asked.path.as_str() {
            "/index/config.json" => Some(config.as_bytes().to_vec()),
            path => std::fs::read(file(folder, path)).ok(),
        };
        match body {
            Some(body) => reply(&mut stream, 200, &body)?,
            None => reply(&mut stream, 404, b"no such file")?,
        }
    }
}

fn file(folder: &Path, path: &str) -> PathBuf {
    match path.strip_prefix("/dl/") {
        Some(name) => folder.join(name),
        None => folder.join(path.trim_start_matches('/')),
    }
}

/// A request.
struct Question {
    path: String,
    authorization: Option<String>,
}

/// Reads one request.
fn question(reader: &mut BufReader<TcpStream>) -> Option<Question> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|length| *length > 0)?;
    let mut authorization = None;
    let mut line = String::from("x");
    while !line.trim().is_empty() {
        line.clear();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        let header = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        authorization = header.map(|(_, value)| value.trim().to_owned()).or(authorization);
    }
    Some(Question { path: first.split(' ').nth(1)?.to_owned(), authorization })
}

fn reply(stream: &mut TcpStream, code: u16, body: &[u8]) -> Option<()> {
    let head = format!("HTTP/1.1 {code} Status\r\nContent-Length: {}\r\nContent-Type: text/plain\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).ok()
}
