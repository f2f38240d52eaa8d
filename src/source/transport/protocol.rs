//! The client's half of a fetch, over any connection.
//!
//! The server chooses the version: 2 lists only the references that are asked for; the older one, which sshd
//! falls back to when it does not pass `GIT_PROTOCOL` on, lists them all. Either way there is one listing and, if
//! something is missing here, one request that names what is wanted and what is had.

use std::io::Read;

use git2::{Odb, Oid};

use super::meter::{Meter, Metered};
use super::pack::PackSink;
use super::packet::{self, DELIMITER, FLUSH, Packet};
use super::trouble::{Trouble, one_line};
use crate::source::FetchErrorKind;

const AGENT: &str = concat!("agent=steadfast/", env!("CARGO_PKG_VERSION"));
/// The most references of a listing.
const REFERENCES: usize = 100_000;
const HEADS: &str = "refs/heads/";

/// A way to a `git-upload-pack`.
pub(super) trait Connection {
    /// What the server says first.
    fn greeting(&mut self) -> Result<Box<dyn Read + '_>, Trouble>;
    /// Sends a request; the reader has the answer.
    fn ask(&mut self, request: &[u8]) -> Result<Box<dyn Read + '_>, Trouble>;
    /// Says goodbye where the server waits for it.
    fn close(self: Box<Self>);
    /// Finds the cause: the connection knows what the transport said.
    fn explain(self: Box<Self>, trouble: Trouble) -> FetchErrorKind;
}

/// A fetch between its listing and its pack.
pub(super) struct Conversation<'a> {
    connection: &'a mut dyn Connection,
    meter: &'a mut Meter,
    version: Version,
}

enum Version {
    /// The whole listing came with the greeting.
    Zero {
        references: Vec<(String, Oid)>,
        /// Whether it gives commits that no reference is at.
        gives_any: bool,
    },
    Two {
        says_format: bool,
    },
}

impl<'a> Conversation<'a> {
    /// Reads the server's greeting.
    pub(super) fn begin(
        connection: &'a mut dyn Connection,
        meter: &'a mut Meter,
    ) -> Result<Self, Trouble> {
        let mut stream = Metered {
            inner: connection.greeting()?,
            meter,
        };
        let mut first = packet::read(&mut stream)?;
        if first
            .line()
            .is_some_and(|line| line.starts_with(b"# service="))
        {
            while packet::read(&mut stream)? != Packet::Flush {}
            first = packet::read(&mut stream)?;
        }
        let version = if first.line() == Some(b"version 2") {
            read_capabilities(&mut stream)?
        } else {
            read_references(first, &mut stream)?
        };
        drop(stream);
        Ok(Self {
            connection,
            meter,
            version,
        })
    }

