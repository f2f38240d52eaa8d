//! `init`: a new config repository.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::answer::{print, print_json};
use super::flags::{Format, FormatFlags, HostFlags};
use super::secrets::{commit::quoted, prompt};
use crate::config::HostName;
use crate::host::{UserName, durable};
use crate::identity::Recipient;
use crate::report::{Problem, exit};
use crate::scaffold::{
    Founder, GitError, NewRepository, NewRepositoryError, author, example_hosts, first_commit,
    new_repository,
};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Make a new config repository from the example fleet: hosts, modules with options, you as its first person, secrets.

Everything in it is yours: the account has your SSH key, secrets are new and random and only you can open them, name and \
address are those that git knows. It is checked, and committed to a new git repository. The folder must not be there yet, or \
be empty; when something fails, it is as it was.";

const AFTER: &str = "\
Examples:
  steadfast init fleet                            asks which hosts to begin with
  steadfast init fleet --hosts chicago,boulder
  steadfast init fleet --hosts yakima --user anna --key ~/.ssh/work.pub
  steadfast init fleet --recipient age1…          an age key opens secrets, the SSH key logs in";

/// Arguments of `init`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct InitArgs {
    /// The folder to make [default: this one]
    dir: Option<PathBuf>,
    /// Hosts of the example to begin with, separated by commas [default: ask; all where nobody is there]
    #[arg(long, value_name = "HOSTS", value_delimiter = ',')]
    hosts: Vec<HostName>,
    /// The name of your account on hosts [default: that of your account here]
    #[arg(long, value_name = "NAME")]
    user: Option<UserName>,
    /// Your public SSH key [default: `~/.ssh/id_ed25519.pub`, else `~/.ssh/id_rsa.pub`]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// What opens secrets, where it is not the SSH key: an age or SSH public key
    #[arg(long, value_name = "KEY")]
    recipient: Option<String>,
    #[command(flatten)]
    format: FormatFlags,
}

/// `init --json`: the repository that was made.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct InitAnswer {
    /// Format version, 1.
    pub version: u32,
    /// Where it is.
    pub directory: String,
    /// The first commit, shortened.
    pub commit: String,
    /// The person's account.
    pub user: String,
    /// What opens its secrets.
    pub recipient: String,
    /// Its hosts.
    pub hosts: Vec<String>,
    /// Every file.
    pub files: Vec<String>,
    /// Secrets that still have to be put in, as key paths in `secrets/default.yml`.
    pub to_fill_in: Vec<String>,
}

/// Runs `init`.
pub(super) fn run(args: &InitArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let founder = founder(args)?;
    let hosts = hosts(args, flags)?;
    let new = new_repository(&founder, &hosts).map_err(|error| of_new(&error))?;
    if !new.wrong.is_empty() {
        return Err(Problem::new("the new repository would not be right")
            .with_excerpts(new.wrong)
            .with_fix("please report this; `--user` and git's user.name and user.email are what differs between people"));
    }
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from("."));
    let commit = new.write(&dir, || {
        first_commit(&dir, "A new fleet").map_err(|error| Failed(of_git(&error)))
    });
    let commit = commit.map_err(|Failed(problem)| problem)?;
    match args.format.format() {
        Format::Json => print_json(&answer(&new, &founder, (&dir, commit)))?,
        Format::Text => print(&text(&new, &founder, (&dir, &commit)))?,
    }
    Ok(exit::DONE)
}

/// A problem that ends the making of files.
struct Failed(Problem);

impl From<NewRepositoryError> for Failed {
    fn from(error: NewRepositoryError) -> Self {
        Self(of_new(&error))
    }
}

fn of_new(error: &NewRepositoryError) -> Problem {
    Problem::of(error).with_hint(error.fix())
}

fn of_git(error: &GitError) -> Problem {
    Problem::of(error).with_hint(error.fix())
}

fn founder(args: &InitArgs) -> Result<Founder, Problem> {
    let ssh_key = ssh_key(args.key.as_deref())?;
    let recipient = args.recipient.as_deref().unwrap_or(&ssh_key);
    let recipient =
        Recipient::parse(recipient).map_err(|error| Problem::of(&error).with_fix(error.fix()))?;
    let user = user(args)?;
    let author = author().map_err(|error| of_git(&error))?;
    Ok(Founder {
        user,
        name: author.name,
        email: author.email,
        ssh_key,
        recipient,
    })
}

/// The account that is asked for, or that of this process.
fn user(args: &InitArgs) -> Result<UserName, Problem> {
    if let Some(user) = &args.user {
        return Ok(user.clone());
    }
    let here = std::env::var("USER").unwrap_or_default();
    match UserName::new(here) {
        Ok(user) if user.as_str() != "root" => Ok(user),
        _ => Err(Problem::new("what shall your account on hosts be called?")
            .with_fix("say it: --user NAME")),
    }
}

