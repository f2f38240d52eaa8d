//! A secret file in somebody's editor: opened, handed over, taken back, and never lost on the way.

mod content;
mod editor;
mod kept;
mod session;
mod workplace;

pub use content::Mistake;
pub use editor::{Editor, EditorError};
pub use kept::Kept;
pub(in crate::secrets) use session::edit_merged;
pub use session::{Again, EditFileError, EditSession, Setback, edit};
