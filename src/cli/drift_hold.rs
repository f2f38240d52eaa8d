//! `drift hold` and `drift release`: one path is left as somebody made it, for a while.

use std::time::Duration;

use clap::Args;

use super::answer::{print, print_json, say};
use super::flags::Format;
use super::hold::{ReasonArg, begin, end, term};
use super::{HostFlags, site};
use crate::host::{HostPath, clock};
use crate::report::{Problem, exit};

/// What `--help` of `hold` says first.
pub(super) const HOLD_ABOUT: &str = "\
Leave a path as somebody made it for a while, with all that lies below it: its drift is reported and not put right, \
whatever its policy, neither by the agent nor by `reconcile now`. For an edit on the machine that cannot wait for a commit.

A commit that changes the very entry is applied all the same; the edited version is kept, as always. The hold ends by itself, \
and a second one of the same path replaces the first. `status` and `drift` show it.";

/// What `--help` of `release` says first.
pub(super) const RELEASE_ABOUT: &str = "\
End a hold before its time. Nothing is changed at once: the agent's next look at the host does that, or \
`steadfast reconcile now`.";

const HOLD_AFTER: &str = "\
Examples:
  steadfast drift hold /etc/nginx/nginx.conf --reason \"outage, see the log book\"
  steadfast drift hold /etc/app --for 1d
  steadfast drift release /etc/nginx/nginx.conf";

/// Arguments of `drift hold`.
#[derive(Debug, Args)]
#[command(after_long_help = HOLD_AFTER)]
pub(super) struct HoldArgs {
    /// The path, as `drift` shows it
    path: HostPath,
    /// How long, such as 30m, 2h or 1d; at most 30d
    #[arg(long = "for", value_name = "TIME", value_parser = term, default_value = "1h")]
    term: Duration,
    #[command(flatten)]
    reason: ReasonArg,
}

/// Arguments of `drift release`.
#[derive(Debug, Args)]
pub(super) struct ReleaseArgs {
    /// The path, as it was given to `drift hold`
    path: HostPath,
}

/// Holds a path.
pub(super) fn hold(args: &HoldArgs, format: Format, flags: &HostFlags) -> Result<u8, Problem> {
    let path = &args.path;
    is_ours(path, flags)?;
    let hold = args.reason.hold(Some(path.clone()), args.term);
    let until = clock::rfc3339(hold.until_secs);
    let answer = format!("{path} is held until {until}; `steadfast drift release {path}` ends it");
    begin(flags, &hold, format, &answer)
}

/// Ends the hold of a path.
pub(super) fn release(
    args: &ReleaseArgs,
    format: Format,
    flags: &HostFlags,
) -> Result<u8, Problem> {
    let path = &args.path;
    let ended = end(flags, Some(path))?;
    if format == Format::Json {
        print_json(&ended)?;
        return Ok(exit::DONE);
    }
    match ended {
        Some(_) => print(&format!(
            "{path} is released; `steadfast reconcile now` puts it right\n"
        ))?,
        None => say(format!("{path} was not held")),
    }
    Ok(exit::DONE)
}

/// Refuses to hold what nobody would change: most likely a slip of the keys.
fn is_ours(path: &HostPath, flags: &HostFlags) -> Result<(), Problem> {
    let host = flags.look_at_host()?;
    let current = match site::store_to_read(&host)? {
        Some(store) => store.current().map_err(|error| Problem::of_store(&error))?,
        None => None,
    };
    let Some(current) = current else {
        return Err(
            Problem::new("this host has no generation yet, so nothing of it is put right")
                .with_fix("`steadfast reconcile pause` keeps the first one away"),
        );
    };
    let named = current.manifest.paths.keys();
    if named
        .into_iter()
        .any(|named| named.as_path().starts_with(path.as_path()))
    {
        return Ok(());
    }
    let number = current.number;
    Err(
        Problem::new(format!("generation {number} says nothing about {path}")).with_fix(
            "give a path that `steadfast generations show` lists, or a directory above one; secrets, units and accounts are left \
             alone by `steadfast reconcile pause`",
        ),
    )
}
