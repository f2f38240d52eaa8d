//! Extended attributes of files: what they say besides owner and mode.
//!
//! Three kinds are told apart. What people and programs noted (`user.*`) and an access list belong to the file and are kept
//! with it. A file capability was given to one content and never goes over to another. Labels of a security module follow
//! its policy: they are kept where a file is replaced, and never compared. All others are the file system's own business.

use std::collections::BTreeMap;
use std::os::fd::AsFd;

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::{FileMode, Ownership};

const ACCESS_LIST: &str = "system.posix_acl_access";
const CAPABILITY: &str = "security.capability";
const LABELS: [&str; 2] = ["security.selinux", "security.SMACK64"];
/// The kernel's own limits of a list of names and of one value.
const LARGEST_BYTES: usize = 64 * 1024;

/// Extended attributes of one file by name, values in hexadecimal digits.
///
/// An access list is without what the mode says already: rights of owner and others, and its mask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(BTreeMap<String, String>);

impl Attributes {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Those that go over to other content: all but a capability.
    #[must_use]
    pub fn for_other_content(&self) -> Self {
        let mut kept = self.clone();
        kept.0.remove(CAPABILITY);
        kept
    }

    /// Adds one, for tests and for what is made from nothing.
    #[must_use]
    pub fn with(mut self, name: &str, value: &[u8]) -> Self {
        self.0.insert(name.to_owned(), hex(value));
        self
    }

    /// Reads those of an open file. A file system without attributes has none.
    pub(super) fn of(file: impl AsFd, ownership: Ownership) -> Result<Self, Errno> {
        let mut found = BTreeMap::new();
        for name in names(&file)? {
            if !counts(&name, ownership) {
                continue;
            }
            if let Some(value) = value(&file, &name)? {
                let value = if name == ACCESS_LIST {
                    without_mode(&value)
                } else {
                    value
                };
                found.insert(name, hex(&value));
            }
        }
        Ok(Self(found))
    }

