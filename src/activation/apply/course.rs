//! A plan on its way: what is begun is written down before, what is over after.

use std::ops::{ControlFlow, Range};

use super::super::failure::HostFailure;
use super::super::journal::{Durability, Entry, Journal};
use super::super::progress::{ActivationEvent, Way};
use super::bout::{Bout, BoutKind};
use super::files::{Made, Stage};
use super::{
    Applied, Bench, Hands, Plan, Step, is_path_step, is_spared, remember, spared, unwritten,
};

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
        match bout.kind {
            BoutKind::Alone => {
                for index in bout.steps {
                    let result = self.alone(index).await;
                    self.ended(index, result).await?;
                }
                ControlFlow::Continue(())
            }
            BoutKind::Files => self.files(bout.steps).await,
            BoutKind::Jobs => self.jobs(bout.steps).await,
        }
    }

    async fn alone(&mut self, index: usize) -> Result<(), HostFailure> {
        self.begin(index)?;
        self.hands.act(&self.plan.steps[index], self.journal).await
    }

    /// Makes files until the stage is full, then puts them in place, and so on.
    async fn files(&mut self, steps: Range<usize>) -> ControlFlow<()> {
        let mut stage = Stage::default();
        for index in steps {
            let made = self.begin(index).and_then(|()| {
                let step = (index, &self.plan.steps[index]);
                self.hands.make(step, &mut stage, self.journal)
            });
            let over = match made {
                Ok(Made::Staged) => ControlFlow::Continue(()),
                Ok(Made::IsRight) => self.ended(index, Ok(())).await,
                Err(error) => self.ended(index, Err(error)).await,
            };
            if over.is_break() {
                self.hands
                    .discard(stage.clear().into_iter().map(|(_, staged)| staged));
                return over;
            }
            if stage.is_full() {
                self.place(&mut stage).await?;
            }
        }
        self.place(&mut stage).await
    }

    /// Puts what is on `stage` on disk, then in its place.
    async fn place(&mut self, stage: &mut Stage) -> ControlFlow<()> {
        let synced = self.hands.sync_stage(stage);
        let mut staged = stage.clear().into_iter();
        if let Err(error) = synced {
            return self.unsynced(staged.collect(), error).await;
        }
        while let Some((index, file)) = staged.next() {
            let result = self.hands.place(file);
            let over = self.ended(index, result).await;
            if over.is_break() {
                self.hands.discard(staged.map(|(_, file)| file));
                return over;
            }
        }
        ControlFlow::Continue(())
    }

    /// Files that the disk did not take. Forward that is the end; back each is made once more, alone, because one that
    /// fails is no reason to leave the others.
    async fn unsynced(
        &mut self,
        staged: Vec<(usize, super::files::Staged)>,
        error: HostFailure,
    ) -> ControlFlow<()> {
        let (places, files): (Vec<usize>, Vec<_>) = staged.into_iter().unzip();
        self.hands.discard(files);
        if self.bench.way == Way::Forward || places.len() == 1 {
            return match places.first() {
                Some(first) => self.ended(*first, Err(error)).await,
                None => ControlFlow::Continue(()),
            };
        }
        for index in places {
            let result = self.once_more(index);
            self.ended(index, result).await?;
        }
        ControlFlow::Continue(())
    }

    fn once_more(&mut self, index: usize) -> Result<(), HostFailure> {
        let mut stage = Stage::default();
        let step = (index, &self.plan.steps[index]);
        self.hands.make(step, &mut stage, self.journal)?;
        let synced = self.hands.sync_stage(&stage);
        for (_, file) in stage.clear() {
            match &synced {
                Ok(()) => self.hands.place(file)?,
                Err(_) => self.hands.discard([file]),
            }
        }
        synced
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
        tracing::debug!(step = step.describe(), "step");
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
        tracing::error!(step = step.describe(), reason, "a step failed");
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