/// One line of a public key file.
fn ssh_key(file: Option<&Path>) -> Result<String, Problem> {
    const LARGEST_BYTES: u64 = 64 * 1024;
    let read = |path: &Path| {
        durable::read(path, LARGEST_BYTES)
            .map_err(|error| Problem::of(&error).with_hint(error.hint()))
    };
    let home = std::env::home_dir().unwrap_or_default();
    let usual = ["id_ed25519.pub", "id_rsa.pub"].map(|name| home.join(".ssh").join(name));
    let tried: Vec<PathBuf> = file.map_or_else(|| usual.to_vec(), |file| vec![file.to_owned()]);
    for path in &tried {
        let Some(text) = read(path)? else {
            continue;
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        if text.contains("PRIVATE KEY") {
            return Err(
                Problem::new(format!("{} is a private key", path.display())).with_fix(format!(
                    "name the public half: --key {}.pub",
                    path.display()
                )),
            );
        }
        let line = text
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with("ssh-"));
        return line.map(str::to_owned).ok_or_else(|| {
            Problem::new(format!("{} holds no ed25519 or RSA key", path.display()))
                .with_fix("make one: ssh-keygen -t ed25519")
        });
    }
    let tried: Vec<String> = tried
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Err(
        Problem::new(format!("there is no {}", tried.join(" and no ")))
            .with_fix("make a key with `ssh-keygen -t ed25519`, or name one: --key FILE.pub"),
    )
}

/// The hosts that are asked for; all of the example where nobody can say.
fn hosts(args: &InitArgs, flags: &HostFlags) -> Result<BTreeSet<HostName>, Problem> {
    // `--host`, which every verb takes, means the same for one.
    let asked: BTreeSet<HostName> = args.hosts.iter().chain(&flags.host).cloned().collect();
    if !asked.is_empty() {
        return Ok(asked);
    }
    let offered = example_hosts();
    let all = || offered.iter().map(|(host, _)| host.clone()).collect();
    if !prompt::somebody_is_there() {
        return Ok(all());
    }
    for (host, description) in &offered {
        super::answer::say(format!("  {host:<14}{description}"));
    }
    let given_up = || Problem::new("given up; nothing was made");
    let line = prompt::line("Which hosts? [Enter: all; or some names]").ok_or_else(given_up)?;
    let names: Vec<&str> = line
        .split([',', ' '])
        .filter(|name| !name.is_empty())
        .collect();
    if names.is_empty() {
        return Ok(all());
    }
    names
        .into_iter()
        .map(|name| HostName::new(name).map_err(|error| Problem::of(&error)))
        .collect()
}

fn answer(new: &NewRepository, founder: &Founder, (dir, commit): (&Path, String)) -> InitAnswer {
    InitAnswer {
        version: 1,
        directory: dir.display().to_string(),
        commit,
        user: founder.user.to_string(),
        recipient: founder.recipient.key(),
        hosts: new.checked.hosts.keys().map(ToString::to_string).collect(),
        files: new.files().map(ToString::to_string).collect(),
        to_fill_in: new.to_fill_in.clone(),
    }
}

fn text(new: &NewRepository, founder: &Founder, (dir, commit): (&Path, &str)) -> String {
    let hosts: Vec<&str> = new.checked.hosts.keys().map(HostName::as_str).collect();
    let first = hosts.first().copied().unwrap_or("NAME");
    let user = &founder.user;
    let mut lines = vec![
        format!(
            "{} is a config repository for {}, committed as {commit}",
            dir.display(),
            hosts.join(", ")
        ),
        String::new(),
        "What to do next:".to_owned(),
    ];
    if dir != Path::new(".") {
        lines.push(format!("  cd {}", quoted(&dir.display().to_string())));
    }
    lines.extend([
        "  steadfast check                                   what is wrong: nothing".to_owned(),
        format!("  $EDITOR fleet.yml hosts/{first}/host.yml users/{user}.yml"),
        "  steadfast secrets edit secrets/default.yml        put in what others gave you:"
            .to_owned(),
    ]);
    lines.extend(new.to_fill_in.iter().map(|key| format!("{:52}{key}", "")));
    lines.extend([
        format!("  openssl passwd -6 | steadfast secrets set secrets/default.yml users/{user}/password_hash --stdin"),
        "  steadfast secrets install-git                     diffs and merges of secrets".to_owned(),
        format!("  steadfast secrets onboard {first} --ssh-keyscan ADDRESS    for each host that is there"),
        "  git remote add origin ADDRESS; git push -u origin main".to_owned(),
        "Then, on each host, install steadfast and name the repository in /etc/steadfast/agent.yml.".to_owned(),
    ]);
    lines.join("\n") + "\n"
}
