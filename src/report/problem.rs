//! An error for the person who must act, made from any error.

use std::error::Error;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Colour, ConfigErrors};
use crate::generation::StoreError;

/// An error for the person who must act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// What failed, where.
    pub what: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// How to fix it.
    pub fix: Option<String>,
    /// Source excerpts, already laid out as text, one per error.
    pub excerpts: Vec<String>,
}

impl Problem {
    /// A problem that has no error behind it.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            causes: Vec::new(),
            fix: None,
            excerpts: Vec::new(),
        }
    }

    /// `error` and the chain of its sources.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut problem = Self::new(error.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            problem.causes.push(cause.to_string());
            source = cause.source();
        }
        problem
    }

    /// What is wrong with a configuration; `what` could not be done therefore. Each error is a cause for programs and an
    /// excerpt for people.
    #[must_use]
    pub fn of_config(errors: &ConfigErrors, what: impl Into<String>) -> Self {
        let mut problem = Self::new(what).with_excerpts(errors.excerpts(Colour::Plain));
        problem.causes = errors.errors().iter().map(ToString::to_string).collect();
        problem
    }

    /// What the store of generations could not do, with its fix.
    #[must_use]
    pub fn of_store(error: &StoreError) -> Self {
        Self::of(error).with_hint(error.fix())
    }

    /// The problem as the cause of another: what failed is `what`, and what it was before is why.
    #[must_use]
    pub fn about(mut self, what: impl Into<String>) -> Self {
        let cause = std::mem::replace(&mut self.what, what.into());
        self.causes.insert(0, cause);
        self
    }

    /// What failed and why, on one line.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        std::iter::once(&self.what)
            .chain(&self.causes)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(": ")
    }

    /// The problem with `fix` as how to fix it.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// The problem with `fix` as how to fix it, where there is one; as an error's `hint()` gives it.
    #[must_use]
    pub fn with_hint(mut self, fix: Option<impl Into<String>>) -> Self {
        self.fix = fix.map(Into::into).or(self.fix);
        self
    }

    /// The problem with source excerpts, laid out as text.
    #[must_use]
    pub fn with_excerpts(mut self, excerpts: impl IntoIterator<Item = String>) -> Self {
        self.excerpts.extend(excerpts);
        self
    }
}
