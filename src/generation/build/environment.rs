//! Language, keyboard, kernel modules, names of other machines, name servers.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::builder::Builder;
use super::paths::root_file;
use crate::config::{KeymapConfig, LocaleConfig, Origin, ResolvConfig};
use crate::host::PackageName;

const WRITTEN: &str = "# Written by steadfast from";

impl Builder<'_> {
    pub(super) fn environment(&mut self) {
        let config = self.config;
        if let Some(locale) = &config.locale {
            self.locale(&locale.value, &locale.origin);
        }
        if let Some(keymap) = &config.keymap {
            self.keymap(&keymap.value, &keymap.origin);
        }
        self.kernel_modules();
        self.hosts();
        if let Some(resolv) = &config.resolv {
            self.origin("resolv".to_owned(), &resolv.origin);
            self.text(
                "/etc/resolv.conf",
                &resolv_conf(&resolv.value),
                &resolv.origin,
            );
        }
    }

    /// Login shells read `/etc/default/locale`, systemd reads `/etc/locale.conf`; where one is a link to the other,
    /// both become files.
    fn locale(&mut self, locale: &LocaleConfig, origin: &Origin) {
        self.origin("locale".to_owned(), origin);
        let mut settings = vec![format!("LANG={}", locale.lang)];
        settings.extend(
            locale
                .settings
                .iter()
                .map(|(key, value)| format!("{key}={value}")),
        );
        let text = written("locale", &settings);
        self.text("/etc/default/locale", &text, origin);
        self.text("/etc/locale.conf", &text, origin);
        let generated = locale.generated();
        if generated.is_empty() {
            return;
        }
        let lines: Vec<String> = generated
            .iter()
            .map(|locale| format!("{locale} UTF-8"))
            .collect();
        self.text("/etc/locale.gen", &written("locale", &lines), origin);
        self.manifest.locales = generated;
        self.needs_package("locales", origin);
    }

    fn keymap(&mut self, keymap: &KeymapConfig, origin: &Origin) {
        self.origin("keymap".to_owned(), origin);
        let model = keymap.model.as_deref().unwrap_or("pc105");
        let variant = keymap.variant.as_deref().unwrap_or_default();
        let xkb = [
            format!("XKBMODEL=\"{model}\""),
            format!("XKBLAYOUT=\"{}\"", keymap.layout),
            format!("XKBVARIANT=\"{variant}\""),
            format!("XKBOPTIONS=\"{}\"", keymap.options.join(",")),
        ];
        let mut keyboard = xkb.to_vec();
        keyboard.push("BACKSPACE=\"guess\"".to_owned());
        self.text(
            "/etc/default/keyboard",
            &written("keymap", &keyboard),
            origin,
        );
        let first = keymap.layout.split(',').next().unwrap_or_default();
        let console = keymap.console.as_deref().unwrap_or(first);
        let mut vconsole = vec![format!("KEYMAP={console}")];
        vconsole.extend(xkb);
        self.text("/etc/vconsole.conf", &written("keymap", &vconsole), origin);
    }

    /// What is loaded at boot; what is loaded now is the plan's.
    fn kernel_modules(&mut self) {
        let config = self.config;
        let Some(first) = config.kernel_modules.values().next() else {
            return;
        };
        let mut lines = Vec::new();
        for (module, located) in &config.kernel_modules {
            self.origin(format!("kernel module {module}"), &located.origin);
            self.manifest.kernel_modules.insert(module.clone());
            lines.push(module.to_string());
        }
        let text = written("kernel_modules", &lines);
        self.text(
            "/etc/modules-load.d/60-steadfast.conf",
            &text,
            &first.origin,
        );
    }

    fn hosts(&mut self) {
        let config = self.config;
        let Some(first) = config.hosts.values().next() else {
            return;
        };
        for (address, located) in &config.hosts {
            self.origin(format!("hosts {address}"), &located.origin);
        }
        let declared: Vec<(IpAddr, &[String])> = config
            .hosts
            .iter()
            .map(|(address, names)| (*address, names.value.as_slice()))
            .collect();
        let hostname = config.hostname.as_ref().map(|name| name.value.as_str());
        let text = written("hosts", &hosts_lines(&declared, hostname));
        self.text("/etc/hosts", &text, &first.origin);
    }

    /// A file of root's that most hosts have already; the original comes back with the end of the entry.
    pub(super) fn text(&mut self, path: &str, text: &str, origin: &Origin) {
        let content = self.object(text.as_bytes().to_vec());
        self.settled(path, root_file(content), origin);
    }

    /// A package that something else cannot do without.
    pub(super) fn needs_package(&mut self, name: &str, origin: &Origin) {
        let name =
            PackageName::new(name).expect("a name written in the program is one of a package");
        if self.manifest.packages.insert(name.clone()) {
            self.origin(format!("package {name}"), origin);
        }
    }
}

fn written(key: &str, lines: &[String]) -> String {
    format!(
        "{WRITTEN} `{key}:` of the host file.\n{}\n",
        lines.join("\n")
    )
}

/// The lines that every host has, then those that are declared, by address.
fn hosts_lines(declared: &[(IpAddr, &[String])], hostname: Option<&str>) -> Vec<String> {
    let mut names: BTreeMap<IpAddr, Vec<&str>> = BTreeMap::new();
    let own = IpAddr::from([127, 0, 1, 1]);
    let usual = [
        (IpAddr::V4(Ipv4Addr::LOCALHOST), vec!["localhost"]),
        (
            IpAddr::V6(Ipv6Addr::LOCALHOST),
            vec!["localhost", "ip6-localhost", "ip6-loopback"],
        ),
        (
            IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, 1]),
            vec!["ip6-allnodes"],
        ),
        (
            IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, 2]),
            vec!["ip6-allrouters"],
        ),
    ];
    names.extend(usual);
    let is_declared = |name: &str| {
        declared
            .iter()
            .any(|(_, names)| names.iter().any(|n| n == name))
    };
    // Programs look up their own name before there is a network; a declared address is better than a made-up one.
    if let Some(hostname) = hostname.filter(|name| !is_declared(name)) {
        let short = hostname.split('.').next().unwrap_or(hostname);
        let mut both = vec![hostname];
        both.extend((short != hostname).then_some(short));
        names.insert(own, both);
    }
    for (address, declared) in declared {
        let line = names.entry(*address).or_default();
        for name in *declared {
            if !line.contains(&name.as_str()) {
                line.push(name);
            }
        }
    }
    names
        .into_iter()
        .map(|(address, names)| format!("{address} {}", names.join(" ")))
        .collect()
}

fn resolv_conf(resolv: &ResolvConfig) -> String {
    let mut lines = Vec::new();
    if !resolv.search.is_empty() {
        lines.push(format!("search {}", resolv.search.join(" ")));
    }
    if !resolv.options.is_empty() {
        lines.push(format!("options {}", resolv.options.join(" ")));
    }
    lines.extend(
        resolv
            .nameservers
            .iter()
            .map(|server| format!("nameserver {server}")),
    );
    written("resolv", &lines)
}
