//! Modules of the running kernel.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::exec::{ExecError, Program};
use super::{Host, KernelModule};

/// What the running kernel says of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModuleState {
    /// It is loaded.
    Loaded,
    /// It is part of the kernel itself.
    BuiltIn,
    /// It is not loaded.
    Missing,
    /// It is not loaded, and cannot be from here; why.
    OutOfReach(&'static str),
}

/// A kernel module that could not be loaded.
#[derive(Debug, thiserror::Error)]
#[error("cannot load the kernel module {module}")]
pub struct LoadModuleError {
    /// The module.
    pub module: KernelModule,
    /// Why.
    #[source]
    pub source: ExecError,
}

impl LoadModuleError {
    /// How to put it right, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        if self.source.stderr().contains("not found") {
            return Some(format!(
                "the kernel `uname -r` has no {}; check the name, or install the package that brings it",
                self.module
            ));
        }
        self.source.hint()
    }
}

/// `CAP_SYS_MODULE` of `linux/capability.h`.
const CAP_SYS_MODULE: u32 = 16;
/// systemd makes it in every container, whatever that container may do.
const CONTAINER: &str = "/run/systemd/container";
const UNDERNEATH: &str = "only the machine under this container can load modules";

impl Host {
    /// What the running kernel says of `modules`; nothing of any of them below a root.
    #[must_use]
    pub fn kernel_modules(
        &self,
        modules: &BTreeSet<KernelModule>,
    ) -> BTreeMap<KernelModule, ModuleState> {
        if !self.is_live() || modules.is_empty() {
            return BTreeMap::new();
        }
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let release = read("/proc/sys/kernel/osrelease");
        let builtin = read(&format!("/lib/modules/{}/modules.builtin", release.trim()));
        let loaded = read("/proc/modules");
        let obstacle = if Path::new(CONTAINER).exists() {
            Some(UNDERNEATH)
        } else {
            obstacle(
                &read("/proc/self/status"),
                &read("/proc/sys/kernel/modules_disabled"),
            )
        };
        let state = |module: &KernelModule| {
            let name = module.listed();
            // A module without a file of its own, or a kernel whose files are not here, as in a container.
            let in_kernel = || Path::new("/sys/module").join(&name).is_dir();
            if is_loaded(&loaded, &name) {
                ModuleState::Loaded
            } else if is_built_in(&builtin, &name) || in_kernel() {
                ModuleState::BuiltIn
            } else {
                obstacle.map_or(ModuleState::Missing, ModuleState::OutOfReach)
            }
        };
        modules
            .iter()
            .map(|module| (module.clone(), state(module)))
            .collect()
    }

    /// Loads a module with what it needs. Below a root nothing runs, and nothing happens.
    ///
    /// # Errors
    /// [`LoadModuleError`] with modprobe's last words.
    pub fn load_kernel_module(&self, module: &KernelModule) -> Result<(), LoadModuleError> {
        if !self.is_live() {
            return Ok(());
        }
        Program::new("modprobe")
            .args(["--", module.as_str()])
            .run_ok()
            .map(drop)
            .map_err(|source| LoadModuleError {
                module: module.clone(),
                source,
            })
    }
}

/// Why no module can be loaded by this process, if so.
fn obstacle(status: &str, disabled: &str) -> Option<&'static str> {
    if disabled.trim() == "1" {
        return Some("this kernel takes no more modules until it boots again");
    }
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    let allowed = effective.is_none_or(|set| set & (1 << CAP_SYS_MODULE) != 0);
    (!allowed).then_some(UNDERNEATH)
}

/// `NAME SIZE USES …`, a line each.
fn is_loaded(modules: &str, name: &str) -> bool {
    modules
        .lines()
        .any(|line| line.split_whitespace().next() == Some(name))
}

/// `kernel/drivers/net/dummy.ko`, a line each.
fn is_built_in(builtin: &str, name: &str) -> bool {
    builtin.lines().any(|line| {
        let file = line.rsplit('/').next().unwrap_or_default();
        let stem = file.split(".ko").next().unwrap_or_default();
        stem.replace('-', "_") == name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_known_by_either_spelling() {
        let loaded = "nct6775 28672 0 - Live 0x0\nkvm_amd 155648 0 - Live 0x0\n";
        let builtin = "kernel/fs/ext4/ext4.ko\nkernel/crypto/ghash-generic.ko.xz\n";
        let name = |text: &str| KernelModule::new(text).unwrap().listed();
        assert!(is_loaded(loaded, &name("kvm-amd")));
        assert!(!is_loaded(loaded, &name("kvm")));
        assert!(is_built_in(builtin, &name("ghash_generic")));
        assert!(is_built_in(builtin, &name("ext4")));
        assert!(!is_built_in(builtin, &name("ext")));
    }

    #[test]
    fn who_may_not_load_modules_is_told_from_the_capabilities() {
        assert_eq!(obstacle("CapEff:\t000001ffffffffff\n", "0\n"), None);
        assert!(obstacle("CapEff:\t000001fffffeffff\n", "0").is_some());
        assert!(obstacle("CapEff:\t000001ffffffffff\n", "1\n").is_some());
        assert_eq!(obstacle("", ""), None);
    }

    #[test]
    fn below_a_root_nothing_is_said_and_nothing_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::below(dir.path()).unwrap();
        let module = KernelModule::new("no_such_module").unwrap();
        assert!(host.kernel_modules(&[module.clone()].into()).is_empty());
        host.load_kernel_module(&module).unwrap();
    }
}
