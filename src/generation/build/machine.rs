//! Host name, time zone, kernel parameters.

use super::builder::{Builder, fixed};
use super::paths::root_file;
use crate::config::{OnConflict, Origin};
use crate::generation::{PathEntry, PathKind};
use crate::secrets::UnitTriggers;

impl Builder<'_> {
    pub(super) fn machine(&mut self) {
        let config = self.config;
        if let Some(hostname) = &config.hostname {
            self.origin("hostname".to_owned(), &hostname.origin);
            self.manifest.hostname = Some(hostname.value.clone());
            let content = self.object(format!("{}\n", hostname.value).into_bytes());
            self.settled("/etc/hostname", root_file(content), &hostname.origin);
        }
        if let Some(timezone) = &config.timezone {
            self.origin("timezone".to_owned(), &timezone.origin);
            let content = self.object(format!("{}\n", timezone.value).into_bytes());
            self.settled("/etc/timezone", root_file(content), &timezone.origin);
            let target = format!("/usr/share/zoneinfo/{}", timezone.value);
            let link = PathKind::Symlink { target };
            self.settled("/etc/localtime", link, &timezone.origin);
        }
        self.sysctls();
    }

    /// The running values, and a file that sets them at boot.
    fn sysctls(&mut self) {
        let config = self.config;
        let Some(first) = config.sysctls.values().next() else {
            return;
        };
        let mut lines = vec!["# Written by steadfast from `sysctls:` of the host file.".to_owned()];
        for (key, value) in &config.sysctls {
            self.origin(format!("sysctl {key}"), &value.origin);
            self.manifest
                .sysctls
                .insert(key.clone(), value.value.clone());
            lines.push(format!("{key} = {}", value.value));
        }
        let content = self.object((lines.join("\n") + "\n").into_bytes());
        let path = "/etc/sysctl.d/60-steadfast.conf";
        self.settled(path, root_file(content), &first.origin);
    }

    /// A file that every host has already: what was there is kept, and comes back when the entry goes.
    pub(super) fn settled(&mut self, path: &str, kind: PathKind, origin: &Origin) {
        let entry = PathEntry {
            kind,
            on_conflict: OnConflict::Backup,
            drift: self.config.drift,
            units: UnitTriggers::default(),
        };
        self.place(fixed(path), entry, origin);
    }
}
