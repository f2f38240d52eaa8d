//! One host and its repository: what can be done with them, by hand and by the agent alike.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use tracing::error;

use super::draft::{Draft, Stop};
use super::pass::PassRun;
use super::secrets::StoredSecrets;
use super::{Contact, Needs, Overrides, PassEvent, Settings, find, memory, pass, target};
use crate::activation::{Holds, Plan};
use crate::drift::{self, Adoption, DriftReport};
use crate::generation::{GenerationNumber, Manifest, Store};
use crate::health::Question;
use crate::host::{FileMode, Host, HostPath, Seen, Writers, both, clock, durable};
use crate::report::{Outcome, Problem, Report, State, TextChange, Trigger};
use crate::source::{Mirror, Revision};

/// Where the state is, below the host's root.
const STATE_DIR: &str = "var/lib/steadfast";

/// Where `host` keeps its state.
#[must_use]
pub fn state_dir(host: &Host) -> PathBuf {
    host.root().join(STATE_DIR)
}

/// Whether a revision that failed before is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It is held back.
    No,
    /// It is tried again.
    Yes,
}

/// Whether a pass obeys a pause of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pausing {
    /// What there is to do is told and not done.
    Obeyed,
    /// It is done once.
    Overruled,
}

/// What becomes of an activation at the next boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It stays.
    #[default]
    Switch,
    /// It is only tried: the next boot goes back from it.
    Test,
    /// It is not done now, but at the next boot.
    Boot,
}

/// Which files a look at the host reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Those that changed since an earlier scan read them, and all once a day.
    Changed,
    /// All.
    Everything,
}

/// What a pass is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// What set it off.
    pub trigger: Trigger,
    /// What to do with a revision that failed before.
    pub retry: Retry,
    /// What to do about a pause.
    pub pausing: Pausing,
    /// What becomes of an activation at the next boot.
    pub mode: Mode,
}

/// Files that are larger are not read for a preview.
const LARGEST_TEXT_BYTES: u64 = 16 * 1024 * 1024;

/// What a pass would do; nothing was changed, stored or fetched into the mirror.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The revision it would be about.
    pub revision: Revision,
    /// The generation in force.
    pub current: Option<GenerationNumber>,
    /// What would be done.
    pub plan: Plan,
    /// What would change inside of files.
    pub texts: Vec<TextChange>,
}

/// One host and its repository.
pub struct Reconciler {
    host: Host,
    settings: Settings,
    state_dir: PathBuf,
    /// Whether the pass under way changes nothing itself.
    pub(super) looking_on: AtomicBool,
    writers: Writers,
}

impl Reconciler {
    /// Takes `host`, as `settings` say.
    #[must_use]
    pub fn new(host: Host, settings: Settings) -> Self {
        let state_dir = state_dir(&host);
        Self {
            host,
            settings,
            state_dir,
            looking_on: AtomicBool::new(false),
            writers: Writers::default(),
        }
    }

