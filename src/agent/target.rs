//! From a revision that is believed to the generation it asks for.

use crate::config::{self, ConfigErrors};
use crate::generation::{self, Built, Provenance};
use crate::host::clock;
use crate::identity::HostKey;
use crate::report::Problem;
use crate::source::{RepoPath, Snapshot};

use super::Settings;
use super::find::Found;

/// A generation that was built and not yet stored.
pub(super) struct Target {
    pub(super) built: Built,
    pub(super) provenance: Provenance,
}

/// Resolves and builds this host at `found`. Pure but for the reading of the repository.
pub(super) fn build(settings: &Settings, found: &Found) -> Result<Target, Problem> {
    let revision = found.trusted.revision();
    let snapshot = found
        .mirror
        .snapshot(&revision.commit)
        .map_err(|error| Problem::of(&error))?;
    check_identity(settings, &snapshot)?;
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
