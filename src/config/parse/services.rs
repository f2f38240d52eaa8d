//! `sshd`, `firewall`, `containers`.

use super::HostParser;
use crate::config::host::{FirewallConfig, QuadletConfig, QuadletName, SshdConfig};
use crate::config::vocabulary::{FIREWALL, QUADLET, SSHD};
use crate::config::yaml::{Entry, Node, ScalarKind, Value};

/// Keywords whose meaning depends on their place in a file, with what to do instead.
const NOT_SETTINGS: [(&str, &str, &str); 2] = [
    (
        "include",
        "it would read files that nobody checked",
        "put the settings here",
    ),
    (
        "match",
        "it changes what the lines below it mean",
        "write a file of its own: `/etc/ssh/sshd_config.d/60-match.conf` under `files:`",
    ),
];

impl HostParser<'_> {
    pub(super) fn sshd(&mut self, entry: &Entry) {
        let Some(fields) = self.reader.fields(&entry.value, "`sshd`", SSHD) else {
            return;
        };
        let mut sshd = SshdConfig::default();
        let settings = fields
            .get("settings")
            .and_then(|node| self.reader.entries(node, "keywords of sshd_config"));
        for setting in settings.unwrap_or_default() {
            if self.is_keyword(setting, &sshd)
                && let Some(values) = self.sshd_values(&setting.value)
            {
                sshd.settings.insert(setting.key.text.clone(), values);
            }
        }
        self.config.sshd = Some(self.reader.located(entry.key.place, sshd));
    }

    fn is_keyword(&mut self, setting: &Entry, known: &SshdConfig) -> bool {
        let (keyword, place) = (setting.key.text.as_str(), setting.key.place);
        if keyword.is_empty() || !keyword.bytes().all(|b| b.is_ascii_alphanumeric()) {
            self.reader
                .error(
                    place,
                    format!("`{keyword}` is not a keyword of sshd_config"),
                )
                .fix = Some("keywords are words such as `PasswordAuthentication`".to_owned());
            return false;
        }
        let refused = NOT_SETTINGS
            .iter()
            .find(|(word, ..)| keyword.eq_ignore_ascii_case(word));
        if let Some((_, cause, fix)) = refused {
            let error = self
                .reader
                .error(place, format!("`{keyword}` is not a setting"));
            error.cause = Some((*cause).to_owned());
            error.fix = Some((*fix).to_owned());
            return false;
        }
        // sshd does not tell cases apart, and takes the first line of two.
        let twice = known
            .settings
            .keys()
            .find(|other| other.eq_ignore_ascii_case(keyword));
        if let Some(other) = twice {
            self.reader
                .error(
                    place,
                    format!("`{keyword}` is the same keyword as `{other}`"),
                )
                .fix = Some("keep one of the two".to_owned());
            return false;
        }
        true
    }

    /// One value, or one for each line. `true` is `yes`.
    fn sshd_values(&mut self, node: &Node) -> Option<Vec<String>> {
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut values = Vec::new();
        for item in items {
            let value = match &item.value {
                Value::Scalar(scalar) => match scalar.kind() {
                    ScalarKind::Boolean(true) => "yes",
                    ScalarKind::Boolean(false) => "no",
                    _ => self.reader.line(item)?.trim(),
                },
                _ => self.reader.line(item)?.trim(),
            };
            values.push(value.to_owned());
        }
        Some(values)
    }

    pub(super) fn firewall(&mut self, entry: &Entry) {
        let Some(fields) = self.reader.fields(&entry.value, "`firewall`", FIREWALL) else {
            return;
        };
        let source = self.required_source(fields, entry.key.place, "`firewall`");
        let drift = fields.get("drift").and_then(|node| self.enforcement(node));
        if let Some(source) = source {
            let firewall = FirewallConfig { source, drift };
            self.config.firewall = Some(self.reader.located(entry.key.place, firewall));
        }
    }

    pub(super) fn containers(&mut self, node: &Node) {
        for entry in self
            .reader
            .entries(node, "quadlets by file name")
            .unwrap_or_default()
        {
            let name = self.quadlet_name(entry);
            if let Some(quadlet) = self.quadlet(entry)
                && let Some(name) = name
            {
                let quadlet = self.reader.located(entry.key.place, quadlet);
                self.config.containers.insert(name, quadlet);
            }
        }
    }

    fn quadlet_name(&mut self, entry: &Entry) -> Option<QuadletName> {
        let name = entry.key.text.as_str();
        if name.contains('.') {
            return self.reader.key_name(&entry.key);
        }
        self.reader
            .error(entry.key.place, format!("`{name}` does not say what it is"))
            .fix = Some(format!("write `{name}.container`"));
        None
    }

    fn quadlet(&mut self, entry: &Entry) -> Option<QuadletConfig> {
        let fields = self.reader.fields(&entry.value, "a quadlet", QUADLET)?;
        let source = self.required_source(fields, entry.key.place, "a quadlet");
        let start = fields
            .get("start")
            .and_then(|node| self.reader.boolean(node));
        let on_conflict = self.on_conflict(fields);
        let drift = fields.get("drift").and_then(|node| self.enforcement(node));
        Some(QuadletConfig {
            source: source?,
            start,
            on_conflict,
            drift,
        })
    }
}
