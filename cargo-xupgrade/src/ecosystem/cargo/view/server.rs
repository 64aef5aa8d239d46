//! A small HTTP server on the loopback interface, a few threads wide, that answers `GET` from a
//! function. The only module that names the server library. Nobody but this machine can reach it; whoever
//! runs something on this machine while it serves can read what it was given, and needs no credentials.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use tiny_http::{Header, Method, Request, Response, Server};

/// How many requests are answered at once. Cargo opens two connections to one host.
const THREADS: usize = 4;

/// What to answer.
#[derive(Debug)]
pub enum Reply {
    /// 200 with this body, or 304 when the client has the one with this tag.
    Page(Arc<Vec<u8>>, String),
    /// Any other status, with words for a person.
    Words(u16, String),
}

/// A running server; stops when dropped.
pub struct Loopback {
    server: Arc<Server>,
    address: SocketAddr,
}

impl Loopback {
    /// Starts to answer on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be opened.
    pub fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let server = Server::from_listener(listener, None).map_err(std::io::Error::other)?;
        let server = Arc::new(server);
        let answer = Arc::new(answer);
        for _ in 0..THREADS {
            let (server, answer) = (Arc::clone(&server), Arc::clone(&answer));
            std::thread::Builder::new().name("index view".to_owned()).spawn(move || {
                // `recv` fails once the server is told to stop.
                while let Ok(request) = server.recv() {
                    respond(request, &*answer);
                }
            })?;
        }
        Ok(Self { server, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        // One call wakes one thread. The threads are not waited for: one of them may be asking a slow
        // registry, and the socket closes by itself when the last of them lets go of the server.
        for _ in 0..THREADS {
            self.server.unblock();
        }
    }
}

fn respond(request: Request, answer: &dyn Fn(&str) -> Reply) {
    let reply = match request.method() {
        Method::Get => answer(request.url()),
        _ => Reply::Words(405, "only GET is answered here".to_owned()),
    };
    let sent = match reply {
        Reply::Page(_, tag) if has(&request, &tag) => send(request, Response::empty(304).with_header(etag(&tag))),
        Reply::Page(body, tag) => {
            let response = Response::new(200.into(), vec![etag(&tag)], &body[..], Some(body.len()), None);
            // A chunked body would cost a copy more on both sides; its length is known.
            send(request, response.with_chunked_threshold(usize::MAX))
        }
        Reply::Words(status, words) => send(request, Response::from_string(words).with_status_code(status)),
    };
    // A client that hung up is a cargo that was stopped; there is nobody left to tell.
    drop(sent);
}

/// Sends head and body in one write. As two writes, which is how the library does it, the body waits 40 ms
/// for the client's delayed acknowledgement of the head: 281 pages took 10 s, and take 0.2 s like this.
fn send<R: std::io::Read>(request: Request, response: Response<R>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    response.raw_print(&mut bytes, request.http_version().clone(), request.headers(), false, None)?;
    let mut writer = request.into_writer();
    writer.write_all(&bytes)?;
    writer.flush()
}

fn has(request: &Request, tag: &str) -> bool {
    let conditions = request.headers().iter().filter(|header| header.field.equiv("If-None-Match"));
    conditions.map(|header| header.value.as_str()).any(|value| value == tag)
}

fn etag(tag: &str) -> Header {
    Header::from_bytes("ETag", tag).expect("a tag is quoted hexadecimal digits")
}
