//! From a revision that is believed to the generation it asks for.

use crate::config::{self, ConfigErrors};
use crate::generation::{self, Built, Provenance};
use crate::host::clock;
use crate::identity::HostKey;
use crate::report::{Outcome, Problem};
use crate::source::{PinErrorKind, RepoPath, Snapshot};

use super::draft::Stop;
use super::find::{self, Found};
use super::{PassEvent, Settings};

/// A generation that was built and not yet stored.
pub(super) struct Target {
    pub(super) built: Built,
    pub(super) provenance: Provenance,
}

/// Resolves and builds this host at `found`. Pure but for the reading of the repository, and of inputs that are locked to
/// commits which are not in the mirror yet.
pub(super) fn build(
    settings: &Settings,
    found: &Found,
    on_event: &dyn Fn(&PassEvent),
) -> Result<Target, Stop> {
    let revision = found.trusted.revision();
    let snapshot = found
        .mirror
        .snapshot(&revision.commit)
        .map_err(|error| Problem::of(&error))?;
    check_identity(settings, &snapshot)?;
    let snapshot = with_inputs(settings, found, snapshot, on_event)?;
    on_event(&PassEvent::Building);
    let wrong = |errors: ConfigErrors| {
        let place = format!(
            "`{}` cannot be built at {}",
            settings.host,
            revision.commit.short()
        );
        Problem::of_config(&errors, place)
    };
    let config = config::resolve(&snapshot, &settings.host).map_err(wrong)?;
    let built = generation::build(&config, &snapshot).map_err(wrong)?;
    let provenance = Provenance {
        revision: revision.clone(),
        signer: found.trusted.signer().cloned(),
        created_secs: clock::now_secs(),
        copy_of: None,
        origins: built.origins.clone(),
    };
    Ok(Target { built, provenance })
}

/// The files with those of the inputs: fetched by the ids of their locked commits, and verified.
fn with_inputs(
    settings: &Settings,
    found: &Found,
    snapshot: Snapshot,
    on_event: &dyn Fn(&PassEvent),
) -> Result<Snapshot, Stop> {
    let pins = config::pins(&snapshot);
    for pin in pins
        .iter()
        .filter(|pin| !found.mirror.has_input(&pin.commit))
    {
        on_event(&PassEvent::Fetching {
            remote: pin.remote.to_string(),
        });
    }
    let transport = find::transport(settings);
    let complete = found
        .mirror
        .with_inputs(snapshot, &pins, &transport, clock::now_secs())
        .map_err(|error| Stop {
            outcome: match &*error.kind {
                PinErrorKind::Refused(_) | PinErrorKind::OtherTree { .. } => Outcome::Refused,
                _ => Outcome::Failed,
            },
            problem: Problem::of(&error).with_hint(error.fix()),
        })?;
    found.mirror.keep_only(&pins);
    Ok(complete)
}

/// Refuses to become a host whose published key is another machine's: two machines with one name, or a copied image.
fn check_identity(settings: &Settings, snapshot: &Snapshot) -> Result<(), Problem> {
    let path = RepoPath::new(format!("hosts/{}/ssh_host_ed25519_key.pub", settings.host))
        .map_err(|error| Problem::of(&error))?;
    let Some(published) = snapshot.read(&path).map_err(|error| Problem::of(&error))? else {
        return Ok(());
    };
    // A host that opens no secret needs no key; if it needs one, opening says what is wrong with it.
    let Ok(key) = HostKey::read(&settings.identity) else {
        return Ok(());
    };
    let published = String::from_utf8_lossy(&published);
    let body = |line: &str| {
        line.split_whitespace()
            .take(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    if published
        .lines()
        .any(|line| body(line) == body(&key.public_key()))
    {
        return Ok(());
    }
    let mut problem = Problem::new(format!("this machine is not the host `{}` of the repository", settings.host))
        .with_fix(format!(
            "give this machine its own folder in hosts/ and name it in `host:`; or, if its key was renewed, put the new one into {path}"
        ));
    problem.causes.push(format!(
        "{path} is not the public half of {}",
        settings.identity.display()
    ));
    Err(problem)
}
