//! `secrets list`: the secret files and who can read them.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::columns::columns;
use super::rekey::{of_comparison, warn_of};
use super::repository;
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json};
use crate::cli::flags::{Format, FormatFlags};
use crate::report::{Problem, exit};
use crate::secrets::{DataKeyChange, RekeyPlan, Wanted, plan_rekey};

/// List the secret files and who can read them
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ListArgs {
    #[command(flatten)]
    pub(in crate::cli) format: FormatFlags,
}

const EXAMPLES: &str = "\
Examples:
  steadfast secrets list
  steadfast secrets list --json | jq '.files[] | select(.matches_rule | not)'";

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

/// Runs `list`.
pub(super) fn run(args: &ListArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let repository = repository(flags)?;
    let wanted = Wanted {
        files: &[],
        data_key: DataKeyChange::Keep,
    };
    let plan =
        plan_rekey(&repository, &wanted, &|_step| ()).map_err(|error| of_comparison(&error))?;
    let list = listed(&plan);
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
            print(&if rows.is_empty() {
                "there is no secret file\n".to_owned()
            } else {
                columns(["FILE", "READABLE FOR", ""], &rows)
            })?;
            warn_of(&plan.notices);
        }
    }
    Ok(exit::DONE)
}

fn listed(plan: &RekeyPlan) -> SecretList {
    let matching = plan.matching.iter().map(|found| ListedFile {
        file: found.file.to_string(),
        recipients: found.recipients.clone(),
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
