//! Where a text is edited: the plaintext in memory, the editor that has it, and what happens to both on a signal.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::editor::{Editor, EditorError};
use super::kept::{Keeper, Kept};
use super::session::EditSession;
use crate::host::exec::{Interrupt, SignalGuard, Signaller, end_by};
use crate::identity::Plaintext;
use crate::secrets::file::scratch::wipe;
use crate::secrets::file::scratch::{self, Scratch, ScratchError};
use crate::sops::KeyGroups;

/// How long an editor may take to go after a signal.
const GRACE: Duration = Duration::from_secs(1);

/// Plaintext in memory with an editor over it. Wiped when dropped, and on signals.
pub(super) struct Workplace {
    // The guard goes first: no signal may find a scratch that is half gone.
    _signals: SignalGuard,
    scratch: Scratch,
    shared: Arc<Shared>,
}

/// What the thread for signals must know.
struct Shared {
    /// Held while what was typed is taken over: a signal waits so long, and then finds all or nothing saved.
    work: Mutex<()>,
    editor: Mutex<Option<Signaller>>,
    keeper: Option<Keeper>,
    directory: PathBuf,
    file: PathBuf,
    before: [u8; 32],
    on_kept: fn(&Kept),
}

impl Workplace {
    /// Puts `before` below `base` into a file called `name`. `new_keys` are those of a file that is not there yet.
    pub(super) fn open(
        (base, name): (&Path, &OsStr),
        before: &Plaintext,
        session: &EditSession<'_>,
        new_keys: Option<&KeyGroups>,
    ) -> Result<Self, ScratchError> {
        let scratch = Scratch::create(base, name)?;
        let shared = Arc::new(Shared {
            work: Mutex::new(()),
            editor: Mutex::new(None),
            keeper: Keeper::new(session.access.identities, new_keys, (base, name)),
            directory: scratch.directory().to_owned(),
            file: scratch.file().to_owned(),
            before: digest(before),
            on_kept: session.on_kept,
        });
        let watched = Arc::clone(&shared);
        let leave = Box::new(move |signal| watched.leave(signal));
        let signals =
            SignalGuard::watch(Interrupt::OfTheProgram, leave).map_err(ScratchError::Signals)?;
        // Only now, so that no signal can come too early.
        scratch.write(before)?;
        Ok(Self {
            _signals: signals,
            scratch,
            shared,
        })
    }

    /// Opens the editor and waits until it ends.
    pub(super) fn run(&self, editor: &Editor, line: Option<usize>) -> Result<(), EditorError> {
        let running = editor.open(self.scratch.file(), line)?;
        let signaller = running.signaller().map_err(EditorError::Start)?;
        *locked(&self.shared.editor) = Some(signaller);
        let ended = editor.wait(running);
        *locked(&self.shared.editor) = None;
        ended
    }

    /// Keeps signals out until this is dropped.
    pub(super) fn work(&self) -> MutexGuard<'_, ()> {
        locked(&self.shared.work)
    }

    /// What is in the file now.
    pub(super) fn read(&self) -> Result<Plaintext, ScratchError> {
        self.scratch.read()
    }

    /// Whether the file holds something else than `before`.
    pub(super) fn has_changed(&self, before: &Plaintext) -> bool {
        self.read().is_ok_and(|now| !now.same_as(before.expose()))
    }

    /// Who keeps what cannot be saved.
    pub(super) fn keeper(&self) -> Option<&Keeper> {
        self.shared.keeper.as_ref()
    }
}

impl Shared {
    /// Ends the editor, keeps what was saved in it, wipes, and ends the process.
    fn leave(&self, signal: rustix::process::Signal) {
        let _working = locked(&self.work);
        if let Some(editor) = locked(&self.editor).as_ref() {
            editor.end(signal, GRACE);
        }
        if let (Some(keeper), Ok(typed)) = (&self.keeper, scratch::reread(&self.file))
            && digest(&typed) != self.before
            && let Some(kept) = keeper.keep(&typed)
        {
            (self.on_kept)(&kept);
        }
        wipe(&self.directory);
        end_by(signal)
    }
}

/// The text itself is not kept for the comparison.
fn digest(text: &Plaintext) -> [u8; 32] {
    Sha256::digest(text.expose()).into()
}

/// A thread that panicked left nothing half done behind these locks.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
