//! `hosts/NAME/host.yml` to a typed [`HostConfig`], every value with the place it came from.
//!
//! `yaml` reads text into a tree that knows its lines, `reader` takes typed values out of it and collects every error
//! of the run, `host` knows the keys, `excerpt` prints an error with its source line.

mod error;
mod excerpt;
mod host;
mod nearest;
mod origin;
mod parse;
mod reader;
mod repository;
mod resolve;
#[cfg(test)]
mod tests;
mod yaml;

pub use error::{Colour, ConfigError, ConfigErrors, Mark};
pub use host::{
    DirectoryConfig, Enforcement, FileConfig, FileSource, GroupConfig, HostConfig, HostName,
    OnConflict, Platform, SecretConfig, SymlinkConfig, TemplateConfig, UnitConfig, UserConfig,
};
pub(crate) use nearest::nearest;
pub(crate) use origin::line_and_column;
pub use origin::{Located, Origin};
pub use resolve::{hosts, resolve};
