//! A machine to which generations go that are built from what people write.

use std::fmt::Write as _;

use super::world::*;
use crate::activation::Plan;
use crate::config::{HostName, resolve};
use crate::generation::{Manifest, UnitFile, build};
use crate::host::ActiveState;
use crate::source::{RepoPath, Snapshot};

/// The machine.
pub(super) struct Yard(pub(super) World);

impl Yard {
    pub(super) fn new() -> Self {
        Self(World::fresh())
    }

    /// With these units, which run.
    pub(super) fn with(units: &[(&str, &str)]) -> Self {
        let mut yard = Self::new();
        yard.go(units);
        for (name, _) in units {
            if !name.contains("@.") && !name.contains(' ') {
                yard.0.run(name, ActiveState::Active);
            }
        }
        yard
    }

    pub(super) fn build(&mut self, units: &[(&str, &str)]) -> Manifest {
        let mut yaml = "units:\n".to_owned();
        for (name, said) in units {
            let name = name.split(' ').next().unwrap();
            writeln!(yaml, "  {name}: {said}").unwrap();
        }
        if units.is_empty() {
            yaml = "description: nothing\n".to_owned();
        }
        let files = [(
            RepoPath::new("hosts/web/host.yml").unwrap(),
            yaml.into_bytes(),
        )];
        let snapshot = Snapshot::in_memory(files.into());
        let config = resolve(&snapshot, &HostName::new("web").unwrap()).unwrap();
        let built = build(&config, &snapshot).unwrap();
        for (digest, content) in built.objects {
            let mut file = UnitFile::default();
            file.merge(str::from_utf8(&content).unwrap()).unwrap();
            self.0.observed.unit_files.insert(digest, file);
        }
        built.manifest
    }

    pub(super) fn go(&mut self, units: &[(&str, &str)]) -> Plan {
        let desired = self.build(units);
        self.0.go(&desired)
    }

    /// What is asked of units when the machine goes there: `stop app.service`, without the reasons.
    pub(super) fn asks(&mut self, units: &[(&str, &str)]) -> String {
        asked(&self.go(units))
    }
}

pub(super) fn asked(plan: &Plan) -> String {
    let moved = plan.steps.iter().filter(|step| step.unit().is_some());
    let mut said: Vec<String> = moved
        .map(|step| step.describe().split(" (").next().unwrap().to_owned())
        .collect();
    let notices = plan.notices.iter();
    said.extend(notices.map(|notice| format!("({}: {})", notice.subject, notice.text)));
    said.join(", ")
}

/// `{ text: …, MORE }`, in the notation of the files; `;` ends a line.
pub(super) fn text(lines: &str, more: &str) -> String {
    let lines = lines.replace(';', "\\n");
    format!("{{ text: \"{lines}\\n\"{more} }}")
}
