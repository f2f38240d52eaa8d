//! `secrets edit`.

use super::args::FileArgs;
use super::{UNCHANGED, identities, locate, prompt, repository};
use crate::cli::HostFlags;
use crate::cli::answer::say;
use crate::cli::problem::print_problem;
use crate::report::{Problem, exit};
use crate::secrets::{Again, Changed, EditSession, Editor, Mistake, edit};

/// Runs `edit`.
pub(super) fn run(args: &FileArgs, flags: &HostFlags) -> Result<u8, Problem> {
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