    /// Who fights against repairs, as long as this value lives.
    pub(super) fn writers(&self) -> &Writers {
        &self.writers
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where state is kept.
    #[must_use]
    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    pub(super) fn mirror_path(&self) -> PathBuf {
        self.state_dir.join("repo.git")
    }

    fn state_file(&self) -> PathBuf {
        self.state_dir.join("state.json")
    }

    /// The generations of this host.
    pub fn store(&self) -> Result<Store, Problem> {
        Store::open(&self.state_dir).map_err(|error| Problem::of_store(&error))
    }

    /// What is remembered between passes.
    pub fn state(&self) -> Result<State, Problem> {
        State::load(&self.state_file()).map_err(|error| Problem::of(&error).with_fix(error.fix()))
    }

    /// What a person keeps from being changed.
    pub fn holds(&self) -> Result<Holds, Problem> {
        Holds::load(&self.state_dir).map_err(|error| Problem::of(&error).with_fix(error.fix()))
    }

    pub(super) fn save(&self, state: &State) -> Result<(), Problem> {
        state
            .save(&self.state_file())
            .map_err(|error| Problem::of(&error).with_fix(error.fix()))
    }

    /// Keeps every other process from changing this host until the lock is dropped.
    pub fn lock(&self) -> Result<durable::Lock, Problem> {
        durable::lock(&self.lock_file()?)
            .map_err(|error| Problem::of(&error).with_hint(error.hint()))
    }

    /// The file that is locked, in a state directory that is there.
    pub(super) fn lock_file(&self) -> Result<PathBuf, Problem> {
        durable::make_directories(&self.state_dir, FileMode::from_bits(0o700))
            .map_err(|error| Problem::of(&error).with_hint(error.hint()))?;
        Ok(self.state_dir.join("lock"))
    }

    /// Asks whether the agent could start anew as the host is by then: its settings are read, and its key opens the secrets
    /// of `manifest`, a stored generation.
    pub(super) fn self_probe(&self, manifest: &Manifest) -> Question {
        let (host, settings) = (self.host.clone(), self.settings.clone());
        let (state_dir, manifest) = (self.state_dir.clone(), manifest.clone());
        Arc::new(move || {
            let overrides = Overrides {
                host: Some(settings.host.clone()),
                needs: Needs::HostOnly,
                ..Overrides::default()
            };
            let now = Settings::load(&host, &overrides)
                .map_err(|error| Problem::of(&error).in_one_line())?;
            let settings = Settings {
                identity: now.identity,
                ..settings.clone()
            };
            let store =
                Store::open(&state_dir).map_err(|error| Problem::of(&error).in_one_line())?;
            StoredSecrets::new(&settings, &store)
                .open_manifest(&manifest)
                .map(drop)
                .map_err(|problem| problem.in_one_line())
        })
    }

    /// Runs a pass to its end on a runtime of its own.
    #[must_use]
    pub fn pass_blocking(&self, pass: Pass, on_event: &dyn Fn(&PassEvent)) -> (Report, Contact) {
        match tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime.block_on(self.pass(pass, on_event)),
            Err(error) => {
                let stop = Stop::from(Problem::of(&error));
                (
                    Draft::new(pass.trigger).finish(&self.settings, Err(stop)),
                    Contact::Made,
                )
            }
        }
    }

    /// Runs a pass to its end. Whatever happens, there is a report.
    #[tracing::instrument(name = "reconcile", skip_all, fields(host = %self.settings.host, trigger = ?pass.trigger))]
    pub async fn pass(&self, pass: Pass, on_event: &dyn Fn(&PassEvent)) -> (Report, Contact) {
        let mut draft = Draft::new(pass.trigger);
        let ended = match PassRun::begin(self, pass, on_event).await {
            Ok(run) => Box::pin(run.to_its_end(&mut draft)).await,
            Err(problem) => Err(problem.into()),
        };
        self.conclude(draft, ended)
    }

    /// Goes back to generation `to`, or to the one that was in force before. The revision in force now is remembered as
    /// not wanted, so that the next poll does not bring it back.
    #[tracing::instrument(name = "rollback", skip_all, fields(host = %self.settings.host))]
    pub async fn roll_back(
        &self,
        to: Option<GenerationNumber>,
        on_event: &dyn Fn(&PassEvent),
    ) -> Report {
        let mut draft = Draft::new(Trigger::Manual);
        let pass = Pass {
            trigger: Trigger::Manual,
            retry: Retry::No,
            // Whoever types it looks at this host, and may have paused it for this.
            pausing: Pausing::Overruled,
            mode: Mode::Switch,
        };
        let ended = match PassRun::begin(self, pass, on_event).await {
            Ok(run) => run.back_to_its_end(to, &mut draft).await,
            Err(problem) => Err(problem.into()),
        };
        self.conclude(draft, ended).0
    }

