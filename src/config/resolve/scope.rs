//! Where an expression stands, which decides what it sees.

use minijinja::value::Value;

use crate::config::ModuleName;
use crate::host::UserName;

/// The file that an expression belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// The host file.
    Host,
    /// A module; `cfg` is its options.
    Module(ModuleName),
    /// What comes with a person.
    Person,
    /// The account of a person, which many hosts share: it sees the host and the fleet, no options.
    Account(UserName),
}

/// The scope, and the variables of the loops around.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) scope: Scope,
    pub(super) locals: Vec<(String, Value)>,
}

impl Frame {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            scope,
            locals: Vec::new(),
        }
    }

    /// The frame inside of a loop; an inner name hides an outer one.
    pub(super) fn with(&self, bound: impl IntoIterator<Item = (String, Value)>) -> Self {
        let mut locals = self.locals.clone();
        for (name, value) in bound {
            locals.retain(|(taken, _)| *taken != name);
            locals.push((name, value));
        }
        Self {
            scope: self.scope.clone(),
            locals,
        }
    }

    pub(super) fn local(&self, name: &str) -> Option<&Value> {
        let local = self.locals.iter().find(|(local, _)| local == name);
        local.map(|(_, value)| value)
    }
}
