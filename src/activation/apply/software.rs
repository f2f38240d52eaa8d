//! Steps about packages. What is added is written down before it is there.

use std::collections::{BTreeMap, BTreeSet};

use super::super::failure::HostFailure;
use super::super::journal::{Durability, Entry, Journal};
use super::super::progress::Way;
use super::{Hands, Step, Unpacked, remember};
use crate::generation::{Additions, StoreError};
use crate::host::{Arriving, Hold, HostPath, PackageName, PathState};

impl Hands<'_> {
    pub(super) fn software(
        &mut self,
        step: &Step,
        journal: &mut Journal,
    ) -> Result<(), HostFailure> {
        let result = match step {
            Step::UpdatePackageLists { sources } => {
                Ok(self.bench.host.update_package_lists(sources)?)
            }
            Step::InstallPackages { packages, .. } => return self.install(packages, journal),
            Step::HoldPackages { packages } => return self.hold(packages),
            Step::ReleasePackages { packages } => self.release(packages),
            Step::RemovePackages { packages } => return self.remove_packages(step, packages),
            _ => Ok(()),
        };
        match result {
            // The rest of the host counts more than the package lists.
            Err(error) if self.bench.way == Way::Back => {
                left_undone(step, &error);
                Ok(())
            }
            result => result,
        }
    }

    fn install(
        &mut self,
        packages: &BTreeSet<PackageName>,
        journal: &mut Journal,
    ) -> Result<(), HostFailure> {
        self.unpacked = Unpacked::Yes;
        self.accounts = None;
        let mut write_down = |arriving: &BTreeMap<PackageName, Arriving>| {
            let result = self.change_additions(|additions| added(additions, packages, arriving));
            result.map_err(Into::into)
        };
        let came = self
            .bench
            .host
            .install_packages(packages, &mut write_down)?;
        let installed = Entry::Installed {
            packages: came.clone(),
        };
        remember(journal, &installed, Durability::Written);
        self.came.extend(came);
        self.judge_again()
    }

    fn hold(&mut self, packages: &BTreeSet<PackageName>) -> Result<(), HostFailure> {
        self.change_additions(|additions| additions.holds.extend(packages.iter().cloned()))?;
        Ok(self.bench.host.hold_packages(packages, Hold::Set)?)
    }

    fn release(&mut self, packages: &BTreeSet<PackageName>) -> Result<(), HostFailure> {
        self.bench.host.hold_packages(packages, Hold::Release)?;
        Ok(self.change_additions(|additions| {
            additions.holds.retain(|name| !packages.contains(name));
        })?)
    }

    /// A maintainer script may refuse: what stays is tried again with the next activation.
    fn remove_packages(
        &mut self,
        step: &Step,
        packages: &BTreeSet<PackageName>,
    ) -> Result<(), HostFailure> {
        let before_them = self.restored_besides(packages)?;
        if let Err(error) = self.purge(packages) {
            left_undone(step, &error);
        }
        // What was there before the packages came: a maintainer script may take it for its own, as that of locales
        // does with /etc/default/locale.
        for path in before_them {
            if self.bench.host.look(&path)? == PathState::Absent {
                self.restore(&path)?;
            }
        }
        Ok(())
    }

    fn purge(&mut self, packages: &BTreeSet<PackageName>) -> Result<(), HostFailure> {
        self.accounts = None;
        let gone = self.bench.host.remove_packages(packages)?;
        Ok(self.change_additions(|additions| {
            let stays = |name: &PackageName| !gone.contains(name);
            additions.packages.retain(stays);
            additions.brought.retain(stays);
            additions.holds.retain(stays);
        })?)
    }

    /// The originals that this plan brings back, without those that `packages` brought themselves.
    fn restored_besides(
        &self,
        packages: &BTreeSet<PackageName>,
    ) -> Result<Vec<HostPath>, HostFailure> {
        let bench = self.bench;
        let restored = bench.plan.steps.iter().filter_map(|step| match step {
            Step::RestoreOriginal { path, .. } => Some(path.clone()),
            _ => None,
        });
        let mut restored: Vec<HostPath> = restored.collect();
        if !restored.is_empty() {
            let theirs = bench.host.files_of_packages(packages)?;
            let unpacked = bench.store.additions()?.unpacked;
            restored.retain(|path| !theirs.contains(path.as_str()) && !unpacked.contains(path));
        }
        Ok(restored)
    }

    /// Changes the record of what we added; on disk when this returns.
    pub(super) fn change_additions(
        &self,
        change: impl FnOnce(&mut Additions),
    ) -> Result<(), StoreError> {
        let store = self.bench.store;
        let before = store.additions()?;
        let mut additions = before.clone();
        change(&mut additions);
        if additions == before {
            return Ok(());
        }
        store.set_additions(&additions)
    }
}

fn left_undone(step: &Step, error: &HostFailure) {
    let reason = error.in_one_line();
    tracing::warn!(step = step.subject(), reason, "left undone");
}

/// What is new is ours: what was asked for, and what comes with it.
fn added(
    additions: &mut Additions,
    packages: &BTreeSet<PackageName>,
    arriving: &BTreeMap<PackageName, Arriving>,
) {
    for (name, _) in arriving.iter().filter(|(_, one)| one.replaces.is_none()) {
        if packages.contains(name) {
            additions.packages.insert(name.clone());
            additions.brought.remove(name);
        } else if !additions.packages.contains(name) {
            additions.brought.insert(name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_not_there_becomes_ours() {
        let name = |text: &str| PackageName::new(text).unwrap();
        let one = |replaces: Option<&str>| Arriving {
            version: "2".to_owned(),
            replaces: replaces.map(str::to_owned),
        };
        let mut additions = Additions::default();
        additions.brought.insert(name("libb"));
        let arriving = [
            (name("app"), one(None)),
            (name("liba"), one(None)),
            (name("libb"), one(None)),
            (name("libc6"), one(Some("1"))),
        ];
        added(
            &mut additions,
            &[name("app"), name("libb")].into(),
            &arriving.into(),
        );
        assert_eq!(additions.packages, [name("app"), name("libb")].into());
        assert_eq!(additions.brought, [name("liba")].into());
    }
}
