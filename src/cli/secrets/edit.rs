//! `secrets edit`: a secret file in the person's editor.

use std::path::PathBuf;

use clap::Args;

use super::{UNCHANGED, identities, locate, prompt, repository};
use crate::cli::HostFlags;
use crate::cli::answer::say;
use crate::cli::problem::print_problem;
use crate::report::{Problem, exit};
use crate::secrets::{Again, Changed, EditSession, Editor, Mistake, edit};

/// Open a secret file in your editor; a new one is made
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct EditArgs {
    /// The secret file; one that is not there is made
    pub file: PathBuf,
}

const ABOUT: &str = "\
Open a secret file in your editor; a new one is made for the recipients of its rule.

The editor is SOPS_EDITOR, EDITOR, or the first of vim, nano and vi. The plaintext is in one private file in memory \
(XDG_RUNTIME_DIR or /dev/shm), never on a disk, and is wiped when the editor ends. Values that you do not change keep \
their ciphertext, so a diff shows only what changed. A text that cannot be encrypted is opened again.

Exit code 200: nothing was changed.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets edit secrets/default.yml
  EDITOR='code --wait' steadfast secrets edit secrets/default.yml";

/// Runs `edit`.
pub(super) fn run(args: &EditArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let environment = |name: &str| std::env::var_os(name);
    let repository = repository(flags)?;
    let file = locate(&repository, &args.file)?;
    let identities = identities(flags)?;
    let editor =
        Editor::find(&environment).map_err(|error| Problem::of(&error).with_hint(error.fix()))?;
    let session = EditSession {
        repository: &repository,
        identities: &identities,
        editor: &editor,
        environment: &environment,
    };
    let changed = edit(&session, &file, &mut ask)
        .map_err(|error| Problem::of(&error).with_hint(error.fix()))?;
    match changed {
        Changed::Unchanged => {
            say(format!("{file} is unchanged"));
            return Ok(UNCHANGED);
        }
        Changed::Changed => say(format!("{file} is changed")),
        Changed::Created => {
            let recipients = repository.rules().recipients_of(&file).unwrap_or_default();
            let names: Vec<String> = recipients
                .iter()
                .map(|recipient| repository.names().name_of(recipient))
                .collect();
            say(format!("{file} is made, for {}", names.join(", ")));
        }
    }
    Ok(exit::DONE)
}

/// Shows what is wrong, and asks whether to go back to the editor if somebody is there.
fn ask(mistake: &Mistake) -> Again {
    let question = "Press Enter to go back to the editor, or type q and Enter to give up:";
    if !prompt::somebody_is_there() {
        return Again::Stop;
    }
    print_problem(&Problem::of(mistake).with_fix(mistake.fix()));
    if prompt::enter_means_yes(question) {
        Again::Reopen
    } else {
        Again::Stop
    }
}