    /// The tip of `branch`, or of the remote's `HEAD`.
    pub(super) fn tip(&mut self, branch: Option<&str>) -> Result<Oid, Trouble> {
        let name = branch.map_or_else(|| "HEAD".to_owned(), |branch| format!("{HEADS}{branch}"));
        let found = |references: &[(String, Oid)]| {
            references
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, id)| *id)
        };
        let all = match &self.version {
            Version::Zero { references, .. } => {
                if let Some(tip) = found(references) {
                    return Ok(tip);
                }
                references.clone()
            }
            Version::Two { .. } => {
                if let Some(tip) = found(&self.list(&name)?) {
                    return Ok(tip);
                }
                self.list(HEADS)?
            }
        };
        Err(Trouble::Clear(missing(branch, &all)))
    }

    /// Whether the server can be asked for a commit by its id. Version 2 gives whatever is asked for.
    pub(super) fn gives(&self, id: Oid) -> bool {
        match &self.version {
            Version::Two { .. } => true,
            Version::Zero {
                references,
                gives_any,
            } => *gives_any || references.iter().any(|(_, tip)| *tip == id),
        }
    }

    /// Asks a version 2 server for the references whose names begin with `prefix`.
    fn list(&mut self, prefix: &str) -> Result<Vec<(String, Oid)>, Trouble> {
        let mut request = self.command("ls-refs");
        packet::push(&mut request, &format!("ref-prefix {prefix}"));
        request.extend_from_slice(FLUSH);
        let mut stream = Metered {
            inner: self.connection.ask(&request)?,
            meter: self.meter,
        };
        let mut references = Vec::new();
        loop {
            let packet = packet::read(&mut stream)?;
            let Some(line) = packet.line() else { break };
            add_reference(&mut references, line)?;
        }
        Ok(references)
    }

    /// Asks for `want` with everything below it that is not below `haves`, and stores it.
    pub(super) fn fetch(
        &mut self,
        want: Oid,
        haves: &[Oid],
        odb: &Odb<'_>,
    ) -> Result<(u64, u32), Trouble> {
        let mut request;
        match self.version {
            Version::Zero { .. } => {
                request = Vec::new();
                packet::push(
                    &mut request,
                    &format!("want {want} side-band-64k ofs-delta no-progress {AGENT}"),
                );
                request.extend_from_slice(FLUSH);
            }
            Version::Two { .. } => {
                request = self.command("fetch");
                packet::push(&mut request, "ofs-delta");
                packet::push(&mut request, "no-progress");
                packet::push(&mut request, &format!("want {want}"));
            }
        }
        for have in haves {
            packet::push(&mut request, &format!("have {have}"));
        }
        packet::push(&mut request, "done");
        if matches!(self.version, Version::Two { .. }) {
            request.extend_from_slice(FLUSH);
        }
        let mut sink = PackSink::new(odb, self.meter)?;
        let mut stream = Metered {
            inner: self.connection.ask(&request)?,
            meter: self.meter,
        };
        let first = skip_to_pack(&mut stream, &self.version)?;
        receive_pack(first, &mut stream, &mut sink)?;
        sink.finish()
    }

    fn command(&self, name: &str) -> Vec<u8> {
        let mut request = Vec::new();
        packet::push(&mut request, &format!("command={name}"));
        packet::push(&mut request, AGENT);
        if matches!(self.version, Version::Two { says_format: true }) {
            packet::push(&mut request, "object-format=sha1");
        }
        request.extend_from_slice(DELIMITER);
        request
    }
}

fn read_capabilities(stream: &mut dyn Read) -> Result<Version, Trouble> {
    let mut says_format = false;
    loop {
        let packet = packet::read(stream)?;
        let Some(line) = packet.line() else { break };
        if let Some(format) = line.strip_prefix(b"object-format=") {
            if format != b"sha1" {
                return Err(Trouble::Clear(FetchErrorKind::Sha256));
            }
            says_format = true;
        }
    }
    Ok(Version::Two { says_format })
}

/// Reads the listing that the older protocol begins with; the first line has the capabilities behind a NUL.
fn read_references(first: Packet, stream: &mut dyn Read) -> Result<Version, Trouble> {
    const ANY: [&[u8]; 2] = [b"allow-reachable-sha1-in-want", b"allow-any-sha1-in-want"];
    let mut gives_any = false;
    let mut references = Vec::new();
    let mut packet = first;
    let mut seen_capabilities = false;
    while let Some(line) = packet.line() {
        let mut parts = line.splitn(2, |b| *b == 0);
        let reference = parts.next().unwrap_or_default();
        if let Some(capabilities) = parts.next() {
            check_capabilities(capabilities)?;
            gives_any = capabilities
                .split(|b| *b == b' ')
                .any(|name| ANY.contains(&name.trim_ascii_end()));
            seen_capabilities = true;
        }
        if reference.starts_with(b"shallow ") {
            return Err(Trouble::protocol(
                "it is a shallow clone, without its history",
            ));
        }
        let is_list_item =
            !reference.starts_with(b"version ") && !reference.ends_with(b" capabilities^{}");
        if is_list_item {
            add_reference(&mut references, reference)?;
        }
        packet = packet::read(stream)?;
    }
    if !seen_capabilities && !references.is_empty() {
        return Err(Trouble::protocol("it names no capabilities"));
    }
    Ok(Version::Zero {
        references,
        gives_any,
    })
}