    /// Gives an open file these, and takes others that count from it. Comes before the mode is set, which is the mask of
    /// an access list.
    ///
    /// Where a file system has no attributes any more, the file goes without.
    pub(super) fn give(
        &self,
        file: impl AsFd,
        mode: FileMode,
        ownership: Ownership,
    ) -> Result<(), Errno> {
        for name in names(&file)? {
            if counts(&name, ownership) && !self.0.contains_key(&name) {
                match fremovexattr(&file, name.as_str()) {
                    Ok(()) | Err(Errno::NODATA) => {}
                    Err(errno) => return Err(errno),
                }
            }
        }
        for (name, value) in &self.0 {
            if !counts(name, ownership) {
                continue;
            }
            let mut value = bytes(value).ok_or(Errno::INVAL)?;
            if name == ACCESS_LIST {
                value = with_mode(&value, mode);
            }
            match fsetxattr(&file, name.as_str(), &value, XattrFlags::empty()) {
                Ok(()) | Err(Errno::OPNOTSUPP) => {}
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }
}

/// The labels of an open file.
pub(super) fn labels(file: impl AsFd) -> Vec<(&'static str, Vec<u8>)> {
    let label = |name: &'static str| match value(&file, name) {
        Ok(Some(value)) => Some((name, value)),
        // Without a security module there is none, and one that cannot be read is the module's to decide.
        _ => None,
    };
    LABELS.into_iter().filter_map(label).collect()
}

/// Gives an open file these labels. What the security module refuses stays as it labelled the file itself.
pub(super) fn set_labels(file: impl AsFd, labels: &[(&'static str, Vec<u8>)]) {
    for (name, value) in labels {
        if let Err(errno) = fsetxattr(&file, *name, value, XattrFlags::empty()) {
            tracing::debug!(%errno, name, "label not kept");
        }
    }
}

fn counts(name: &str, ownership: Ownership) -> bool {
    name.starts_with("user.")
        || name == ACCESS_LIST
        || (name == CAPABILITY && ownership == Ownership::Kept)
}

fn names(file: impl AsFd) -> Result<Vec<String>, Errno> {
    // Nearly every file has none or one short name.
    let mut buffer = vec![0_u8; 256];
    let length = loop {
        match flistxattr(&file, buffer.as_mut_slice()) {
            Ok(length) => break length,
            Err(Errno::RANGE) if buffer.len() < LARGEST_BYTES => buffer.resize(LARGEST_BYTES, 0),
            Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
            Err(errno) => return Err(errno),
        }
    };
    let names = buffer[..length]
        .split(|byte| *byte == 0)
        .filter_map(|name| std::str::from_utf8(name).ok());
    Ok(names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

fn value(file: impl AsFd, name: &str) -> Result<Option<Vec<u8>>, Errno> {
    let mut buffer = vec![0_u8; 512];
    loop {
        match fgetxattr(&file, name, buffer.as_mut_slice()) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(Some(buffer));
            }
            Err(Errno::RANGE) if buffer.len() < LARGEST_BYTES => buffer.resize(LARGEST_BYTES, 0),
            Err(Errno::NODATA | Errno::OPNOTSUPP) => return Ok(None),
            Err(errno) => return Err(errno),
        }
    }
}

/// The entries of an access list behind its version: tag, rights and id, in little endian.
const HEADER_BYTES: usize = 4;
const ENTRY_BYTES: usize = 8;

fn without_mode(list: &[u8]) -> Vec<u8> {
    with_rights(list, |_| 0)
}

fn with_mode(list: &[u8], mode: FileMode) -> Vec<u8> {
    with_rights(list, |shift| {
        u8::try_from(mode.bits() >> shift & 7).unwrap_or(0)
    })
}

/// The list with what the mode says replaced by `rights`, asked by how far to shift the mode.
fn with_rights(list: &[u8], rights: impl Fn(u32) -> u8) -> Vec<u8> {
    let mut list = list.to_vec();
    let entries = list.get_mut(HEADER_BYTES..).unwrap_or_default();
    for entry in entries.chunks_exact_mut(ENTRY_BYTES) {
        let shift = match entry[0] {
            0x01 => 6, // the owner
            0x10 => 3, // the mask
            0x20 => 0, // others
            _ => continue,
        };
        entry[2] = rights(shift);
    }
    list
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    let pairs = digits.chunks(2).map(|pair| {
        let text = std::str::from_utf8(pair)
            .ok()
            .filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(text, 16).ok()
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 2; owner rw-, user 1000 r--, group ---, mask r--, others ---.
    const LIST: &str =
        "0200000001000600ffffffff02000400e803000004000000ffffffff10000400ffffffff20000000ffffffff";

    #[test]
    fn an_access_list_is_the_same_whatever_the_mode_says() {
        let list = bytes(LIST).unwrap();
        let bare = without_mode(&list);
        assert_ne!(bare, list);
        assert_eq!(with_mode(&bare, FileMode::from_bits(0o640)), list);
        let other = with_mode(&bare, FileMode::from_bits(0o664));
        assert_eq!(without_mode(&other), bare);
        assert_eq!(without_mode(b"abc"), b"abc");
    }

    #[test]
    fn values_of_any_bytes_are_written_down_and_read_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&hex(&all)).unwrap(), all);
        assert_eq!(bytes("0"), None);
        assert_eq!(bytes("0x"), None);
        let attributes = Attributes::default().with("user.note", b"a\0b");
        let text = serde_json::to_string(&attributes).unwrap();
        assert_eq!(text, r#"{"user.note":"610062"}"#);
        assert_eq!(
            serde_json::from_str::<Attributes>(&text).unwrap(),
            attributes
        );
    }

    #[test]
    fn a_capability_does_not_go_over_to_other_content() {
        let attributes = Attributes::default()
            .with("user.note", b"x")
            .with(CAPABILITY, b"y");
        let kept: Vec<String> = attributes
            .for_other_content()
            .names()
            .map(str::to_owned)
            .collect();
        assert_eq!(kept, ["user.note"]);
    }
}
