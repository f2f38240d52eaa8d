//! Packages of the distribution: asked of dpkg, moved by apt.

mod apt;
mod busy;
mod error;
mod files;
mod install;
mod installed;
mod lock;
mod remove;
mod simulate;

pub use error::PackageError;
pub use files::{PackagedFile, Upkeep};
pub use install::{Hold, Remember};
pub use installed::InstalledPackages;
pub use lock::{PATIENCE, PackageLock};
pub use remove::{Leaving, Ours};
pub use simulate::Arriving;
