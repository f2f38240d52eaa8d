use super::world::*;
use crate::activation::{Held, Step};
use crate::config::OnConflict;
use crate::generation::{Manifest, PathEntry, UnitEntry};
use crate::host::{
    ActiveState, Arriving, KernelModule, LocaleName, ModuleState, PathState, UnitFileState,
    UnitState,
};
use crate::secrets::UnitTriggers;

fn with_packages(names: &[&str]) -> Manifest {
    let mut manifest = manifest();
    manifest.packages = names.iter().map(|name| package(name)).collect();
    manifest
}

fn taken(content: &str) -> PathEntry {
    PathEntry {
        on_conflict: OnConflict::Backup,
        ..file(content)
    }
}

#[test]
fn package_sources_come_before_packages_and_packages_go_after_files() {
    let mut world = World::fresh();
    world.put("/etc/apt", directory_state());
    world.put("/etc/apt/keyrings", directory_state());
    world.put("/etc/apt/sources.list.d", directory_state());
    let mut first = with_packages(&["docker-ce"]);
    first.holds.insert(package("docker-ce"));
    for (path, entry) in [
        ("/etc/apt/keyrings/docker.asc", taken("key")),
        ("/etc/apt/sources.list.d/docker.sources", taken("source")),
        ("/etc/docker.json", file("{}")),
    ] {
        first.paths.insert(super::world::path(path), entry);
    }
    let there = text(&world.go(&first));
    let back = text(&world.go(&manifest()));
    insta::assert_snapshot!(format!("{there}\n--\n{back}"));
}

#[test]
fn a_new_key_fetches_the_lists_of_what_it_signs_and_a_new_mode_fetches_none() {
    let mut world = World::fresh();
    let mut first = manifest();
    for (path, entry) in [
        ("/etc/apt/keyrings/a.asc", taken("key")),
        ("/etc/apt/sources.list.d/a.sources", taken("source")),
    ] {
        first.paths.insert(path_of(path), entry);
    }
    world.go(&first);
    let lists = |plan: &crate::activation::Plan| {
        let lists = plan.steps.iter().filter_map(|step| match step {
            Step::UpdatePackageLists { sources } => Some(sources.clone()),
            _ => None,
        });
        lists.collect::<Vec<_>>()
    };
    let mut second = first.clone();
    second
        .paths
        .insert(path_of("/etc/apt/keyrings/a.asc"), taken("new key"));
    let plan = world.plan(&second, Held::Nothing).unwrap();
    assert_eq!(
        lists(&plan),
        [[path_of("/etc/apt/sources.list.d/a.sources")].into()]
    );
    let PathState::File { mode, .. } = world
        .observed
        .paths
        .get_mut(&path_of("/etc/apt/sources.list.d/a.sources"))
        .unwrap()
    else {
        panic!("a file was written");
    };
    *mode = crate::host::FileMode::from_bits(0o600);
    let plan = world.plan(&first, Held::Nothing).unwrap();
    assert_eq!((plan.steps.len(), lists(&plan).len()), (1, 0));
}

fn path_of(text: &str) -> crate::host::HostPath {
    path(text)
}

#[test]
fn what_apt_will_bring_is_in_the_plan() {
    let mut world = World::fresh();
    let one = |version: &str, replaces: Option<&str>| Arriving {
        version: version.to_owned(),
        replaces: replaces.map(str::to_owned),
    };
    world.observed.software.arriving = [
        (package("curl"), one("8.14.1-2", None)),
        (package("libcurl4"), one("8.14.1-2", None)),
        (package("libc6"), one("2.41-12", Some("2.41-11"))),
    ]
    .into();
    world.observed.software.interrupted = true;
    let plan = world
        .plan(&with_packages(&["curl"]), Held::Nothing)
        .unwrap();
    assert_eq!(
        text(&plan),
        "install curl 8.14.1-2; with libc6 2.41-11 → 2.41-12, libcurl4 8.14.1-2\n\
         note: packages: dpkg was interrupted; what it left is finished first"
    );
}

#[test]
fn what_was_there_before_and_what_others_need_stays() {
    let mut world = World::fresh();
    let before = [package("vim"), package("curl")];
    world.observed.packages = Some(before.into());
    world.go(&with_packages(&["curl", "nfs-common", "rpcbind"]));
    let desired = manifest();
    let mut observed = world.look(&desired);
    observed.software.leaving.remove = [package("nfs-common")].into();
    observed.software.leaving.kept = [(package("rpcbind"), "needed by quota".to_owned())].into();
    let owned = crate::activation::Owned {
        generations: world.active.iter().collect(),
        originals: &world.originals,
        additions: &world.additions,
        unfinished: [].into(),
    };
    let plan = crate::activation::plan(&desired, &owned, &observed, Held::Nothing).unwrap();
    assert_eq!(
        text(&plan),
        "remove nfs-common\n\
         note: package rpcbind: is no longer asked for; it stays: needed by quota\n\
         note: package curl: is no longer asked for; it stays, because it was not steadfast that installed it"
    );
}

