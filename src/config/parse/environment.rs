//! `locale`, `keymap`, `kernel_modules`, `hosts`, `resolv`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::HostParser;
use crate::config::host::HostName;
use crate::config::reader::Fields;
use crate::config::system::{KeymapConfig, LocaleConfig, ResolvConfig};
use crate::config::vocabulary::{KEYMAP, LOCALE, RESOLV};
use crate::config::yaml::{Entry, Node, Place, Value};
use crate::host::{KernelModule, LocaleName};

/// What `settings` of a locale may set. `LC_ALL` would put everything else out of force.
const LOCALE_SETTINGS: [&str; 13] = [
    "LANGUAGE",
    "LC_ADDRESS",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_IDENTIFICATION",
    "LC_MEASUREMENT",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NAME",
    "LC_NUMERIC",
    "LC_PAPER",
    "LC_TELEPHONE",
    "LC_TIME",
];

/// The C library reads no more of them.
const MAX_NAMESERVERS: usize = 3;

impl HostParser<'_> {
    pub(super) fn environment(&mut self, fields: Fields<'_>) {
        if let Some(entry) = fields.entry("locale") {
            self.only_on_debian(
                "locale",
                "where locales are generated differs",
                entry.key.place,
            );
            if let Some(locale) = self.locale(&entry.value) {
                self.config.locale = Some(self.reader.located(entry.key.place, locale));
            }
        }
        if let Some(entry) = fields.entry("keymap") {
            self.only_on_debian(
                "keymap",
                "its keyboard settings are elsewhere",
                entry.key.place,
            );
            if let Some(keymap) = self.keymap(&entry.value) {
                self.config.keymap = Some(self.reader.located(entry.key.place, keymap));
            }
        }
        if let Some(node) = fields.get("kernel_modules") {
            let names = self.reader.names::<KernelModule>(node, "kernel modules");
            for name in names.unwrap_or_default() {
                let nothing = crate::config::Located {
                    value: (),
                    origin: name.origin,
                };
                self.config.kernel_modules.insert(name.value, nothing);
            }
        }
        if let Some(node) = fields.get("hosts") {
            self.hosts(node);
        }
        if let Some(entry) = fields.entry("resolv")
            && let Some(resolv) = self.resolv(entry)
        {
            self.config.resolv = Some(self.reader.located(entry.key.place, resolv));
        }
    }

    /// Records that this platform has no `key`, and why; where the platform is not said, it is taken to be Debian.
    pub(super) fn only_on_debian(&mut self, key: &str, reason: &str, place: Place) {
        let platform = self.config.platform.as_ref();
        let Some(os) = platform.and_then(|platform| platform.other_than_debian()) else {
            return;
        };
        let message = format!("`{key}` works on Debian and its family, and this host is `{os}`");
        let error = self.reader.error(place, message);
        error.cause = Some(format!("on `{os}` {reason}"));
        error.fix = Some(
            "say it with `files:`, or keep it to hosts with `when: host.platform.os == \"debian\"`"
                .to_owned(),
        );
    }

    /// A map with `lang`, or the language alone.
    fn locale(&mut self, node: &Node) -> Option<LocaleConfig> {
        let Value::Map(_) = &node.value else {
            return Some(LocaleConfig {
                lang: self.reader.name(node)?,
                generate: BTreeSet::new(),
                settings: BTreeMap::new(),
            });
        };
        let fields = self.reader.fields(node, "`locale`", LOCALE)?;
        let lang = self
            .reader
            .required(fields, "lang", (node.place, "`locale`"))
            .and_then(|node| self.reader.name(node));
        let generate = fields
            .get("generate")
            .and_then(|node| self.reader.names::<LocaleName>(node, "locales"))
            .unwrap_or_default();
        let settings = fields
            .get("settings")
            .map(|node| self.locale_settings(node))
            .unwrap_or_default();
        Some(LocaleConfig {
            lang: lang?,
            generate: generate.into_iter().map(|locale| locale.value).collect(),
            settings,
        })
    }

    fn locale_settings(&mut self, node: &Node) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::new();
        let entries = self.reader.entries(node, "settings by name");
        for entry in entries.unwrap_or_default() {
            let key = entry.key.text.as_str();
            self.reader
                .known_key(&entry.key, "the settings of a locale", &LOCALE_SETTINGS);
            let value = if key == "LANGUAGE" {
                self.word(&entry.value, "languages such as `de:en`", b":_@.")
            } else {
                let locale = self.reader.name::<LocaleName>(&entry.value);
                locale.map(|locale| locale.to_string())
            };
            if let Some(value) = value {
                settings.insert(key.to_owned(), value);
            }
        }
        settings
    }

    /// A map with `layout`, or the layout alone.
    fn keymap(&mut self, node: &Node) -> Option<KeymapConfig> {
        let Value::Map(_) = &node.value else {
            return Some(KeymapConfig {
                layout: self.layout(node)?,
                variant: None,
                model: None,
                options: Vec::new(),
                console: None,
            });
        };
        let fields = self.reader.fields(node, "`keymap`", KEYMAP)?;
        let layout = self
            .reader
            .required(fields, "layout", (node.place, "`keymap`"))
            .and_then(|node| self.layout(node));
        let mut optional = |key: &str, what: &str, further: &[u8]| {
            let node = fields.get(key)?;
            self.word(node, what, further)
        };
        let variant = optional("variant", "a variant such as `intl`", b"_-,");
        let model = optional("model", "a model such as `pc105`", b"_-");
        let console = optional("console", "a key map such as `us-acentos`", b"_-.");
        Some(KeymapConfig {
            layout: layout?,
            variant,
            model,
            options: self.words(fields, "options", "options such as `ctrl:nocaps`", b"_-:()"),
            console,
        })
    }

    fn layout(&mut self, node: &Node) -> Option<String> {
        self.word(node, "a layout such as `us`", b"_-,()")
    }

    fn hosts(&mut self, node: &Node) {
        let entries = self.reader.entries(node, "names by address");
        for entry in entries.unwrap_or_default() {
            let address = entry.key.text.parse::<IpAddr>();
            if address.is_err() {
                let message = format!("`{}` is not an address", entry.key.text);
                self.reader.error(entry.key.place, message).fix =
                    Some("write the address first: `10.0.0.2: [nas, nas.lan]`".to_owned());
            }
            let names = self.host_names(&entry.value);
            let Ok(address) = address else {
                continue;
            };
            let located = self.reader.located(entry.key.place, names);
            let origin = located.origin.clone();
            if let Some(first) = self.config.hosts.insert(address, located) {
                let error = crate::config::ConfigError::new(format!(
                    "`{address}` is there twice, spelled differently"
                ))
                .at(&origin)
                .related(&first.origin, "it was here first");
                self.reader.push(error);
            }
        }
    }

    /// One name, or several.
    fn host_names(&mut self, node: &Node) -> Vec<String> {
        if let Value::Scalar(_) = &node.value {
            return self.domain(node).into_iter().collect();
        }
        let Some(items) = self.reader.list(node, "names") else {
            return Vec::new();
        };
        if items.is_empty() {
            self.reader
                .error(node.place, "an address needs at least one name");
        }
        items.iter().filter_map(|item| self.domain(item)).collect()
    }

    /// The name of a host or of a domain; upper case is taken, as resolvers take it.
    fn domain(&mut self, node: &Node) -> Option<String> {
        let text = self.reader.line(node)?;
        match HostName::new(text.to_lowercase()) {
            Ok(_) => Some(text.to_owned()),
            Err(invalid) => {
                let message = format!("`{text}` is not the name of a host: {}", invalid.rule);
                self.reader.error(node.place, message);
                None
            }
        }
    }

    fn resolv(&mut self, entry: &Entry) -> Option<ResolvConfig> {
        let fields = self.reader.fields(&entry.value, "`resolv`", RESOLV)?;
        let resolv = ResolvConfig {
            nameservers: self.nameservers(fields),
            search: fields
                .get("search")
                .map(|node| {
                    let items = self.reader.list(node, "domains").unwrap_or_default();
                    items.iter().filter_map(|item| self.domain(item)).collect()
                })
                .unwrap_or_default(),
            options: self.words(fields, "options", "options such as `edns0`", b"_-:"),
        };
        if fields.get("nameservers").is_none() {
            self.reader
                .error(entry.key.place, "`resolv` needs `nameservers`")
                .fix = Some("write `nameservers: [10.0.0.1]`".to_owned());
        }
        Some(resolv)
    }

    fn nameservers(&mut self, fields: Fields<'_>) -> Vec<IpAddr> {
        let Some(node) = fields.get("nameservers") else {
            return Vec::new();
        };
        let items = self.reader.list(node, "addresses").unwrap_or_default();
        let mut servers = Vec::new();
        for item in items {
            match self.reader.text(item).map(str::parse::<IpAddr>) {
                Some(Ok(address)) => servers.push(address),
                Some(Err(_)) => {
                    self.reader
                        .wrong_type(item, "the address of a name server, such as `10.0.0.1`,");
                }
                None => {}
            }
        }
        if items.is_empty() || items.len() > MAX_NAMESERVERS {
            self.reader.error(
                node.place,
                format!("there are from 1 to {MAX_NAMESERVERS} name servers; the C library reads no more"),
            );
        }
        servers
    }

    /// A list of [`Self::word`]s.
    pub(super) fn words(
        &mut self,
        fields: Fields<'_>,
        key: &str,
        what: &str,
        further: &[u8],
    ) -> Vec<String> {
        let Some(node) = fields.get(key) else {
            return Vec::new();
        };
        let items = self.reader.list(node, what).unwrap_or_default();
        items
            .iter()
            .filter_map(|item| self.word(item, what, further))
            .collect()
    }

    /// Letters, digits and a few other characters: what needs no quotes in any file.
    pub(super) fn word(&mut self, node: &Node, what: &str, further: &[u8]) -> Option<String> {
        let text = self.reader.line(node)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || further.contains(&b);
        if text.bytes().all(plain) {
            return Some(text.to_owned());
        }
        self.reader.wrong_type(node, what);
        None
    }
}
