//! One secret file, read and changed: by its values, in an editor, as a whole.

mod change;
mod edit;
mod editor;
mod generate;
mod key_path;
mod new;
mod scratch;
mod secret_file;
mod signals;

pub use change::{ChangeError, Changed, encrypt, set, unset};
pub use edit::{Again, EditFileError, EditSession, Mistake, edit};
pub use editor::{Editor, EditorError};
pub use generate::{Alphabet, GenerateError, Generated, Generator, PasswordError, generate};
pub use key_path::{KeyPath, KeyPathError};
pub use new::{Existing, MadeSecret, NewSecret, NewSecretError, new_secret};
pub use scratch::ScratchError;
pub(super) use secret_file::explain;
pub use secret_file::{SecretFileError, SecretFileErrorKind, get, view};
