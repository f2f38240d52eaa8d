//! Whole plans, walked over the generations 0 → 1 → 2 → 0.

use super::world::*;
use crate::config::OnConflict;
use crate::generation::{Manifest, OnChange, PathEntry, UserEntry};
use crate::host::{ActiveState, GroupName, UserName};
use crate::secrets::{SecretSpec, UnitTriggers};
use crate::source::RepoPath;

pub(super) fn secret(ciphertext: &str) -> SecretSpec {
    SecretSpec {
        file: RepoPath::new("secrets/default.yml").unwrap(),
        key: vec!["db".to_owned(), "password".to_owned()],
        ciphertext: ciphertext.to_owned(),
        owner: UserName::new("app").unwrap(),
        group: GroupName::new("app").unwrap(),
        mode: crate::host::FileMode::from_bits(0o400),
        optional: false,
        units: UnitTriggers {
            restart: [unit_name("app.service")].into(),
            reload: [].into(),
        },
    }
}

fn first() -> Manifest {
    let mut manifest = manifest();
    manifest.hostname = Some("chicago".to_owned());
    manifest
        .sysctls
        .insert("vm.swappiness".to_owned(), "10".to_owned());
    manifest.packages.insert(package("curl"));
    let app = UserEntry {
        group: GroupName::new("app").unwrap(),
        system: true,
        ..user("/var/lib/app")
    };
    manifest.users.insert(UserName::new("app").unwrap(), app);
    let motd = PathEntry {
        on_conflict: OnConflict::Backup,
        ..file("welcome")
    };
    manifest.paths.insert(path("/etc/motd"), motd);
    let link = entry(link_kind("/etc/systemd/system/app.service"));
    manifest.paths.insert(
        path("/etc/systemd/system/multi-user.target.wants/app.service"),
        link,
    );
    with_unit(&mut manifest, "app.service", "1", OnChange::StopStart);
    manifest
        .secrets
        .insert(secret_name("db/password"), secret("aaaa"));
    manifest
}

fn second() -> Manifest {
    let mut manifest = first();
    manifest.packages.insert(package("nfs-common"));
    with_unit(&mut manifest, "app.service", "2", OnChange::StopStart);
    with_unit(&mut manifest, "report.timer", "1", OnChange::Restart);
    manifest.sysctls.clear();
    manifest
        .secrets
        .insert(secret_name("api/key"), secret("bbbb"));
    manifest
}

#[test]
fn from_nothing_to_the_first_to_the_second_and_back_to_nothing() {
    let mut world = World::fresh();
    world.put("/etc/motd", file_state("Debian"));
    world
        .observed
        .sysctls
        .insert("vm.swappiness".to_owned(), "60".to_owned());
    let before = world.tree();
    let mut story = String::new();
    for (name, manifest) in [("1", first()), ("2", second()), ("0", manifest())] {
        let plan = world.go(&manifest);
        story = format!("{story}== to generation {name}\n{}\n", text(&plan));
        assert!(
            world
                .plan(&manifest, crate::activation::Held::Nothing)
                .unwrap()
                .is_empty()
        );
    }
    insta::assert_snapshot!(story);
    assert_eq!(world.tree(), before);
    assert_eq!(
        world.observed.units[&unit_name("app.service")].active,
        Some(ActiveState::Inactive)
    );
}
