//! A web server that hands every request to `git http-backend`, and counts them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use super::git::command;
use crate::source::Remote;

/// Serves the repositories below one folder on the loopback; its thread ends with the test process.
pub(in crate::source) struct HttpServer {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl HttpServer {
    pub(in crate::source) fn start(root: &Path) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let root = root.to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &root, &seen);
            }
        });
        Self { port, requests }
    }

    pub(in crate::source) fn remote(&self, path: &str) -> Remote {
        Remote::parse(&format!("http://127.0.0.1:{}/{path}", self.port)).unwrap()
    }

    /// The request lines since the last call, without their HTTP version.
    pub(in crate::source) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

fn serve(mut stream: TcpStream, root: &PathBuf, seen: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let Some(request) = lines.first() else { return };
    let mut parts = request.split(' ');
    let (method, target) = (parts.next().unwrap(), parts.next().unwrap());
    seen.lock().unwrap().push(format!("{method} {target}"));
    let header = |name: &str| {
        lines.iter().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    if let Some(path) = target.strip_prefix("/moved/") {
        write!(stream, "HTTP/1.1 301 Moved\r\nLocation: /{path}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        return;
    }
    if target.starts_with("/away/") {
        stream
            .write_all(b"HTTP/1.1 302 Found\r\nLocation: https://example.org/x/info/refs?service=git-upload-pack\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .unwrap();
        return;
    }
    if target.starts_with("/private/") {
        stream
            .write_all(
                b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            )
            .unwrap();
        return;
    }
    let length: usize = header("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = backend(root, method, target, header, &body);
    stream.write_all(&answer).unwrap();
}

fn backend(
    root: &PathBuf,
    method: &str,
    target: &str,
    header: impl Fn(&str) -> Option<String>,
    body: &[u8],
) -> Vec<u8> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut child = command("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", method)
        .env("CONTENT_TYPE", header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("GIT_PROTOCOL", header("git-protocol").unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    let end = output.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(output[..end].to_vec()).unwrap();
    let status = head
        .lines()
        .find_map(|line| line.strip_prefix("Status: "))
        .unwrap_or("200 OK");
    let mut answer =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\n{head}\r\n\r\n").into_bytes();
    answer.extend_from_slice(&output[end + 4..]);
    answer
}
