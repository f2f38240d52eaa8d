//! A config repository to a typed [`HostConfig`] per host, every value with the place it came from.
//!
//! The way through: `yaml` reads a file into a tree that knows its lines; `library` reads what hosts share (modules,
//! people, variables); `resolve` finds the modules of one host, their `options`, evaluates `expression`s and `merge`s
//! what all files say into one tree; `parse` takes typed values out of it by means of `reader`, which collects every
//! error of the run; `excerpt` prints an error with its source line. `vocabulary` has every key of every file.

mod disk;
mod edit;
mod error;
mod excerpt;
mod expression;
mod files;
mod host;
mod library;
mod merge;
mod nearest;
mod options;
mod origin;
mod parse;
mod reader;
mod repository;
mod resolve;
mod speaker;
mod system;
#[cfg(test)]
mod tests;
mod vocabulary;
mod yaml;

pub use disk::{
    DiskConfig, Format as DiskFormat, LuksConfig, MountPoint, PartitionConfig, Purpose,
    SubvolumeConfig, disk,
};
pub use edit::WrittenEntry;
pub use error::{Colour, ConfigError, ConfigErrors, Mark, Severity, Sources};
pub use host::{
    DirectoryConfig, Enforcement, FileConfig, FileSource, FirewallConfig, GitSection, GroupConfig,
    HomeConfig, HostConfig, HostName, Ignored, InterfaceConfig, InterfaceName, IpPrefix,
    MountConfig, NetworkConfig, NetworkManager, OnConflict, Platform, QuadletConfig, QuadletName,
    RouteConfig, SecretConfig, SecretLink, SshdConfig, SymlinkConfig, TemplateConfig, UnitConfig,
    UserConfig, WireguardConfig, WireguardKey, WireguardPeer,
};
pub use library::{InputUse, Locked, ModuleName, inputs, lock_text, pins};
pub(crate) use nearest::nearest;
pub use options::OptionDescription;
pub(crate) use origin::line_and_column;
pub use origin::{Located, Origin};
use parse::duration_ms;
pub use resolve::{
    Content, Fleet, ModuleDescription, ModuleUse, OptionUse, Resolution, Resolved, UnheardValue,
    Used, hosts, resolve,
};
pub use speaker::Speaker;
pub use system::{
    AptConfig, AptPin, AptRepository, KeymapConfig, LocaleConfig, PackageConfig, RepositoryKey,
    RepositoryName, ResolvConfig,
};
pub use vocabulary::{FileKind, schema};