#[test]
fn only_holds_of_ours_are_released() {
    let mut world = World::fresh();
    world.observed.packages = Some([package("aa"), package("bb")].into());
    world.observed.software.held = [package("bb")].into();
    let mut desired = with_packages(&["aa", "bb"]);
    desired.holds = [package("aa"), package("bb")].into();
    assert_eq!(text(&world.go(&desired)), "keep aa at this version");
    // Somebody releases it by hand: drift, which is reported.
    world.observed.software.held.remove(&package("aa"));
    let plan = world.plan(&desired, Held::Reported).unwrap();
    assert_eq!(
        text(&plan),
        "note: package aa: is no longer held; it is left so, because drift is only reported"
    );
    world.go(&desired);
    let plan = world
        .plan(&with_packages(&["aa", "bb"]), Held::Nothing)
        .unwrap();
    assert_eq!(text(&plan), "let upgrades have aa");
}

#[test]
fn modules_are_loaded_before_their_parameters_are_set_and_locales_when_missing() {
    let mut world = World::fresh();
    let module = |text: &str| KernelModule::new(text).unwrap();
    let mut desired = manifest();
    desired.kernel_modules = ["br_netfilter", "ext4", "kvm-amd"].map(module).into();
    desired.locales = ["de_DE.UTF-8", "en_US.UTF-8"]
        .map(|text| LocaleName::new(text).unwrap())
        .into();
    desired.sysctls.insert(
        "net.bridge.bridge-nf-call-iptables".to_owned(),
        "1".to_owned(),
    );
    let why = "only the machine under this container can load modules";
    world.observed.modules = [
        (module("ext4"), ModuleState::BuiltIn),
        (module("kvm-amd"), ModuleState::OutOfReach(why)),
    ]
    .into();
    world.observed.locales = Some([LocaleName::new("en_US.UTF-8").unwrap()].into());
    assert_eq!(
        text(&world.go(&desired)),
        "load kernel module br_netfilter\nset net.bridge.bridge-nf-call-iptables to 1\ngenerate de_DE.UTF-8\n\
         note: kernel module kvm-amd: is not loaded, and stays so: only the machine under this container can load modules"
    );
    assert!(world.plan(&desired, Held::Nothing).unwrap().is_empty());
    let gone = world.plan(&manifest(), Held::Nothing).unwrap();
    assert_eq!(
        text(&gone),
        "note: kernel module br_netfilter: is no longer asked for; it stays loaded until the next boot"
    );
}

#[test]
fn an_empty_root_gets_the_directories_of_apts_files_before_them() {
    let mut world = World::fresh();
    world.observed.paths.clear();
    let mut first = manifest();
    for (path, entry) in [
        ("/etc/apt/apt.conf.d/50-i386", file("i386")),
        ("/etc/motd", file("hello")),
    ] {
        first.paths.insert(super::world::path(path), entry);
    }
    let there = text(&world.go(&first));
    let back = text(&world.go(&manifest()));
    insta::assert_snapshot!(format!("{there}\n--\n{back}"));
}

#[test]
fn what_a_package_starts_before_our_files_are_there_starts_anew() {
    let mut world = World::fresh();
    let mut first = with_packages(&["nginx", "openssh-server"]);
    let triggers = |name: &str| UnitTriggers {
        reload: [unit_name(name)].into(),
        ..UnitTriggers::default()
    };
    for (at, name) in [
        ("/etc/nginx.conf", "nginx.service"),
        ("/etc/sshd.conf", "ssh.service"),
    ] {
        let entry = PathEntry {
            units: triggers(name),
            ..file("ours")
        };
        first.paths.insert(super::world::path(at), entry);
        let missing = UnitState {
            file: UnitFileState::Missing,
            ..unit_state(ActiveState::Inactive)
        };
        world.observed.units.insert(unit_name(name), missing);
    }
    let wanted = UnitEntry {
        start: Some(true),
        ..unit(&[])
    };
    first.units.insert(unit_name("ssh.service"), wanted);
    insta::assert_snapshot!(text(&world.go(&first)), @r"
    install nginx, openssh-server
    create file /etc/nginx.conf
    create file /etc/sshd.conf
    restart nginx.service if its package has started it (/etc/nginx.conf changes)
    restart ssh.service (/etc/sshd.conf changes)
    ");
    // They are known from then on.
    world.run("nginx.service", ActiveState::Active);
    let entry = PathEntry {
        units: triggers("nginx.service"),
        ..file("other")
    };
    first
        .paths
        .insert(super::world::path("/etc/nginx.conf"), entry);
    insta::assert_snapshot!(text(&world.go(&first)), @r"
    update file /etc/nginx.conf
    reload nginx.service (/etc/nginx.conf changes)
    ");
}
