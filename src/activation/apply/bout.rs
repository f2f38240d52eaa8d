//! Steps that are under way at the same time.

use std::ops::Range;

use super::super::plan::job_rank;
use super::files::writes_a_file;
use super::{Plan, Step};

/// Most jobs that are queued before the first of them is waited for: the D-Bus daemon lets nobody have more than 128
/// questions open.
const MOST_JOBS: usize = 32;

/// Consecutive steps of a plan.
pub(super) struct Bout {
    pub(super) steps: Range<usize>,
    pub(super) kind: BoutKind,
}

/// How the steps of a bout are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BoutKind {
    /// One step.
    Alone,
    /// Files, made together and put in place in their order.
    Files,
    /// Jobs of one kind, of which none starts what another one is for: queued together, so that systemd puts them in the
    /// order that the units ask for.
    Jobs,
}

impl Bout {
    /// The longest bout of `plan` that begins with its step `first`.
    pub(super) fn at(plan: &Plan, first: usize) -> Self {
        let rest = plan.steps.get(first..).unwrap_or_default();
        let run = |belongs: &dyn Fn(&Step) -> bool, most: usize| {
            rest.iter()
                .take(most)
                .take_while(|step| belongs(step))
                .count()
        };
        let rank = rest.first().and_then(job_rank);
        let (count, kind) = match rest.first() {
            Some(step) if writes_a_file(step) => (run(&writes_a_file, usize::MAX), BoutKind::Files),
            Some(_) if rank.is_some() => {
                let abreast = |step: &Step| job_rank(step) == rank;
                (run(&abreast, MOST_JOBS), BoutKind::Jobs)
            }
            _ => (1, BoutKind::Alone),
        };
        Self {
            steps: first..first + count.max(1),
            kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::PathChange;
    use crate::activation::plan::tests::world::{directory_kind, entry, file, path, unit_name};
    use crate::generation::PathEntry;
    use crate::host::PathState;

    fn write(at: &str, entry: PathEntry) -> Step {
        Step::WritePath {
            path: path(at),
            entry,
            change: PathChange::Create,
            found: PathState::Absent,
        }
    }

    fn restart(unit: &str) -> Step {
        Step::RestartUnit {
            unit: unit_name(unit),
            why: String::new(),
        }
    }

    fn start(unit: &str) -> Step {
        Step::StartUnit {
            unit: unit_name(unit),
            why: String::new(),
        }
    }

    fn bouts(steps: Vec<Step>) -> Vec<(usize, BoutKind)> {
        let plan = Plan {
            steps,
            notices: Vec::new(),
        };
        let mut bouts = Vec::new();
        let mut next = 0;
        while next < plan.steps.len() {
            let bout = Bout::at(&plan, next);
            assert_eq!(bout.steps.start, next);
            next = bout.steps.end;
            bouts.push((bout.steps.len(), bout.kind));
        }
        bouts
    }

    #[test]
    fn files_go_together_and_a_directory_between_them_comes_in_its_turn() {
        let steps = vec![
            write("/etc/a", file("1")),
            write("/etc/b", file("1")),
            write("/etc/c", entry(directory_kind())),
            write("/etc/c/d", file("1")),
        ];
        let expected = [
            (2, BoutKind::Files),
            (1, BoutKind::Alone),
            (1, BoutKind::Files),
        ];
        assert_eq!(bouts(steps), expected);
    }

    #[test]
    fn jobs_of_one_kind_go_together_and_what_starts_others_comes_before_them() {
        let steps = vec![
            restart("a.socket"),
            restart("b.service"),
            restart("c.service"),
            restart("ketan/own.service"),
            start("d.socket"),
            start("e.service"),
            start("f.service"),
            start("g.target"),
        ];
        let expected = [
            (1, BoutKind::Jobs),
            (2, BoutKind::Jobs),
            (1, BoutKind::Alone),
            (1, BoutKind::Jobs),
            (2, BoutKind::Jobs),
            (1, BoutKind::Jobs),
        ];
        assert_eq!(bouts(steps), expected);
    }

    #[test]
    fn many_jobs_are_queued_in_portions() {
        let steps = (0..70).map(|number| start(&format!("{number}.service")));
        let counts = bouts(steps.collect()).into_iter().map(|(count, _)| count);
        assert_eq!(counts.collect::<Vec<_>>(), [32, 32, 6]);
    }
}