    fn conclude(&self, draft: Draft, ended: Result<Outcome, Stop>) -> (Report, Contact) {
        let contact = if draft.trigger() == Trigger::Drift {
            Contact::NotTried
        } else if draft.answered {
            Contact::Made
        } else {
            Contact::Failed
        };
        let mut report = draft.finish(&self.settings, ended);
        if let Err(problem) = memory::remember(self, &report) {
            error!(
                problem = problem.in_one_line(),
                "the report could not be written"
            );
            report.outcome = Outcome::Failed;
            report.problem.get_or_insert(problem);
        }
        (report, contact)
    }

    /// What `reconcile now` would do. Changes nothing: the revision is fetched into a temporary mirror.
    pub async fn preview(&self, on_event: &dyn Fn(&PassEvent)) -> Result<Preview, Problem> {
        let mut draft = Draft::new(Trigger::Manual);
        let scratch = tempfile::tempdir().map_err(|error| Problem::of(&error))?;
        let store = self.store()?;
        let current = store.current().map_err(|error| Problem::of_store(&error))?;
        let (mirror, commit) = find::fetch(&self.settings, scratch.path(), on_event)
            .map_err(|not_found| pass::stopped(not_found, &mut draft).problem)?;
        let anchor = pass::anchor(&self.state()?, &mirror, current.as_ref())?;
        let found = find::trust(
            &self.settings,
            mirror,
            &commit,
            anchor.as_ref(),
            clock::now_secs(),
        )
        .map_err(|not_found| not_found.problem)?;
        let target =
            target::build(&self.settings, &found, on_event).map_err(|stop| stop.problem)?;
        let plan = self.plan_only(&store, &target, on_event).await?;
        let texts = TextChange::of_plan(
            &plan,
            |path| self.host.read_file(path, LARGEST_TEXT_BYTES).ok().flatten(),
            |digest| target.built.objects.get(digest).cloned(),
        );
        Ok(Preview {
            revision: found.trusted.revision().clone(),
            current: current.map(|current| current.number),
            plan,
            texts,
        })
    }

    /// Compares the host with its active generation. Changes nothing.
    pub async fn drift(
        &self,
        reading: Reading,
        on_event: &dyn Fn(&PassEvent),
    ) -> Result<DriftReport, Problem> {
        let store = self.store()?;
        let (seen, current) = both(|| self.seen(reading), || store.current());
        let Some(current) = current.map_err(|error| Problem::of_store(&error))? else {
            return Err(Problem::new("this host has no generation yet")
                .with_fix("run `steadfast reconcile now` first"));
        };
        on_event(&PassEvent::Observing);
        let host = self.host.remembering(seen);
        self.scan(&host, &store, &current).await
    }

    /// The change to the repository that would make `path` right as it is. Changes nothing.
    pub fn adopt(&self, path: &HostPath) -> Result<Adoption, Problem> {
        let current = self.store()?.current();
        let current = current.map_err(|error| Problem::of_store(&error))?;
        let Some(current) = current else {
            return Err(Problem::new("this host has no generation yet")
                .with_fix("run `steadfast reconcile now` first"));
        };
        let mirror = Mirror::open(&self.mirror_path()).map_err(|error| Problem::of(&error))?;
        let snapshot = mirror.snapshot(&current.provenance.revision.commit);
        let snapshot = snapshot.map_err(|error| Problem::of(&error))?;
        let accounts = self.host.accounts().map_err(|error| Problem::of(&error))?;
        drift::adopt(&self.host, &accounts, (&current, &snapshot), path)
            .map_err(|error| Problem::of(&error).with_fix(error.fix()))
    }

    /// What earlier scans read.
    pub(super) fn seen(&self, reading: Reading) -> Arc<Seen> {
        let path = self.state_dir.join("seen");
        let now_secs = clock::now_secs();
        Arc::new(match reading {
            Reading::Changed => Seen::load(&path, now_secs),
            Reading::Everything => Seen::nothing(&path, now_secs),
        })
    }
}
