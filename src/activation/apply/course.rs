//! A plan on its way: what is begun is written down before, what is over after.

use std::ops::{ControlFlow, Range};

use super::super::failure::HostFailure;
use super::super::journal::{Durability, Entry, Journal};
use super::super::progress::{ActivationEvent, Way};
use super::bout::{Bout, BoutKind};
use super::files::{Made, Stage, Wanted};
use super::{
    Applied, Bench, Hands, Plan, Step, is_path_step, is_spared, remember, spared, unwritten,
};

/// Most steps of one bout that the log has a line for: more than those of a bout of jobs.
const MOST_LOGGED: usize = 100;

pub(super) struct Course<'a> {
    plan: &'a Plan,
    bench: &'a Bench<'a>,
    journal: &'a mut Journal,
    hands: Hands<'a>,
    applied: Applied,
}

impl<'a> Course<'a> {
    pub(super) fn new(plan: &'a Plan, bench: &'a Bench<'a>, journal: &'a mut Journal) -> Self {
        Self {
            plan,
            bench,
            journal,
            hands: Hands::new(bench),
            applied: Applied::default(),
        }
    }

    /// Carries out some steps, and says whether to go on.
    pub(super) async fn carry_out(&mut self, bout: Bout) -> ControlFlow<()> {
        let steps = bout.steps.clone();
        let over = match bout.kind {
            BoutKind::Alone => self.alone(bout.steps).await,
            BoutKind::Files => self.files(bout.steps).await,
            BoutKind::Jobs => self.jobs(bout.steps).await,
        };
        self.log(steps);
        over
    }

    /// Tells the log what was done.
    fn log(&self, steps: Range<usize>) {
        let mut done = steps.filter(|index| self.applied.done.contains(index));
        for index in done.by_ref().take(MOST_LOGGED) {
            tracing::info!("{}", self.plan.steps[index].describe());
        }
        let more = done.count();
        if more > 0 {
            let id = self.journal.record.id;
            tracing::info!("and {more} more files; `steadfast reconcile log {id}` has them all");
        }
    }

    async fn alone(&mut self, steps: Range<usize>) -> ControlFlow<()> {
        for index in steps {
            let result = match self.begin(index) {
                Ok(()) => self.hands.act(&self.plan.steps[index], self.journal).await,
                Err(error) => Err(error),
            };
            self.ended(index, result).await?;
        }
        ControlFlow::Continue(())
    }

    /// Fills the stage with files, puts them in place, and so on.
    async fn files(&mut self, steps: Range<usize>) -> ControlFlow<()> {
        let mut stage = Stage::default();
        for index in steps {
            let wanted = self.begin(index).and_then(|()| {
                let step = (index, &self.plan.steps[index]);
                self.hands.want(step, &mut stage, self.journal)
            });
            match wanted {
                Ok(Made::Staged) => {}
                Ok(Made::IsRight) => self.ended(index, Ok(())).await?,
                Err(error) => self.ended(index, Err(error)).await?,
            }
            if stage.is_full() {
                self.put(stage.clear()).await?;
            }
        }
        self.put(stage.clear()).await
    }

    /// Makes files, then puts them in their places. Forward one that fails is the end, and none is placed; back it is no
    /// reason to leave the others.
    async fn put(&mut self, wanted: Vec<Wanted>) -> ControlFlow<()> {
        let mut made = self.hands.make(&wanted);
        let failed = made.iter().position(Result::is_err);
        if let (Way::Forward, Some(first)) = (self.bench.way, failed) {
            let error = made.swap_remove(first);
            self.hands.discard(made.into_iter().flatten());
            return self.ended(wanted[first].index, error.map(drop)).await;
        }
        let mut files = wanted.iter().zip(made);
        while let Some((wanted, made)) = files.next() {
            let placed = made.and_then(|file| self.hands.place(wanted, file));
            let over = self.ended(wanted.index, placed).await;
            if over.is_break() {
                self.hands.discard(files.filter_map(|(_, made)| made.ok()));
                return over;
            }
        }
        ControlFlow::Continue(())
    }

    /// Queues all jobs, waits for all of them, and only then looks at how they ended.
    async fn jobs(&mut self, steps: Range<usize>) -> ControlFlow<()> {
        let mut begun = Vec::new();
        for index in steps {
            match self.begin(index) {
                Ok(()) => begun.push(index),
                Err(error) => self.ended(index, Err(error)).await?,
            }
        }
        let steps: Vec<&Step> = begun.iter().map(|index| &self.plan.steps[*index]).collect();
        let results = self.hands.jobs(&steps).await;
        let mut over = ControlFlow::Continue(());
        for (index, result) in begun.into_iter().zip(results) {
            if self.ended(index, result).await.is_break() {
                over = ControlFlow::Break(());
            }
        }
        over
    }

    /// Writes down that a step begins, and makes ready for it.
    fn begin(&mut self, index: usize) -> Result<(), HostFailure> {
        let (way, step) = (self.bench.way, &self.plan.steps[index]);
        self.applied.begun.insert(index);
        let begun = Entry::StepBegun { way, index };
        let durability = match step {
            Step::InstallPackages { .. }
            | Step::RemovePackages { .. }
            | Step::CreateGroup { .. }
            | Step::CreateUser { .. } => Durability::Synced,
            _ => Durability::Written,
        };
        match (self.journal.write(&begun, durability), way) {
            // What is not written down is not begun.
            (Err(error), Way::Forward) => return Err(error.into()),
            (Err(error), Way::Back) => unwritten(&error),
            (Ok(()), _) => {}
        }
        self.bench.progress.tell(&ActivationEvent::StepBegun {
            way,
            index,
            total: self.plan.steps.len(),
            text: step.describe(),
        });
        if !is_path_step(step) {
            self.hands.sync()?;
        }
        self.hands.keep_packages_still(step)
    }

    /// Writes down how a step ended, and says whether to go on.
    async fn ended(&mut self, index: usize, result: Result<(), HostFailure>) -> ControlFlow<()> {
        let (way, step) = (self.bench.way, &self.plan.steps[index]);
        let error = match result {
            Ok(()) => {
                self.applied.done.insert(index);
                let done = Entry::StepDone { way, index };
                remember(self.journal, &done, Durability::Written);
                let told = ActivationEvent::StepDone { way, index };
                self.bench.progress.tell(&told);
                return ControlFlow::Continue(());
            }
            Err(error) if is_spared(step, self.bench) => {
                self.hands.forget_failure(step).await;
                self.applied.warnings.extend(spared(step, &error));
                return ControlFlow::Continue(());
            }
            Err(error) => error,
        };
        let reason = error.in_one_line();
        tracing::error!("cannot {}: {reason}", step.describe());
        let failed = Entry::StepFailed {
            way,
            index,
            reason: reason.clone(),
            hint: error.hint(),
        };
        remember(self.journal, &failed, Durability::Written);
        self.bench
            .progress
            .tell(&ActivationEvent::StepFailed { way, index, reason });
        self.applied.failed.push((index, error));
        match way {
            Way::Forward => ControlFlow::Break(()),
            Way::Back => ControlFlow::Continue(()),
        }
    }

    /// What was done, with everything on disk.
    pub(super) fn end(mut self) -> Applied {
        let Self {
            applied,
            hands,
            plan,
            ..
        } = &mut self;
        applied.came = std::mem::take(&mut hands.came);
        applied.warnings.append(&mut hands.warnings);
        if let Err(error) = hands.sync() {
            let last = plan.steps.len().saturating_sub(1);
            applied.failed.push((last, error));
        }
        self.applied
    }
}
