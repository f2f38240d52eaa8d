//! Units that nobody names, but that a change of a named one is about: instances, and what stops along.

use std::collections::{BTreeMap, BTreeSet};

use super::front::Backend;
use super::{UnitError, Units};
use crate::host::{UnitId, UnitName, UserName};

impl Units {
    /// The instances of `templates` that run; none below a root.
    ///
    /// # Errors
    /// [`UnitError::Call`].
    pub async fn instances(
        &self,
        templates: &BTreeSet<UnitId>,
    ) -> Result<BTreeSet<UnitId>, UnitError> {
        let mut patterns: BTreeMap<Option<&UserName>, Vec<String>> = BTreeMap::new();
        for template in templates.iter().filter(|unit| unit.is_template()) {
            let of_account = patterns.entry(template.account.as_ref()).or_default();
            of_account.push(pattern(&template.name));
        }
        let mut found = BTreeSet::new();
        for (account, patterns) in patterns {
            let running = match (account, &self.backend) {
                (_, Backend::Links(_)) => BTreeSet::new(),
                (None, Backend::Bus(bus)) => bus.running(patterns).await?,
                (Some(account), Backend::Bus(_)) => match self.of_account(account)? {
                    Some(of_account) => of_account.running(&patterns).await,
                    None => BTreeSet::new(),
                },
            };
            found.extend(running.into_iter().map(|name| UnitId::of(account, name)));
        }
        Ok(found)
    }

    /// What systemd stops together with each of `units`: what requires it, is bound to it or is part of it, and what
    /// stops with those. Nothing is said about one with which nothing stops; below a root, about none.
    ///
    /// # Errors
    /// [`UnitError::Call`].
    pub async fn dependents(
        &self,
        units: &BTreeSet<UnitId>,
    ) -> Result<BTreeMap<UnitId, BTreeSet<UnitId>>, UnitError> {
        let mut known: BTreeMap<UnitId, BTreeSet<UnitId>> = BTreeMap::new();
        let mut found = BTreeMap::new();
        for unit in units.iter().filter(|unit| !unit.is_template()) {
            let (mut all, mut left) = (BTreeSet::new(), vec![unit.clone()]);
            while let Some(next) = left.pop() {
                if !known.contains_key(&next) {
                    let near = self.dependents_of(&next).await?;
                    known.insert(next.clone(), near);
                }
                for dependent in &known[&next] {
                    if dependent != unit && all.insert(dependent.clone()) {
                        left.push(dependent.clone());
                    }
                }
            }
            if !all.is_empty() {
                found.insert(unit.clone(), all);
            }
        }
        Ok(found)
    }

    async fn dependents_of(&self, unit: &UnitId) -> Result<BTreeSet<UnitId>, UnitError> {
        let names = match (&unit.account, &self.backend) {
            (_, Backend::Links(_)) => BTreeSet::new(),
            (None, Backend::Bus(bus)) => bus.dependents(&unit.name).await?,
            (Some(account), Backend::Bus(_)) => match self.of_account(account)? {
                Some(of_account) => of_account.dependents(&unit.name).await,
                None => BTreeSet::new(),
            },
        };
        let ids = names.into_iter();
        Ok(ids
            .map(|name| UnitId::of(unit.account.as_ref(), name))
            .collect())
    }
}

/// The glob that matches the instances of a template; a name may have backslashes, which would escape.
fn pattern(template: &UnitName) -> String {
    let (stem, suffix) = template.as_str().split_once("@.").unwrap_or_default();
    let mut pattern = String::new();
    for c in stem.chars() {
        if c == '\\' {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    format!("{pattern}@?*.{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_templates_are_no_patterns_themselves() {
        let of = |name: &str| pattern(&UnitName::new(name).unwrap());
        assert_eq!(of("app@.service"), "app@?*.service");
        assert_eq!(of("dev-a\\x2db@.swap"), "dev-a\\\\x2db@?*.swap");
    }
}
