//! The commits of inputs on a person's machine: fetched once, by id, into the user's cache folder.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use crate::cli::answer::say;
use crate::cli::progress::spin;
use crate::config::pins;
use crate::host::{FileMode, clock, durable};
use crate::report::Problem;
use crate::source::{Mirror, Pin, PinError, PinErrorKind, Remote, Snapshot, SshAccess, Transport};

/// The repository below the cache folder.
const BELOW: &str = "steadfast/inputs";

/// `snapshot` with the files of its inputs: from the cache, or fetched into it now.
pub(in crate::cli) fn complete(snapshot: Snapshot) -> Result<Snapshot, Problem> {
    let pins = pins(&snapshot);
    if pins.is_empty() {
        return Ok(snapshot);
    }
    let cache = open()?;
    let transport = transport();
    let mut complete = snapshot;
    for pin in &pins {
        let input = || cache.input(pin, &transport, clock::now_secs());
        let mount = if cache.has_input(&pin.commit) {
            input()
        } else {
            watched(&pin.remote, input)
        };
        complete = complete.with_input(mount.map_err(|error| problem(&error, pin))?);
    }
    Ok(complete)
}

/// The cache, if there is one already.
pub(in crate::cli) fn cached() -> Option<Mirror> {
    let folder = folder()?;
    folder.is_dir().then(|| Mirror::open(&folder).ok())?
}

/// The cache; made if it is not there.
pub(super) fn open() -> Result<Mirror, Problem> {
    const HOW: &str = "set XDG_CACHE_HOME to a folder that can be written";
    let folder = folder().ok_or_else(|| {
        Problem::new("there is no place to keep the modules of inputs").with_fix(HOW)
    })?;
    if let Some(above) = folder.parent() {
        durable::make_directories(above, FileMode::from_bits(0o700))
            .map_err(|error| Problem::of(&error).with_fix(HOW))?;
    }
    Mirror::open(&folder).map_err(|error| Problem::of(&error).with_fix(HOW))
}

fn folder() -> Option<PathBuf> {
    let variable = |name: &str| {
        let value = std::env::var_os(name).map(PathBuf::from);
        value.filter(|path| path.is_absolute())
    };
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")))?;
    Some(cache.join(BELOW))
}

/// As a person reaches repositories: with the keys of their agent and the servers that they have pinned.
pub(super) fn transport() -> Transport {
    let of_host = Transport::of_host();
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let own = home.map(|home| home.join(".ssh/known_hosts"));
    let ssh = SshAccess {
        key: None,
        known_hosts: own.into_iter().chain(of_host.ssh.known_hosts).collect(),
        ..of_host.ssh
    };
    Transport { ssh, ..of_host }
}

/// Runs `fetch` and says meanwhile what is being waited for.
pub(super) fn watched<T>(remote: &Remote, fetch: impl FnOnce() -> T) -> T {
    let text = format!("fetching {remote}");
    if !std::io::stderr().is_terminal() {
        say(&text);
    }
    spin(&text, fetch)
}

fn problem(error: &PinError, pin: &Pin) -> Problem {
    let problem = Problem::of(error);
    match &*error.kind {
        PinErrorKind::Fetch(fetch) if fetch.kind.is_transient() => problem.with_fix(format!(
            "commit {} of {} is not in the cache yet: run this once where that address can be reached; from then on no network is needed",
            pin.commit.short(),
            pin.remote
        )),
        _ => problem.with_hint(error.fix()),
    }
}
