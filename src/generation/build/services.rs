//! The SSH server and the firewall.

use std::fmt::Write as _;

use super::bring::{known_unit, reloads};
use super::builder::Builder;
use super::paths::root_file;
use crate::config::{ConfigError, FirewallConfig, OnConflict, SshdConfig};
use crate::generation::PathEntry;

/// sshd takes the first of several lines, and drop-ins are read in the order of their names: before
/// `50-cloud-init.conf`, which images bring.
const SSHD_DROP_IN: &str = "/etc/ssh/sshd_config.d/00-steadfast.conf";

const RULESET: &str = "/etc/nftables.conf";

impl Builder<'_> {
    pub(super) fn sshd(&mut self) {
        let config = self.config;
        let Some(sshd) = &config.sshd else {
            return;
        };
        self.origin("sshd".to_owned(), &sshd.origin);
        self.bring_package("openssh-server", "`sshd`", &sshd.origin);
        if sshd.value.settings.is_empty() {
            return;
        }
        let content = self.object(sshd_text(&sshd.value).into_bytes());
        let entry = PathEntry {
            kind: root_file(content),
            on_conflict: OnConflict::Backup,
            drift: config.drift,
            units: reloads("ssh.service"),
        };
        self.bring_file(SSHD_DROP_IN, entry, &sshd.origin);
    }

    pub(super) fn firewall(&mut self) {
        let config = self.config;
        let Some(firewall) = &config.firewall else {
            return;
        };
        let origin = &firewall.origin;
        self.origin("firewall".to_owned(), origin);
        self.bring_package("nftables", "`firewall`", origin);
        let Some(content) = self.content(&firewall.value.source, origin) else {
            return;
        };
        let Ok(text) = String::from_utf8(content) else {
            self.push(ConfigError::new("a ruleset must be UTF-8 text").at(origin));
            return;
        };
        let content = self.object(whole_ruleset(text).into_bytes());
        let FirewallConfig { drift, .. } = firewall.value;
        let entry = PathEntry {
            kind: root_file(content),
            on_conflict: OnConflict::Backup,
            drift: self.drift(drift),
            units: reloads("nftables.service"),
        };
        self.bring_file(RULESET, entry, origin);
        let unit = self.running(drift);
        self.bring_unit(known_unit("nftables.service"), unit, origin);
        self.bring_link(
            "sysinit.target.wants/nftables.service",
            "/usr/lib/systemd/system/nftables.service",
            origin,
        );
    }
}

fn sshd_text(sshd: &SshdConfig) -> String {
    let mut text = "# Written by steadfast from `sshd:`.\n".to_owned();
    for (keyword, values) in &sshd.settings {
        for value in values {
            let _ = writeln!(text, "{keyword} {value}");
        }
    }
    text
}

/// A ruleset that replaces what is in force, not one that is added to it.
fn whole_ruleset(text: String) -> String {
    let flushes = text
        .lines()
        .any(|line| line.split_whitespace().eq(["flush", "ruleset"]));
    if flushes {
        return text;
    }
    format!(
        "#!/usr/sbin/nft -f\n# `firewall:` of steadfast is the whole ruleset.\nflush ruleset\n\n{text}"
    )
}
