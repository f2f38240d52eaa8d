//! One secret file, read and changed: by its values, in an editor, as a whole.

mod change;
mod edit;
mod error;
mod exec;
mod generate;
mod key_path;
mod new;
mod recipe;
mod rotate;
mod scratch;
mod secret_file;

pub use change::{Access, ChangeError, Changed, NewValue, encrypt, encrypted, set, unset};
pub(super) use edit::edit_merged;
pub use edit::{
    Again, EditFileError, EditSession, Editor, EditorError, Kept, Mistake, Setback, edit,
};
pub(super) use error::explain;
pub use error::{SecretFileError, SecretFileErrorKind};
pub use exec::{Handover, RunError, ShellCommand, run as run_program, run_with_file, variables};
pub use generate::{Alphabet, GenerateError, Generated, Generator, PasswordError, generate};
pub use key_path::{KeyPath, KeyPathError};
pub use new::{Existing, MadeSecret, NewSecret, NewSecretError, new_secret};
pub use recipe::{Recipe, RecipeError, Wishes};
pub use rotate::{RecipientChange, RotateError, rotate, rotated};
pub use scratch::{ScratchError, swap_in_the_clear};
pub use secret_file::{MacCheck, SecretFile};