fn check_capabilities(line: &[u8]) -> Result<(), Trouble> {
    let names: Vec<&[u8]> = line.split(|b| *b == b' ').collect();
    let other_format = names
        .iter()
        .filter_map(|name| name.strip_prefix(b"object-format="))
        .any(|format| format != b"sha1");
    if other_format {
        return Err(Trouble::Clear(FetchErrorKind::Sha256));
    }
    if !names.contains(&&b"side-band-64k"[..]) {
        return Err(Trouble::protocol(
            "it cannot send packs in frames (`side-band-64k`)",
        ));
    }
    Ok(())
}

fn add_reference(references: &mut Vec<(String, Oid)>, line: &[u8]) -> Result<(), Trouble> {
    if references.len() >= REFERENCES {
        return Err(Trouble::Clear(FetchErrorKind::TooLarge {
            limit: REFERENCES as u64,
            unit: "references",
        }));
    }
    // `OID NAME`, in version 2 with attributes behind the name.
    let text = String::from_utf8_lossy(line);
    let mut parts = text.splitn(3, ' ');
    let id = parts.next().unwrap_or_default();
    let name = parts.next();
    if id.len() == 64 {
        return Err(Trouble::Clear(FetchErrorKind::Sha256));
    }
    match (Oid::from_str(id), name) {
        (Ok(oid), Some(name)) if id.len() == 40 => {
            references.push((name.to_owned(), oid));
            Ok(())
        }
        _ => Err(Trouble::protocol(format!("it lists `{}`", one_line(&text)))),
    }
}

/// An empty repository, or which branches there are instead.
pub(super) fn missing(branch: Option<&str>, references: &[(String, Oid)]) -> FetchErrorKind {
    let mut existing: Vec<String> = references
        .iter()
        .filter_map(|(name, _)| name.strip_prefix(HEADS))
        .map(one_line)
        .collect();
    existing.sort();
    if existing.is_empty() {
        return FetchErrorKind::Empty;
    }
    FetchErrorKind::BranchGone {
        branch: branch.unwrap_or("HEAD").to_owned(),
        existing,
    }
}

/// Reads up to the pack. Acknowledgements say nothing that is needed: `done` was sent. The older protocol has no
/// mark where the pack begins: its first frame is given back.
fn skip_to_pack(stream: &mut dyn Read, version: &Version) -> Result<Option<Packet>, Trouble> {
    loop {
        let packet = packet::read(stream)?;
        match (version, packet.line()) {
            (Version::Zero { .. }, Some(line)) if line == b"NAK" || line.starts_with(b"ACK ") => {}
            (Version::Zero { .. }, _) => return Ok(Some(packet)),
            (Version::Two { .. }, Some(b"packfile")) => return Ok(None),
            (Version::Two { .. }, Some(b"shallow-info")) => {
                return Err(Trouble::protocol(
                    "it is a shallow clone, without its history",
                ));
            }
            (Version::Two { .. }, None) if packet == Packet::Flush => {
                return Err(Trouble::protocol("it sends no pack"));
            }
            (Version::Two { .. }, _) => {}
        }
    }
}

/// Reads the frames of a pack: band 1 is the pack, 2 is progress, 3 is an error.
fn receive_pack(
    first: Option<Packet>,
    stream: &mut dyn Read,
    sink: &mut PackSink<'_>,
) -> Result<(), Trouble> {
    let mut first = first;
    loop {
        let packet = match first.take() {
            Some(packet) => packet,
            None => packet::read(stream)?,
        };
        match packet {
            Packet::Flush => return Ok(()),
            Packet::Delimiter => return Err(Trouble::protocol("a delimiter inside a pack")),
            Packet::Data(bytes) => match bytes.split_first() {
                Some((1, pack)) => sink.write(pack)?,
                Some((2, _)) => {}
                Some((3, message)) => {
                    return Err(Trouble::Said(one_line(&String::from_utf8_lossy(message))));
                }
                Some((band, _)) => return Err(Trouble::protocol(format!("unknown band {band}"))),
                None => return Err(Trouble::protocol("an empty frame inside a pack")),
            },
        }
    }
}
