//! `secrets rekey` and `secrets list`.

use schemars::JsonSchema;
use serde::Serialize;

use super::args::{ListArgs, RekeyArgs};
use super::{identities, locate, repository};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json, say};
use crate::cli::flags::Format;
use crate::cli::style::{ADDED, LABEL, REMOVED, WARN, paint};
use crate::report::{Problem, exit};
use crate::secrets::{
    RekeyError, RekeyNotice, RekeyNoticeKind, RekeyPlan, Repository, plan_rekey, rekey,
};

/// `secrets rekey --json`: what changes for whom.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct RekeyAnswer {
    /// Format version, 1.
    pub version: u32,
    /// Whether the changes were made; `false` with `--check`.
    pub done: bool,
    /// Files whose recipients differ, or differed, from their rule.
    pub changes: Vec<RekeyedFile>,
    /// Files that match their rule and were not touched.
    pub matching: Vec<String>,
    /// Files that are left alone, and why.
    pub notices: Vec<String>,
}

/// One file of a rekey.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct RekeyedFile {
    /// The file, relative to the repository.
    pub file: String,
    /// Who can open it from now on, by name where one is known.
    pub gained: Vec<String>,
    /// Who cannot open it any more.
    pub lost: Vec<String>,
    /// Who could and can open it.
    pub kept: Vec<String>,
}

/// `secrets list --json`: the secret files.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct SecretList {
    /// Format version, 1.
    pub version: u32,
    /// The files, in path order.
    pub files: Vec<ListedFile>,
    /// Files that should be encrypted or have a rule, and do not.
    pub notices: Vec<String>,
}

/// One secret file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(in crate::cli) struct ListedFile {
    /// The file, relative to the repository.
    pub file: String,
    /// Who can open it, by name where one is known.
    pub recipients: Vec<String>,
    /// Whether these are exactly those that .sops.yaml names.
    pub matches_rule: bool,
}

/// Runs `rekey`.
pub(super) fn run(args: &RekeyArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let repository = repository(flags)?;
    let mut files = Vec::with_capacity(args.files.len());
    for path in &args.files {
        files.push(locate(&repository, path)?);
    }
    let plan = plan_rekey(&repository, &files).map_err(|error| of_rekey(&error))?;
    let format = args.format.format();
    if format == Format::Text {
        print(&table(&plan))?;
    }
    warn_of(&plan.notices);
    if !args.check && !plan.is_empty() {
        let identities = identities(flags)?;
        for file in plan.closed_to(&identities) {
            say(format!(
                "{} you will not be able to open {file} any more",
                paint(WARN, "warning:")
            ));
        }
        rekey(&repository, &plan, &identities).map_err(|error| of_rekey(&error))?;
    }
    if format == Format::Json {
        print_json(&answer(&plan, !args.check))?;
    }
    say(summary(&plan, args.check));
    if args.check && !plan.is_empty() {
        return Ok(exit::DRIFT);
    }
    Ok(exit::DONE)
}

/// Runs `list`.
pub(super) fn list(args: &ListArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let repository = repository(flags)?;
    let plan = plan_rekey(&repository, &[]).map_err(|error| of_rekey(&error))?;
    let list = listed(&repository, &plan);
    match args.format.format() {
        Format::Json => print_json(&list)?,
        Format::Text => {
            let rows: Vec<[String; 3]> = list
                .files
                .iter()
                .map(|file| {
                    let state = if file.matches_rule {
                        ""
                    } else {
                        "needs a rekey"
                    };
                    [
                        file.file.clone(),
                        file.recipients.join(", "),
                        state.to_owned(),
                    ]
                })
                .collect();
            print(&columns(["FILE", "READABLE FOR", ""], &rows))?;
            warn_of(&plan.notices);
        }
    }
    Ok(exit::DONE)
}

/// Says what a rekey leaves alone. A repository may hold many encrypted files that are nobody's business here, such as the
/// vectors of a test suite: those without a rule share a line.
fn warn_of(notices: &[RekeyNotice]) {
    const SHOWN: usize = 3;
    let warn = |text: String| say(format!("{} {text}", paint(WARN, "warning:")));
    let (ruleless, others): (Vec<_>, Vec<_>) = notices
        .iter()
        .partition(|notice| notice.kind == RekeyNoticeKind::NoRule);
    for notice in others {
        warn(notice.to_string());
    }
    if ruleless.len() <= SHOWN {
        for notice in ruleless {
            warn(notice.to_string());
        }
        return;
    }
    let shown: Vec<String> = ruleless
        .iter()
        .take(SHOWN)
        .map(|notice| notice.file.to_string())
        .collect();
    warn(format!(
        "{} encrypted files have no rule in .sops.yaml that says for whom: {} and {} more",
        ruleless.len(),
        shown.join(", "),
        ruleless.len() - SHOWN
    ));
}

