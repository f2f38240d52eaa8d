//! `repo-example/` as it was when the program was built.

/// The example's person: their account,
pub(super) const PERSON: &str = "ketan";
/// their name,
pub(super) const PERSON_NAME: &str = "Ketan Example";
/// their address,
pub(super) const PERSON_EMAIL: &str = "ketan@example.org";
/// what they log in with.
pub(super) const PERSON_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKxYTQcLkq7EWTD5Htu5yPXPPHNY20cHAG2AdrYIMyiR ketan@laptop";

/// Whether a file of the example is no part of a repository that is made from it: its keys, what is sealed to them, and
/// what is made anew.
#[cfg(test)]
pub(super) fn is_left_out(path: &str) -> bool {
    path.starts_with("DEMO-KEYS-NOT-SECRET/")
        || path.starts_with(".schema/")
        || path.ends_with("/ssh_host_ed25519_key.pub")
        || [".sops.yaml", "secrets/default.yml"].contains(&path)
}

macro_rules! example {
    ($($path:literal,)*) => {
        &[$(($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/repo-example/", $path))),)*]
    };
}

/// Path and text of every file, in path order.
pub(super) const EXAMPLE: &[(&str, &str)] = example! {
    ".gitignore",
    "README.md",
    "fleet.yml",
    "hosts/boulder/host.yml",
    "hosts/chicago/host.yml",
    "hosts/vm-bootstrap/host.yml",
    "hosts/yakima/disk.yml",
    "hosts/yakima/host.yml",
    "modules/amd-gpu/README.md",
    "modules/amd-gpu/module.yml",
    "modules/base/README.md",
    "modules/base/module.yml",
    "modules/container/README.md",
    "modules/container/module.yml",
    "modules/debian-archive/README.md",
    "modules/debian-archive/i386.conf",
    "modules/debian-archive/module.yml",
    "modules/desktop/README.md",
    "modules/desktop/module.yml",
    "modules/dev-setup/README.md",
    "modules/dev-setup/direnv.sh",
    "modules/dev-setup/module.yml",
    "modules/gaming/README.md",
    "modules/gaming/module.yml",
    "modules/home-desktop/Fleet.profile",
    "modules/home-desktop/README.md",
    "modules/home-desktop/fonts.conf",
    "modules/home-desktop/module.yml",
    "modules/home/README.md",
    "modules/home/module.yml",
    "modules/home/tmux.conf",
    "modules/local-llm/README.md",
    "modules/local-llm/module.yml",
    "modules/local-llm/ollama.container",
    "modules/local-llm/open-webui.container",
    "modules/networking/README.md",
    "modules/networking/firewall.nft",
    "modules/networking/module.yml",
    "modules/nix/README.md",
    "modules/nix/module.yml",
    "modules/nix/nix-gc.service",
    "modules/nix/nix-gc.timer",
    "modules/restic-backup/README.md",
    "modules/restic-backup/backup.service",
    "modules/restic-backup/backup.timer",
    "modules/restic-backup/check.service",
    "modules/restic-backup/check.timer",
    "modules/restic-backup/definition.yml",
    "modules/restic-backup/module.yml",
    "modules/server/README.md",
    "modules/server/module.yml",
    "modules/server/upgrades.conf",
    "modules/users/README.md",
    "modules/users/module.yml",
    "modules/vm-bootstrap/README.md",
    "modules/vm-bootstrap/module.yml",
    "modules/vm-guest/README.md",
    "modules/vm-guest/grow-root",
    "modules/vm-guest/grow-root.service",
    "modules/vm-guest/module.yml",
    "modules/vm-guest/serial-console.cfg",
    "modules/vm-guest/update-grub.service",
    "users/ketan.yml",
};
