//! Packet lines: the frames of the git protocol.

use std::io::{self, Read};

use super::trouble::{Trouble, one_line};

/// The longest packet, its length field included.
const PACKET_BYTES: usize = 65_520;
const LENGTH_BYTES: usize = 4;

/// End of a message.
pub(super) const FLUSH: &[u8] = b"0000";
/// Between the sections of a message, in version 2.
pub(super) const DELIMITER: &[u8] = b"0001";

/// One packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet {
    Data(Vec<u8>),
    Flush,
    Delimiter,
}

impl Packet {
    /// The line of a data packet, without its line break.
    pub(super) fn line(&self) -> Option<&[u8]> {
        match self {
            Self::Data(bytes) => Some(bytes.strip_suffix(b"\n").unwrap_or(bytes)),
            Self::Flush | Self::Delimiter => None,
        }
    }
}

/// Appends a line as one packet. `text` is short: a command, an object id.
pub(super) fn push(message: &mut Vec<u8>, text: &str) {
    debug_assert!(text.len() < PACKET_BYTES - LENGTH_BYTES - 1);
    message.extend_from_slice(format!("{:04x}{text}\n", text.len() + LENGTH_BYTES + 1).as_bytes());
}

/// Reads one packet; an `ERR` packet is the server's error.
pub(super) fn read(stream: &mut dyn Read) -> Result<Packet, Trouble> {
    let mut field = [0_u8; LENGTH_BYTES];
    stream.read_exact(&mut field)?;
    let length = str::from_utf8(&field)
        .ok()
        .filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))
        .and_then(|text| usize::from_str_radix(text, 16).ok());
    match length {
        Some(0) => Ok(Packet::Flush),
        Some(1) => Ok(Packet::Delimiter),
        Some(length) if (LENGTH_BYTES..=PACKET_BYTES).contains(&length) => {
            let mut bytes = vec![0; length - LENGTH_BYTES];
            stream.read_exact(&mut bytes)?;
            match bytes.strip_prefix(b"ERR ") {
                Some(message) => Err(Trouble::Said(one_line(&String::from_utf8_lossy(message)))),
                None => Ok(Packet::Data(bytes)),
            }
        }
        _ => Err(not_git(field, stream)),
    }
}

/// A login banner or a web page where a packet should be: its beginning helps to find out.
fn not_git(field: [u8; LENGTH_BYTES], stream: &mut dyn Read) -> Trouble {
    let mut text = field.to_vec();
    // The beginning is only for the message; what cannot be read is left out of it.
    let _: io::Result<usize> = stream.take(80).read_to_end(&mut text);
    Trouble::protocol(format!(
        "it begins with `{}`",
        one_line(&String::from_utf8_lossy(&text))
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_as_they_are_written() {
        let mut message = Vec::new();
        push(&mut message, "command=ls-refs");
        message.extend_from_slice(DELIMITER);
        message.extend_from_slice(FLUSH);
        assert!(message.starts_with(b"0014command=ls-refs\n"));
        let mut stream = message.as_slice();
        assert_eq!(
            read(&mut stream).unwrap().line(),
            Some(&b"command=ls-refs"[..])
        );
        assert_eq!(read(&mut stream).unwrap(), Packet::Delimiter);
        assert_eq!(read(&mut stream).unwrap(), Packet::Flush);
        assert!(matches!(read(&mut stream), Err(Trouble::Ended)));
    }

    #[test]
    fn a_banner_is_quoted() {
        let error = read(&mut &b"Welcome to our server!\n"[..]).unwrap_err();
        assert!(
            format!("{error:?}").contains("Welcome to our server!"),
            "{error:?}"
        );
    }

    #[test]
    fn lengths_that_cannot_be_are_refused() {
        for text in [&b"0003"[..], b"fff1", b"+001", b"00g0"] {
            assert!(
                matches!(read(&mut &text[..]), Err(Trouble::Clear(_))),
                "{text:?}"
            );
        }
    }

    #[test]
    fn an_error_packet_is_what_the_server_said() {
        assert!(
            matches!(read(&mut &b"000cERR no\n\x1b"[..]), Err(Trouble::Said(text)) if text == "no")
        );
    }
}
