//! `host add`: a host's files, its key and its secrets, in one go.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json, say};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::inputs::complete;
use crate::cli::secrets::{
    Progress, RekeyedFile, WantedKey, commit, exclusive, identities, of_rekey, rekeyed_files,
    repository, usage_in, warn_of_closed,
};
use crate::cli::style::{WARN, paint};
use crate::config::{Colour, HostName};
use crate::identity::HostPublicKey;
use crate::report::{Problem, exit};
use crate::scaffold::{
    Facts, NewHost, NewHostError, Origin, SshTarget, ask_facts, new_host, prove,
};
use crate::secrets::{
    Exclusive, Joining, OnboardPlan, OtherKey, Repository, add_files, onboard, plan_onboard,
};
use crate::source::{RepoPath, Snapshot};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Add a host to the repository: its files, its key, the secrets that it uses.

Writes hosts/NAME/host.yml, as --from says: the files of another host without its keys, or a profile (any module) and \
nothing else. With --ssh, asks the machine itself: its host key, to be compared with what it shows on its own screen; then, \
over ssh and only if it has that key, its system and architecture for `platform`. The host is registered in .sops.yaml, and \
exactly the secret files that it uses are encrypted to it, as `steadfast secrets onboard` does.

What comes of it is resolved and built first. All of it is written or nothing; the commit to make is shown, and made by you.";

const EXAMPLES: &str = "\
Examples:
  steadfast host add dallas --from chicago --ssh root@10.0.0.7
  steadfast host add dallas --from server --ssh dallas --fingerprint SHA256:…
  steadfast host add dallas --from server --file dallas.pub    without asking the machine
  steadfast host add dallas --from server                      its key comes later
  steadfast host add dallas --from chicago --dry-run";

/// Arguments of `host add`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct AddArgs {
    /// The name of the host: its folder in `hosts/`
    name: HostName,
    /// What it begins as: a host of the repository, or a profile [default: nothing]
    #[arg(long, value_name = "HOST|PROFILE")]
    from: Option<String>,
    /// Where the machine is reached, as ssh takes it; `:PORT` may follow
    #[arg(long, value_name = "ADDRESS")]
    ssh: Option<SshTarget>,
    /// Its public SSH host key, instead of asking for it; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "ssh")]
    file: Option<PathBuf>,
    /// The fingerprint that the key must have, `SHA256:…`, instead of asking
    #[arg(long, value_name = "FINGERPRINT")]
    fingerprint: Option<String>,
    /// Only show what would be made
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatFlags,
}

/// `host add --json`: what was made for a new host.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct AddAnswer {
    /// Format version, 1.
    pub version: u32,
    /// Whether it was written; `false` with `--dry-run`.
    pub done: bool,
    /// The host.
    pub host: String,
    /// What the machine said about itself; absent if it was not asked.
    pub facts: Option<FactsAnswer>,
    /// Its age recipient; absent if its key is not known yet.
    pub recipient: Option<String>,
    /// The fingerprint of its key; absent likewise.
    pub fingerprint: Option<String>,
    /// Secret files whose recipients change.
    pub changes: Vec<RekeyedFile>,
    /// Every file that is new or changes.
    pub files: Vec<String>,
    /// Commands that commit them.
    pub commit: Vec<String>,
}

/// What a machine says about itself.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct FactsAnswer {
    /// `ID` of its os-release.
    pub os: Option<String>,
    /// `VERSION_ID` of its os-release.
    pub version: Option<String>,
    /// As `uname -m` says.
    pub arch: Option<String>,
    /// The name that it runs under.
    pub name: Option<String>,
}

/// What is known of the machine.
struct Machine {
    key: Option<HostPublicKey>,
    facts: Option<Facts>,
}

/// Runs `host add`.
pub(super) fn run(args: &AddArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let repository = repository(flags)?;
    // Before the machine is asked: a name that is taken is told at once.
    prepare(args, &repository, &Facts::default())?;
    let machine = ask(args, flags)?;
    if args.dry_run {
        let (new, plan) = plan(args, &repository, &machine)?;
        return answer(args, &repository, (&new, plan.as_ref(), &machine));
    }
    drop(repository);
    let exclusive = exclusive(flags)?;
    let (new, plan) = plan(args, exclusive.repository(), &machine)?;
    write(&exclusive, (&new, plan.as_ref()), flags)?;
    answer(
        args,
        exclusive.repository(),
        (&new, plan.as_ref(), &machine),
    )
}

/// The key and the facts, as far as they can be had.
fn ask(args: &AddArgs, flags: &HostFlags) -> Result<Machine, Problem> {
    let address = args.ssh.as_ref().map(|ssh| match ssh.scan_target() {
        Some(target) => target.to_string(),
        None => ssh.to_string(),
    });
    if address.is_none() && args.file.is_none() {
        return Ok(Machine {
            key: None,
            facts: None,
        });
    }
    let wanted = WantedKey {
        host: &args.name,
        file: args.file.as_deref(),
        address: address.as_deref(),
        fingerprint: args.fingerprint.as_deref(),
    };
    let key = wanted.find(flags)?;
    let facts = args
        .ssh
        .as_ref()
        .map(|ssh| ask_facts(ssh, &key))
        .transpose()
        .map_err(|error| Problem::of(&error).with_hint(error.fix()))?;
    Ok(Machine {
        key: Some(key),
        facts,
    })
}

