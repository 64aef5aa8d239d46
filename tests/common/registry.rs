//! A sparse registry on the loopback interface that serves a world's crates, and that can be told to refuse one of
//! them. Plain HTTP/1.1, one thread a connection; nobody but this machine can reach it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
                let trouble = |path: &str| {
                    let hit = path.starts_with("/index/") && path.rsplit('/').next() == Some(troubled);
                    (hit && begun.load(Ordering::SeqCst)).then_some(trouble)
                };
                answer(stream, &folder, &address, trouble)
            });
        }
    });
    calm
}

fn answer(stream: TcpStream, folder: &Path, address: &str, trouble: impl Fn(&str) -> Option<Trouble>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let path = question(&mut reader)?;
        if let Some(trouble) = trouble(&path) {
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
        let body = match path.as_str() {
            "/index/config.json" => {
                Some(format!("{{\"dl\":\"{address}/dl/{{crate}}-{{version}}.crate\"}}").into_bytes())
            }
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

/// Reads one request and gives its path.
fn question(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|length| *length > 0)?;
    let mut line = String::from("x");
    while !line.trim().is_empty() {
        line.clear();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    }
    first.split(' ').nth(1).map(str::to_owned)
}

fn reply(stream: &mut TcpStream, code: u16, body: &[u8]) -> Option<()> {
    let head = format!("HTTP/1.1 {code} Status\r\nContent-Length: {}\r\nContent-Type: text/plain\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).ok()
}
