//! What is there once per host: description, platform, host name, time zone, kernel parameters.

use super::HostParser;
use crate::config::host::{HostName, Platform};
use crate::config::reader::Fields;
use crate::config::vocabulary::PLATFORM;
use crate::config::yaml::{Node, Value};

/// Architectures as `uname -m` has them.
const ARCHITECTURES: [(&str, &str); 7] = [
    ("x86_64", "x86_64"),
    ("aarch64", "aarch64"),
    ("armv7l", "armv7l"),
    ("i686", "i686"),
    ("riscv64", "riscv64"),
    ("ppc64le", "ppc64le"),
    ("s390x", "s390x"),
];

/// Debian's words for some of them.
const DEBIAN_ARCHITECTURES: [(&str, &str); 5] = [
    ("amd64", "x86_64"),
    ("arm64", "aarch64"),
    ("armhf", "armv7l"),
    ("i386", "i686"),
    ("ppc64el", "ppc64le"),
];

impl HostParser<'_> {
    pub(super) fn machine(&mut self, fields: Fields<'_>) {
        self.config.description = fields
            .get("description")
            .and_then(|node| self.reader.text(node))
            .map(|text| text.trim_end().to_owned());
        if let Some(node) = fields.get("platform") {
            self.platform(node);
        }
        if let Some(node) = fields.get("hostname") {
            self.hostname(node);
        }
        if let Some(node) = fields.get("timezone") {
            self.timezone(node);
        }
        if let Some(node) = fields.get("sysctls") {
            self.sysctls(node);
        }
        self.environment(fields);
        self.software(fields);
    }

    fn platform(&mut self, node: &Node) {
        let Some(fields) = self.reader.fields(node, "`platform`", PLATFORM) else {
            return;
        };
        let mut platform = Platform::default();
        if let Some(node) = fields.get("os")
            && let Some(os) = self.reader.line(node)
        {
            let id = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
            if os.bytes().all(id) {
                platform.os = Some(os.to_owned());
            } else {
                self.reader
                    .wrong_type(node, "the `ID` of an os-release file, such as `debian`,")
                    .fix = Some(format!("write `{}`", os.to_lowercase()));
            }
        }
        if let Some(node) = fields.get("version") {
            platform.version = self.reader.line(node).map(str::to_owned);
        }
        if let Some(node) = fields.get("arch") {
            platform.arch = self.architecture(node);
        }
        self.config.platform = Some(platform);
    }

    fn architecture(&mut self, node: &Node) -> Option<String> {
        if let Value::Scalar(scalar) = &node.value
            && let Some((_, arch)) = DEBIAN_ARCHITECTURES
                .iter()
                .find(|(word, _)| *word == scalar.text())
        {
            return Some((*arch).to_owned());
        }
        self.reader.one_of(node, &ARCHITECTURES).map(str::to_owned)
    }

    fn hostname(&mut self, node: &Node) {
        let Some(text) = self.reader.line(node) else {
            return;
        };
        match HostName::new(text) {
            Ok(name) if name.as_str().len() <= 64 => {
                self.config.hostname =
                    Some(self.reader.located(node.place, name.as_str().to_owned()));
            }
            Ok(_) => {
                self.reader
                    .error(node.place, "a host name has at most 64 characters");
            }
            Err(invalid) => {
                self.reader.error(node.place, invalid.to_string());
            }
        }
    }

    fn timezone(&mut self, node: &Node) {
        let Some(text) = self.reader.line(node) else {
            return;
        };
        let part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b))
        };
        if text.split('/').all(part) {
            self.config.timezone = Some(self.reader.located(node.place, text.to_owned()));
        } else {
            self.reader
                .wrong_type(node, "a time zone such as `Europe/Berlin`")
                .fix = Some("`timedatectl list-timezones` prints those there are".to_owned());
        }
    }

    fn sysctls(&mut self, node: &Node) {
        let Some(entries) = self.reader.entries(node, "kernel parameters by name") else {
            return;
        };
        for entry in entries {
            let key = entry.key.text.as_str();
            let plain = |part: &str| {
                !part.is_empty()
                    && part
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
            };
            if !key.split('.').all(plain) {
                let dotted = key.replace('/', ".");
                let fix = Some(if dotted.split('.').all(plain) {
                    format!("write `{dotted}`")
                } else {
                    "write it as `sysctl -a` prints it, such as `net.ipv4.ip_forward`".to_owned()
                });
                self.reader
                    .error(
                        entry.key.place,
                        format!("`{key}` is not the dotted name of a kernel parameter"),
                    )
                    .fix = fix;
                continue;
            }
            if let Some(value) = self.reader.line(&entry.value) {
                let value = self
                    .reader
                    .located(entry.key.place, value.trim().to_owned());
                self.config.sysctls.insert(key.to_owned(), value);
            }
        }
    }
}
