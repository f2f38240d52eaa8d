//! The nouns of a machine, each checked on the way in.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::checked_name;

/// Text that is not what it was said to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {what}: {rule}")]
pub struct InvalidName {
    /// The kind of name, such as "unit name".
    pub what: &'static str,
    /// What was given.
    pub text: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

checked_name!(
    /// An absolute path on a host in its one normal form: no `.`, `..`, empty component, trailing slash or NUL.
    HostPath, "host path", |text| {
        if !text.starts_with('/') {
            return Err("must begin with `/`");
        }
        if text.len() > 4095 {
            return Err("must be at most 4095 bytes");
        }
        if text.contains('\0') || text.contains('\n') {
            return Err("must not contain NUL or a line break");
        }
        if text == "/" {
            return Err("must name something below `/`");
        }
        for part in text[1..].split('/') {
            match part {
                "" => return Err("must not contain `//` or end with `/`"),
                "." | ".." => return Err("must not contain `.` or `..`"),
                part if part.len() > 255 => return Err("each part must be at most 255 bytes"),
                _ => {}
            }
        }
        Ok(())
    }
);

impl HostPath {
    /// The path as [`Path`]; absolute.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(self.as_str())
    }

    /// The path without its leading `/`, for opening below a root directory.
    #[must_use]
    pub fn relative(&self) -> &str {
        &self.as_str()[1..]
    }

    /// The last part.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.as_str().rsplit('/').next().unwrap_or_default()
    }

    /// The path of the directory that holds this one; `None` directly below `/`.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.as_str().rsplit_once('/')?;
        Self::new(parent).ok()
    }

    /// The directories above, nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + use<> {
        std::iter::successors(self.parent(), Self::parent)
    }

    /// Appends `below`, a relative path.
    ///
    /// # Errors
    /// [`InvalidName`] if the result is not a host path.
    pub fn join(&self, below: &str) -> Result<Self, InvalidName> {
        Self::new(format!("{}/{below}", self.as_str()))
    }
}

checked_name!(
    /// The full name of a systemd unit, `nginx.service` or `backup@home.timer`.
    UnitName, "unit name", |text| {
        if text.len() > 255 {
            return Err("must be at most 255 bytes");
        }
        let Some((stem, suffix)) = text.rsplit_once('.') else {
            return Err("must end with a unit type such as `.service`");
        };
        if UnitKind::from_suffix(suffix).is_none() {
            return Err("must end with .service, .socket, .timer, .path, .mount, .automount, .target, .slice, .swap, .scope or .device");
        }
        if stem.is_empty() || stem.starts_with('@') {
            return Err("must have a name before its type");
        }
        if !stem.bytes().all(|b| b.is_ascii_alphanumeric() || b":-_.\\@".contains(&b)) {
            return Err("may contain only letters, digits and `:-_.\\@`");
        }
        Ok(())
    }
);

/// The type of a unit, from the suffix of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are systemd's own words")]
pub enum UnitKind {
    Service,
    Socket,
    Timer,
    Path,
    Mount,
    Automount,
    Target,
    Slice,
    Swap,
    Scope,
    Device,
}

impl UnitKind {
    fn from_suffix(suffix: &str) -> Option<Self> {
        Some(match suffix {
            "service" => Self::Service,
            "socket" => Self::Socket,
            "timer" => Self::Timer,
            "path" => Self::Path,
            "mount" => Self::Mount,
            "automount" => Self::Automount,
            "target" => Self::Target,
            "slice" => Self::Slice,
            "swap" => Self::Swap,
            "scope" => Self::Scope,
            "device" => Self::Device,
            _ => return None,
        })
    }
}

impl UnitName {
    /// The unit's type.
    #[must_use]
    pub fn kind(&self) -> UnitKind {
        self.as_str()
            .rsplit_once('.')
            .and_then(|(_, suffix)| UnitKind::from_suffix(suffix))
            .unwrap_or(UnitKind::Service)
    }

    /// The template this unit is an instance of: `backup@home.timer` gives `backup@.timer`.
    #[must_use]
    pub fn template(&self) -> Option<Self> {
        let (stem, suffix) = self.as_str().rsplit_once('.')?;
        let (name, instance) = stem.split_once('@')?;
        if instance.is_empty() {
            return None;
        }
        Self::new(format!("{name}@.{suffix}")).ok()
    }

    /// Whether this is a template itself (`backup@.timer`), which can be enabled only through instances.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.as_str().contains("@.")
    }
}

fn account_rule(text: &str) -> Result<(), &'static str> {
    let mut bytes = text.bytes();
    match bytes.next() {
        Some(b'a'..=b'z' | b'_') => {}
        _ => return Err("must begin with a lower-case letter or `_`"),
    }
    if text.len() > 32 {
        return Err("must be at most 32 bytes");
    }
    if !bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b)) {
        return Err("may contain only lower-case letters, digits, `_` and `-`");
    }
    Ok(())
}

checked_name!(
    /// The login name of an account.
    UserName, "user name", account_rule
);
checked_name!(
    /// The name of a group.
    GroupName, "group name", account_rule
);
checked_name!(
    /// The name of a distribution package, as Debian policy 5.6.7 has it.
    PackageName, "package name", |text| {
        if text.len() < 2 {
            return Err("must be at least two characters");
        }
        if !text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) {
            return Err("must begin with a lower-case letter or a digit");
        }
        if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b)) {
            return Err("may contain only lower-case letters, digits and `+-.`");
        }
        Ok(())
    }
);