fn listed(repository: &Repository, plan: &RekeyPlan) -> SecretList {
    let matching = plan.matching.iter().map(|found| ListedFile {
        file: found.file.to_string(),
        recipients: found
            .recipients
            .iter()
            .map(|recipient| repository.names().name_of(recipient))
            .collect(),
        matches_rule: true,
    });
    let different = plan.changes.iter().map(|change| ListedFile {
        file: change.file.to_string(),
        recipients: [change.kept.as_slice(), &change.lost].concat(),
        matches_rule: false,
    });
    let mut files: Vec<ListedFile> = matching.chain(different).collect();
    files.sort_by(|a, b| a.file.cmp(&b.file));
    SecretList {
        version: 1,
        files,
        notices: plan.notices.iter().map(ToString::to_string).collect(),
    }
}

fn answer(plan: &RekeyPlan, done: bool) -> RekeyAnswer {
    let changes = plan.changes.iter().map(|change| RekeyedFile {
        file: change.file.to_string(),
        gained: change.gained.clone(),
        lost: change.lost.clone(),
        kept: change.kept.clone(),
    });
    RekeyAnswer {
        version: 1,
        done,
        changes: changes.collect(),
        matching: plan.matching.iter().map(|it| it.file.to_string()).collect(),
        notices: plan.notices.iter().map(ToString::to_string).collect(),
    }
}

/// One row per file that changes: who gains it, who loses it.
fn table(plan: &RekeyPlan) -> String {
    if plan.is_empty() {
        return String::new();
    }
    let signed = |names: &[String], sign: &str, style| {
        let parts: Vec<String> = names
            .iter()
            .map(|name| paint(style, format!("{sign}{name}")))
            .collect();
        parts.join(" ")
    };
    let rows: Vec<[String; 3]> = plan
        .changes
        .iter()
        .map(|change| {
            [
                change.file.to_string(),
                signed(&change.gained, "+", ADDED),
                signed(&change.lost, "-", REMOVED),
            ]
        })
        .collect();
    columns(["FILE", "GAINED BY", "LOST BY"], &rows)
}

/// Rows under headings, each column as wide as its widest cell; colours take no room.
fn columns(headings: [&str; 3], rows: &[[String; 3]]) -> String {
    let width = |text: &str| {
        anstream::adapter::strip_str(text)
            .to_string()
            .chars()
            .count()
    };
    let head = headings.map(|heading| match heading {
        "" => String::new(),
        heading => paint(LABEL, heading),
    });
    let all: Vec<&[String; 3]> = std::iter::once(&head).chain(rows).collect();
    let widest = |column: usize| all.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    let widths = [widest(0), widest(1)];
    let mut text = String::new();
    for row in all {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            line.push_str(cell);
            if let Some(wanted) = widths.get(column) {
                line.push_str(&" ".repeat(wanted + 2 - width(cell)));
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn summary(plan: &RekeyPlan, check: bool) -> String {
    let files = |count: usize| match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    if plan.is_empty() {
        return match plan.matching.len() {
            0 => "there is no secret file".to_owned(),
            count => format!("{} as .sops.yaml says; nothing to do", files(count)),
        };
    }
    let (differing, matching) = (files(plan.changes.len()), files(plan.matching.len()));
    if check {
        return format!(
            "{differing} not as .sops.yaml says, {matching} as it says; `steadfast secrets rekey` makes them match"
        );
    }
    let mut text = format!("{differing} rekeyed, {matching} as before");
    if plan.changes.iter().any(|change| !change.lost.is_empty()) {
        text.push_str(
            "\nwhoever lost a file can still read it in git's history: change the secrets that they must not know",
        );
    }
    text
}

/// Every trouble with its own cause; the distinct fixes together.
fn of_rekey(error: &RekeyError) -> Problem {
    let mut problem = Problem::new(error.to_string());
    let mut fixes: Vec<String> = Vec::new();
    for trouble in &error.troubles {
        let one = Problem::of(trouble);
        let mut text = one.what;
        for cause in one.causes {
            if !text.ends_with(&cause) {
                text.push_str(": ");
                text.push_str(&cause);
            }
        }
        problem.causes.push(text);
        fixes.extend(trouble.fix().filter(|fix| !fixes.contains(fix)));
    }
    if !fixes.is_empty() {
        problem = problem.with_fix(fixes.join("\n"));
    }
    problem
}
