//! A web server that hands every request to `git http-backend`, and counts them; with TLS if wanted.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::git::command;
use super::run;
use crate::source::Remote;

/// Serves the repositories below one folder on the loopback; its thread ends with the test process.
pub(in crate::source) struct HttpServer {
    scheme: &'static str,
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl HttpServer {
    pub(in crate::source) fn start(root: &Path) -> Self {
        Self::start_with(root, None)
    }

    /// With TLS, and a certificate for `localhost` of the CA that [`make_ca`] made in `ca`.
    pub(in crate::source) fn start_tls(root: &Path, ca: &Path) -> Self {
        let certificates = CertificateDer::pem_file_iter(ca.join("server.crt")).unwrap();
        let key = PrivateKeyDer::from_pem_file(ca.join("server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(certificates.map(Result::unwrap).collect(), key)
            .unwrap();
        Self::start_with(root, Some(Arc::new(config)))
    }

    fn start_with(root: &Path, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let root = root.to_owned();
        let scheme = if tls.is_some() { "https" } else { "http" };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                match &tls {
                    None => serve(stream, &root, &seen).unwrap(),
                    Some(config) => {
                        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                        // A client that does not like the certificate hangs up: that is what a test is for.
                        let _ = serve(StreamOwned::new(connection, stream), &root, &seen);
                    }
                }
            }
        });
        Self {
            scheme,
            port,
            requests,
        }
    }

    pub(in crate::source) fn remote(&self, path: &str) -> Remote {
        Remote::parse(&format!("{}://localhost:{}/{path}", self.scheme, self.port)).unwrap()
    }

    /// The request lines since the last call, without their HTTP version.
    pub(in crate::source) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

fn serve(
    mut stream: impl Read + Write,
    root: &PathBuf,
    seen: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut reader = BufReader::new(&mut stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let Some(request) = lines.first() else {
        return Ok(());
    };
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
    let length: usize = header("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let answer = match canned(target) {
        Some(head) => format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .into_bytes(),
        None => backend(root, method, target, header, &body),
    };
    stream.write_all(&answer)?;
    stream.flush()
}

/// Answers that have nothing to do with git.
fn canned(target: &str) -> Option<String> {
    if let Some(path) = target.strip_prefix("/moved/") {
        return Some(format!("301 Moved\r\nLocation: /{path}"));
    }
    if target.starts_with("/away/") {
        let location = "https://example.org/x/info/refs?service=git-upload-pack";
        return Some(format!("302 Found\r\nLocation: {location}"));
    }
    target
        .starts_with("/private/")
        .then(|| "401 Unauthorized".to_owned())
}

/// Makes `ca.crt` in `folder`, and with it `server.crt` and `server.key` for `localhost`.
pub(in crate::source) fn make_ca(folder: &Path) {
    let openssl = |arguments: &str| {
        let mut openssl = command("openssl");
        run(openssl.current_dir(folder).args(arguments.split(' ')), b"");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!(
        "req -x509 -config /dev/null {key} -keyout ca.key -out ca.crt -days 30 -subj /CN=ca -addext basicConstraints=critical,CA:TRUE"
    ));
    openssl(&format!(
        "req -x509 -config /dev/null {key} -keyout server.key -out server.crt -days 30 -subj /CN=localhost -CA ca.crt -CAkey ca.key -addext subjectAltName=DNS:localhost -addext basicConstraints=CA:FALSE"
    ));
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
