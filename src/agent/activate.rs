//! From a generation to a host that is so.

use super::draft::{Draft, Stop};
use super::pass::PassRun;
use super::target::Target;
use super::{PassEvent, Reconciler};
use crate::activation::{Held, Plan};
use crate::drift::DriftReport;
use crate::generation::{Generation, GenerationNumber, Store};
use crate::report::{Outcome, Problem};

impl PassRun<'_> {
    pub(super) async fn finish_interrupted(&self, _draft: &mut Draft) -> Result<(), Stop> {
        Ok(())
    }

    pub(super) async fn keep(
        &self,
        _current: &Generation,
        _held: Held,
        _draft: &mut Draft,
    ) -> Result<Outcome, Stop> {
        Ok(Outcome::NothingToDo)
    }

    pub(super) async fn activate(
        &self,
        _current: Option<&Generation>,
        _target: Target,
        _held: Held,
        _draft: &mut Draft,
    ) -> Result<Outcome, Stop> {
        Ok(Outcome::NothingToDo)
    }
}

impl PassRun<'_> {
    pub(super) async fn back_to(
        &self,
        _to: Option<GenerationNumber>,
        _draft: &mut Draft,
    ) -> Result<Outcome, Stop> {
        Ok(Outcome::NothingToDo)
    }
}

impl Reconciler {
    pub(super) async fn plan_only(
        &self,
        _store: &Store,
        _current: Option<&Generation>,
        _target: &Target,
        _on_event: &dyn Fn(&PassEvent),
    ) -> Result<Plan, Problem> {
        Ok(Plan::default())
    }

    pub(super) async fn scan(
        &self,
        _store: &Store,
        _current: &Generation,
    ) -> Result<DriftReport, Problem> {
        Err(Problem::new("not yet"))
    }
}
