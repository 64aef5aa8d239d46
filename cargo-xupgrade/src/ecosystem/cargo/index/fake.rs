//! For tests: a registry on the loopback interface that answers as it is told and remembers what it was
//! asked, a local registry in a temporary folder, and lines for both. Plain sockets, so that the tests
//! of the client do not rest on a library of the same kind.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::path_of;

/// How one crate's file is answered.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// 200 with body and headers (`ETag: ...`), or 304 when the request's condition equals a header.
    Page { body: String, headers: Vec<(&'static str, String)> },
    /// A status with words.
    Status(u16, &'static str),
    /// The connection stays open and silent.
    Silent,
    /// Fewer bytes than the head promised.
    CutShort,
}

/// One request as it came: the path and the condition, if it had one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub path: String,
    pub condition: Option<String>,
}

#[derive(Default)]
struct State {
    pages: BTreeMap<String, Behaviour>,
    asked: Vec<Ask>,
    kept_open: Vec<TcpStream>,
}

/// A sparse registry that does as it is told; stops when dropped.
pub struct Registry {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
}

impl Registry {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let config = r#"{"dl":"http://127.0.0.1:1/none"}"#.to_owned();
        let config = Behaviour::Page { body: config, headers: Vec::new() };
        state.lock().unwrap().pages.insert("config.json".to_owned(), config);
        let registry = Self { address, state: Arc::clone(&state), stop: Arc::clone(&stop) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let state = Arc::clone(&state);
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        registry
    }

    pub fn url(&self) -> String {
        format!("sparse+http://{}/", self.address)
    }

    /// Sets the answer for a crate.
    pub fn set(&self, name: &str, behaviour: Behaviour) {
        self.state.lock().unwrap().pages.insert(path_of(name).unwrap(), behaviour);
    }

    /// Sets a page without validators.
    pub fn page(&self, name: &str, body: String) {
        self.set(name, Behaviour::Page { body, headers: Vec::new() });
    }

    /// Sets a page that is recognised by an `ETag`.
    pub fn tagged(&self, name: &str, body: String, tag: &str) {
        self.set(name, Behaviour::Page { body, headers: vec![("ETag", tag.to_owned())] });
    }

    /// What was asked since the last call, in the order of arrival.
    pub fn asked(&self) -> Vec<Ask> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }

    /// Writes a cargo configuration below `folder` that puts this registry in the place of crates-io.
    pub fn configure(&self, folder: &Path) {
        configure(folder, &format!("registry = '{}'", self.url()));
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the accepting thread so that it sees the flag.
        drop(TcpStream::connect(self.address));
    }
}

/// Writes `.cargo/config.toml` below `folder`, replacing crates-io by a source that is `described` so.
pub fn configure(folder: &Path, described: &str) {
    std::fs::create_dir_all(folder.join(".cargo")).unwrap();
    let text = format!("[source.crates-io]\nreplace-with = 'other'\n[source.other]\n{described}\n");
    std::fs::write(folder.join(".cargo/config.toml"), text).unwrap();
}

/// Adds a crate to the local registry in `folder`.
pub fn add_local(folder: &Path, name: &str, body: &str) {
    let file = folder.join("index").join(path_of(name).unwrap());
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, body).unwrap();
}

/// An index line, with a checksum that cargo takes, published at `pubtime` if that is not empty.
pub fn line(name: &str, version: &str, pubtime: &str) -> String {
    line_with(name, version, pubtime, "")
}

/// An index line with dependencies, given as JSON objects separated by commas.
pub fn line_with(name: &str, version: &str, pubtime: &str, deps: &str) -> String {
    let cksum = "0".repeat(64);
    let pubtime = if pubtime.is_empty() { String::new() } else { format!(r#","pubtime":"{pubtime}""#) };
    let start = format!(r#"{{"name":"{name}","vers":"{version}","deps":[{deps}],"cksum":"{cksum}""#);
    format!("{start},\"features\":{{}},\"yanked\":false{pubtime}}}\n")
}

/// A plain dependency, as an index line has it.
pub fn dep(name: &str, requirement: &str) -> String {
    format!(
        r#"{{"name":"{name}","req":"{requirement}","features":[],"optional":false,"default_features":true,"target":null,"kind":"normal"}}"#
    )
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some(ask) = read(&stream) else { return };
    let behaviour = {
        let mut state = state.lock().unwrap();
        state.asked.push(ask.clone());
        state.pages.get(&ask.path).cloned()
    };
    let answer = match behaviour {
        None => head(404, 4, &[]) + "none",
        Some(Behaviour::Status(status, words)) => head(status, words.len(), &[]) + words,
        Some(Behaviour::CutShort) => head(200, 1000, &[]) + "{\"name\"",
        Some(Behaviour::Silent) => {
            state.lock().unwrap().kept_open.push(stream);
            return;
        }
        Some(Behaviour::Page { headers, .. })
            if headers.iter().any(|(_, value)| ask.condition.as_ref() == Some(value)) =>
        {
            head(304, 0, &headers)
        }
        Some(Behaviour::Page { body, headers }) => head(200, body.len(), &headers) + &body,
    };
    // A client that hung up has its own error to report.
    let _ = stream.write_all(answer.as_bytes());
}

fn head(status: u16, length: usize, headers: &[(&'static str, String)]) -> String {
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    format!("HTTP/1.1 {status} Told\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n")
}

fn read(stream: &TcpStream) -> Option<Ask> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.trim_start_matches('/').to_owned();
    let mut condition = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(": ")
            && ["if-none-match", "if-modified-since"].contains(&name.to_ascii_lowercase().as_str())
        {
            condition = Some(value.to_owned());
        }
    }
    Some(Ask { path, condition })
}
