//! What Steadfast added to a host that is no path: packages, holds, memberships of groups, enablement.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{PRIVATE_FILE, Store, StoreError, disk, record};
use crate::host::{GroupName, HostPath, PackageName, UnitId, UserName, durable};

/// What was not on the host before and is there because a generation asked for it. Only this is ever taken away again.
///
/// Written before it is added, so that a kill in between loses nothing; what is named here and is not there harms
/// nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Additions {
    /// Packages that were asked for.
    pub packages: BTreeSet<PackageName>,
    /// Packages that came with those.
    pub brought: BTreeSet<PackageName>,
    /// Packages that are held at their version.
    pub holds: BTreeSet<PackageName>,
    /// Groups that accounts were put into.
    pub members: BTreeMap<UserName, BTreeSet<GroupName>>,
    /// Paths whose originals came with packages of ours, and go with them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unpacked: BTreeSet<HostPath>,
    /// Units of the distribution that were enabled or disabled, and whether they were enabled before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub was_enabled: BTreeMap<UnitId, bool>,
}

impl Additions {
    /// Forgets packages that somebody removed: should they come back some day, it is not because of us.
    pub fn forget(&mut self, gone: &BTreeSet<PackageName>) {
        for known in [&mut self.packages, &mut self.brought, &mut self.holds] {
            known.retain(|name| !gone.contains(name));
        }
    }
}

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct StoredAdditions {
    version: u32,
    #[serde(flatten)]
    additions: Additions,
}

impl record::Format for StoredAdditions {
    fn version(&self) -> u32 {
        self.version
    }
}

impl Store {
    /// What Steadfast added to the host that is no path.
    pub fn additions(&self) -> Result<Additions, StoreError> {
        let path = self.root().join("additions.json");
        let Some(content) = disk::read(&path)? else {
            return Ok(Additions::default());
        };
        let stored: StoredAdditions =
            record::parse("read the additions", &path, &content, VERSION)?;
        Ok(stored.additions)
    }

    /// Replaces the record of additions; durable when this returns.
    pub fn set_additions(&self, additions: &Additions) -> Result<(), StoreError> {
        let path = self.root().join("additions.json");
        let stored = StoredAdditions {
            version: VERSION,
            additions: additions.clone(),
        };
        let text = serde_json::to_vec_pretty(&stored)
            .map_err(|error| StoreError::io("record the additions", &path, error.into()))?;
        disk::make_directory(self.root())?;
        durable::replace(&path, &text, PRIVATE_FILE)
            .map_err(|source| StoreError::file("record the additions", &path, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_somebody_removed_is_no_longer_ours() {
        let name = |text: &str| PackageName::new(text).unwrap();
        let mut additions = Additions {
            packages: [name("jq"), name("hello")].into(),
            brought: [name("libjq1")].into(),
            holds: [name("jq")].into(),
            ..Additions::default()
        };
        additions.forget(&[name("jq"), name("libjq1")].into());
        let left = Additions {
            packages: [name("hello")].into(),
            ..Additions::default()
        };
        assert_eq!(additions, left);
    }
}
