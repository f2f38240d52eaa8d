//! `secrets edit`: a secret file in the person's editor.

use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::{EDITOR, Failure, UNCHANGED};
use super::options::{InputType, NewFile, Opening};
use super::place::repository_for;
use super::{identities, prompt};
use crate::cli::HostFlags;
use crate::cli::answer::say;
use crate::cli::problem::{print_problem, warn};
use crate::report::{Problem, exit};
use crate::secrets::{
    Access, Again, Changed, ConflictError, EditSession, Editor, Kept, Recipe, SecretFile, Setback,
    conflict_in, edit, edit_conflict, swap_in_the_clear,
};

/// Open a secret file in your editor; a new one is made
#[derive(Debug, Default, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct EditArgs {
    /// The secret file; one that is not there is made
    pub file: PathBuf,
    #[command(flatten)]
    input: InputType,
    #[command(flatten)]
    opening: Opening,
    #[command(flatten)]
    new: NewFile,
}

impl EditArgs {
    /// What `edit FILE` would be typed as.
    pub(super) fn of_file(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            ..Self::default()
        }
    }
}

const ABOUT: &str = "\
Open a secret file in your editor; a new one is made for the recipients of its rule.

The editor is SOPS_EDITOR, EDITOR, or the first of vim, nano and vi. The plaintext is in one private file in memory \
(XDG_RUNTIME_DIR or /dev/shm), never on a disk, and is wiped when the editor ends. Values that you do not change keep \
their ciphertext, so a diff shows only what changed. A text that cannot be encrypted is opened again.

A file that a merge left in conflict opens with both versions decrypted, between git's markers, around the values that are \
in conflict alone. Saved without markers it is a whole file again.

Exit code 200: nothing was changed.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets edit secrets/default.yml
  EDITOR='code --wait' steadfast secrets edit secrets/default.yml";

/// Runs `edit`.
pub(super) fn run(args: &EditArgs, flags: &HostFlags) -> Result<u8, Failure> {
    let environment = |name: &str| std::env::var_os(name);
    let mac = args.opening.check()?;
    let wishes = args.new.wishes()?;
    let repository = repository_for(flags, Some(&args.file))?;
    let file = args
        .input
        .apply(SecretFile::at(&args.file, repository.as_ref()));
    let editor = Editor::find(&environment)
        .map_err(|error| Failure::new(Problem::of(&error).with_hint(error.fix()), EDITOR))?;
    let changed = {
        let identities = identities(flags)?;
        let session = EditSession {
            file: &file,
            access: Access {
                identities: &identities,
                mac,
            },
            wishes: &wishes,
            editor: &editor,
            environment: &environment,
            on_kept: tell_kept,
        };
        warn_of_swap();
        let conflict = conflict_in(&file, &identities).map_err(|error| of_conflict(&error))?;
        if let Some(conflict) = conflict {
            let edited = edit_conflict(&session, conflict, &mut ask);
            let changed = edited.map_err(|error| Failure::of_edit(&error))?;
            return Ok(settled(&file, changed));
        }
        edit(&session, &mut ask).map_err(|error| Failure::of_edit(&error))?
    };
    let path = file.path().display();
    match changed {
        Changed::Unchanged => {
            say(format!("{path} is unchanged"));
            return Ok(UNCHANGED);
        }
        Changed::Changed => say(format!("{path} is changed")),
        Changed::Created => {
            let names: Vec<String> = Recipe::of(&file, &wishes)
                .map(|recipe| {
                    recipe
                        .keys()
                        .recipients()
                        .map(|it| file.names().name_of(it))
                        .collect()
                })
                .unwrap_or_default();
            say(format!("{path} is made, for {}", names.join(", ")));
        }
    }
    Ok(exit::DONE)
}

/// Says what became of a conflict.
fn settled(file: &SecretFile<'_>, changed: Changed) -> u8 {
    let path = file.path().display();
    if changed == Changed::Unchanged {
        say(format!("{path} is still in conflict"));
        return UNCHANGED;
    }
    say(format!("{path} is merged; `git add {path}` says so to git"));
    exit::DONE
}

fn of_conflict(error: &ConflictError) -> Failure {
    match error {
        ConflictError::File(error) => Failure::of_file(error),
        error => Problem::of(error).with_hint(error.fix()).into(),
    }
}

/// What is in memory while the editor is open can be swapped out to a disk, which this program cannot forbid an editor.
fn warn_of_swap() {
    let areas = swap_in_the_clear();
    if !areas.is_empty() {
        let problem = Problem::new(format!(
            "the plaintext could be swapped out to {}",
            areas.join(", ")
        ))
        .with_fix("use encrypted swap or zram, or `swapoff -a` while you edit");
        warn(&problem);
    }
}

fn tell_kept(kept: &Kept) {
    say(format!(
        "what was saved in the editor is kept, encrypted: {}",
        kept.fix()
    ));
}

/// Shows what is wrong, and asks whether to go back to the editor if somebody is there.
fn ask(setback: &Setback) -> Again {
    if !prompt::somebody_is_there() {
        return Again::Nobody;
    }
    let (problem, question) = match setback {
        Setback::Mistake(mistake) => (
            Problem::of(mistake).with_fix(mistake.fix()),
            "Press Enter to go back to the editor, or type q and Enter to give up what was typed:",
        ),
        Setback::Failed(error) => (
            Problem::of(error).with_hint(error.fix()),
            "Press Enter to go back to the editor and try again, or type q and Enter to keep what was typed elsewhere:",
        ),
        Setback::Editor(error) => (
            Problem::of(error).with_hint(error.fix()),
            "Press Enter to open the editor again, or type q and Enter to keep what was typed elsewhere:",
        ),
    };
    print_problem(&problem);
    if prompt::enter_means_yes(question) {
        Again::Reopen
    } else {
        Again::GiveUp
    }
}
