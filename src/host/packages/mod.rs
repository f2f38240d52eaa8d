//! Packages of the distribution: asked of dpkg, moved by apt.

mod apt;
mod error;
mod install;
mod installed;
mod remove;
mod simulate;

pub use error::PackageError;
pub use install::{Hold, Remember};
pub use installed::InstalledPackages;
pub use remove::{Leaving, Ours};
pub use simulate::Arriving;