fn prepare(args: &AddArgs, repository: &Repository, facts: &Facts) -> Result<NewHost, Problem> {
    let folder = || Snapshot::of_folder(repository.root()).map_err(|error| Problem::of(&error));
    let of_new = |error: NewHostError| {
        let problem = Problem::of(&error).with_hint(error.fix());
        match &error {
            NewHostError::Config(errors) => problem.with_excerpts(errors.excerpts(Colour::Ansi)),
            _ => problem,
        }
    };
    let origin = Origin::find(args.from.as_deref(), &complete(folder()?)?).map_err(of_new)?;
    let mut new = new_host(&folder()?, &args.name, (&origin, facts)).map_err(of_new)?;
    new.all = complete(new.all)?;
    prove(&new.all, &args.name).map_err(of_new)?;
    Ok(new)
}

fn plan(
    args: &AddArgs,
    repository: &Repository,
    machine: &Machine,
) -> Result<(NewHost, Option<OnboardPlan>), Problem> {
    let facts = machine.facts.clone().unwrap_or_default();
    let new = prepare(args, repository, &facts)?;
    let Some(key) = &machine.key else {
        return Ok((new, None));
    };
    let progress = Progress::begin();
    let joining = Joining {
        host: args.name.as_str(),
        key,
        other_key: OtherKey::Refuse,
        files: &new.files,
    };
    let plan = plan_onboard(repository, &usage_in(&new.all), &joining, &|step| {
        progress.tell(step);
    });
    progress.end();
    let plan = plan.map_err(|error| Problem::of(&error).with_hint(error.fix()))?;
    Ok((new, Some(plan)))
}

fn write(
    exclusive: &Exclusive,
    (new, plan): (&NewHost, Option<&OnboardPlan>),
    flags: &HostFlags,
) -> Result<(), Problem> {
    let progress = Progress::begin();
    let watcher = |step| progress.tell(step);
    let Some(plan) = plan else {
        return add_files(exclusive, &new.files, &watcher)
            .map_err(|error| Problem::of(&error).with_hint(error.fix()));
    };
    let identities = identities(flags)?;
    warn_of_closed(&plan.rekey, &identities);
    let done = onboard(exclusive, plan, &identities, &watcher);
    progress.end();
    done.map_err(|error| of_rekey(&error))
}

fn answer(
    args: &AddArgs,
    repository: &Repository,
    (new, plan, machine): (&NewHost, Option<&OnboardPlan>, &Machine),
) -> Result<u8, Problem> {
    let mut files: BTreeSet<RepoPath> = new.files.keys().cloned().collect();
    files.extend(plan.iter().flat_map(|plan| plan.files()).cloned());
    let commands = commit::commands(repository, &files, &format!("hosts: {} joins", args.name));
    match args.format.format() {
        Format::Json => print_json(&AddAnswer {
            version: 1,
            done: !args.dry_run,
            host: args.name.to_string(),
            facts: machine.facts.clone().map(|facts| FactsAnswer {
                os: facts.os,
                version: facts.version,
                arch: facts.arch,
                name: facts.name,
            }),
            recipient: plan.map(|plan| plan.recipient.clone()),
            fingerprint: machine.key.as_ref().map(HostPublicKey::fingerprint),
            changes: plan
                .map(|plan| rekeyed_files(&plan.rekey))
                .unwrap_or_default(),
            files: files.iter().map(ToString::to_string).collect(),
            commit: commands,
        })?,
        Format::Text => {
            let mut text = new_files(new);
            if let Some(plan) = plan {
                text.push_str(&commit::changes(plan.rules_change(), &plan.rekey));
            }
            if !args.dry_run {
                text.push_str(&commit::as_text(&commands));
            }
            print(&text)?;
        }
    }
    say_more(args, plan, machine);
    Ok(exit::DONE)
}

fn new_files(new: &NewHost) -> String {
    let lines: Vec<String> = new
        .files
        .keys()
        .map(|file| format!("new  {file}\n"))
        .collect();
    lines.concat()
}

fn say_more(args: &AddArgs, plan: Option<&OnboardPlan>, machine: &Machine) {
    let name = &args.name;
    let warn = |text: String| say(format!("{} {text}", paint(WARN, "warning:")));
    let told = machine
        .facts
        .as_ref()
        .and_then(|facts| facts.name.as_deref());
    if let Some(told) = told.filter(|told| *told != name.as_str()) {
        warn(format!(
            "the machine calls itself {told}: say `hostname: {name}` in its host file, or `host: {name}` in its /etc/steadfast/agent.yml"
        ));
    }
    for file in plan.iter().flat_map(|plan| &plan.missing) {
        warn(format!("{name} uses {file}, which is no secret file yet"));
    }
    if args.dry_run {
        say("nothing was changed (--dry-run)");
    } else if plan.is_some() {
        say(format!(
            "{name} can open exactly what it uses, after the next push"
        ));
    } else {
        say(format!(
            "the key of {name} is not known yet: `steadfast secrets onboard {name} --ssh-keyscan ADDRESS` lets it open what it uses"
        ));
    }
}
