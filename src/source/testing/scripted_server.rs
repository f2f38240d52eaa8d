//! A web server that says what a test wrote down, whatever it is asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::source::Remote;

/// The three answers of a fetch in protocol version 2.
pub(in crate::source) struct Script {
    pub(in crate::source) greeting: Vec<u8>,
    pub(in crate::source) references: Vec<u8>,
    pub(in crate::source) pack: Vec<u8>,
}

impl Script {
    /// Gives the answers over and over; its thread ends with the test process.
    pub(in crate::source) fn serve(self) -> Remote {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let remote = format!(
            "http://127.0.0.1:{}/x",
            listener.local_addr().unwrap().port()
        );
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                self.answer(stream.unwrap());
            }
        });
        Remote::parse(&remote).unwrap()
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).unwrap();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse().unwrap();
            }
        }
        let mut asked = vec![0; length];
        reader.read_exact(&mut asked).unwrap();
        let (kind, body) = if first.starts_with("GET") {
            ("advertisement", &self.greeting)
        } else if asked.windows(7).any(|text| text == b"ls-refs") {
            ("result", &self.references)
        } else {
            ("result", &self.pack)
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-{kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        // A client that stops in the middle is what some tests are for.
        let _ = stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body));
    }
}

/// One packet line.
pub(in crate::source) fn packet(bytes: &[u8]) -> Vec<u8> {
    let mut packet = format!("{:04x}", bytes.len() + 4).into_bytes();
    packet.extend_from_slice(bytes);
    packet
}