checked_name!(
    /// The name of a kernel module, as modprobe(8) takes it; `-` and `_` are the same.
    KernelModule, "kernel module", |text| {
        if text.is_empty() || text.len() > 64 {
            return Err("must be 1 to 64 characters");
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)) || text.starts_with('-') {
            return Err("may contain only letters, digits, `_` and `-`, without `.ko` and options");
        }
        Ok(())
    }
);

impl KernelModule {
    /// The name as the kernel lists it, with `_` for every `-`.
    #[must_use]
    pub fn listed(&self) -> String {
        self.as_str().replace('-', "_")
    }
}

/// Locales that the C library has in itself.
const BUILT_IN_LOCALES: [&str; 3] = ["C", "POSIX", "C.UTF-8"];

checked_name!(
    /// A locale: `en_US.UTF-8`, `sr_RS.UTF-8@latin`; or `C`, `POSIX`.
    LocaleName, "locale", |text| {
        if BUILT_IN_LOCALES.contains(&text) {
            return Ok(());
        }
        let (before, modifier) = text.split_once('@').unwrap_or((text, "none"));
        let Some(place) = before.strip_suffix(".UTF-8") else {
            return Err("must be spelled like `en_US.UTF-8`; other encodings are not supported");
        };
        let (language, territory) = place.split_once('_').unwrap_or((place, "XX"));
        let is_language = (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_lowercase());
        let is_territory = territory.len() == 2 && territory.bytes().all(|b| b.is_ascii_uppercase());
        let is_modifier = !modifier.is_empty() && modifier.bytes().all(|b| b.is_ascii_alphanumeric());
        if is_language && is_territory && is_modifier {
            Ok(())
        } else {
            Err("must be a language, a territory and an encoding: `en_US.UTF-8`")
        }
    }
);

impl LocaleName {
    /// Whether the C library has it without anything being generated.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        BUILT_IN_LOCALES.contains(&self.as_str())
    }

    /// The name as `locale -a` lists it: `en_US.utf8`.
    #[must_use]
    pub fn listed(&self) -> String {
        self.as_str().replace(".UTF-8", ".utf8")
    }
}

checked_name!(
    /// A SHA-256 in lower-case hex: of a file's content, of an object, of a whole manifest.
    Digest, "digest", |text| {
        if text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            Ok(())
        } else {
            Err("must be 64 lower-case hex digits")
        }
    }
);

impl Digest {
    /// The digest of `content`.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::from_hash(&sha2::Sha256::digest(content).into())
    }

    /// Takes a finished SHA-256.
    #[must_use]
    pub fn from_hash(hash: &[u8; 32]) -> Self {
        Self(hex::encode(hash).into())
    }
}

/// Permission bits of a file, at most `07777`; written as octal text, `"0644"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileMode(u32);

impl FileMode {
    /// Takes the permission bits of `bits`, dropping the file type.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & 0o7777)
    }

    /// The permission bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl FromStr for FileMode {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = |rule| InvalidName {
            what: "file mode",
            text: text.to_owned(),
            rule,
        };
        if !(3..=5).contains(&text.len()) || !text.bytes().all(|b| (b'0'..=b'7').contains(&b)) {
            return Err(invalid(
                "must be three to five octal digits such as \"0644\"",
            ));
        }
        match u32::from_str_radix(text, 8) {
            Ok(bits) if bits <= 0o7777 => Ok(Self(bits)),
            _ => Err(invalid("must be at most 07777")),
        }
    }
}

impl TryFrom<String> for FileMode {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<FileMode> for String {
    fn from(mode: FileMode) -> Self {
        mode.to_string()
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl fmt::Debug for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl schemars::JsonSchema for FileMode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FileMode".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_paths_have_one_normal_form() {
        for good in ["/etc/motd", "/a", "/etc/x y"] {
            assert_eq!(HostPath::new(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "/",
            "etc/motd",
            "/etc/",
            "/etc//motd",
            "/etc/../motd",
            "/etc/./motd",
            "/a\0b",
            "/a\nb",
        ] {
            assert!(HostPath::new(bad).is_err(), "{bad:?} was taken");
        }
        assert_eq!(
            HostPath::new("/etc/a/b")
                .unwrap()
                .parent()
                .unwrap()
                .as_str(),
            "/etc/a"
        );
        assert_eq!(HostPath::new("/etc").unwrap().parent(), None);
    }

    #[test]
    fn unit_names_know_their_kind_and_template() {
        let instance = UnitName::new("backup@home.timer").unwrap();
        assert_eq!(instance.kind(), UnitKind::Timer);
        assert_eq!(instance.template().unwrap().as_str(), "backup@.timer");
        assert!(UnitName::new("backup@.timer").unwrap().is_template());
        for bad in [
            "nginx",
            ".service",
            "@x.service",
            "a/b.service",
            "a b.service",
            "x.conf",
        ] {
            assert!(UnitName::new(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn modes_are_octal_text() {
        assert_eq!("0644".parse::<FileMode>().unwrap().bits(), 0o644);
        assert_eq!("4755".parse::<FileMode>().unwrap().to_string(), "4755");
        for bad in ["", "64", "0888", "017777", "rw-r--r--"] {
            assert!(bad.parse::<FileMode>().is_err(), "{bad:?} was taken");
        }
    }
}
