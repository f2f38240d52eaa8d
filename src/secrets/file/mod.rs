//! One secret file, read and changed: by its values, in an editor, as a whole.

mod change;
mod content;
mod edit;
mod editor;
mod error;
mod exec;
mod generate;
mod kept;
mod key_path;
mod memory_place;
mod new;
mod recipe;
mod rotate;
mod scratch;
mod secret_file;
mod signals;
mod wipe;
mod workplace;

pub use change::{Access, ChangeError, Changed, NewValue, encrypt, encrypted, set, unset};
pub use content::Mistake;
pub(super) use edit::edit_merged;
pub use edit::{Again, EditFileError, EditSession, Setback, edit};
pub use editor::{Editor, EditorError};
pub(super) use error::explain;
pub use error::{SecretFileError, SecretFileErrorKind};
pub use exec::{Handover, RunError, ShellCommand, run as run_program, run_with_file, variables};
pub use generate::{Alphabet, GenerateError, Generated, Generator, PasswordError, generate};
pub use kept::Kept;
pub use key_path::{KeyPath, KeyPathError};
pub use memory_place::swap_in_the_clear;
pub use new::{Existing, MadeSecret, NewSecret, NewSecretError, new_secret};
pub use recipe::{Recipe, RecipeError, Wishes};
pub use rotate::{RecipientChange, RotateError, rotate, rotated};
pub use scratch::ScratchError;
pub use secret_file::{MacCheck, SecretFile};
