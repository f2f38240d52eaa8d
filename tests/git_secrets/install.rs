//! `install-git`: all of it at once, again without a change, and out again; what belongs to others stays.

use std::os::unix::fs::PermissionsExt as _;

use crate::world::{FILE, World, exists};

#[test]
fn one_verb_sets_git_up_and_takes_it_out_again() {
    let world = World::bare();
    let none = world.secrets(&["install-git"]);
    assert!(
        none.stderr.contains("there is no encrypted file"),
        "{}",
        none.stderr
    );
    world.encrypted(FILE, "a: 1\n");
    world.encrypted("secrets/hosts/x.yml", "a: 1\n");
    world.write("hosts/x/host.yml", "hostname: x\n");
    world.write(".gitattributes", "*.png binary");
    let said = world.secrets(&["install-git"]).ok().stderr;
    assert!(said.contains(".gitattributes: set up\n"), "{said}");
    assert!(said.contains("each clone needs this once"), "{said}");
    assert_eq!(
        world.read(".gitattributes"),
        "*.png binary\nsecrets/**/*.yml diff=steadfast merge=steadfast\n"
    );
    let driver = world.git(&["config", "--local", "merge.steadfast.driver"]);
    assert!(
        driver
            .trim_end()
            .ends_with("/steadfast' secrets merge %O %A %B %L %P"),
        "{driver}"
    );
    assert_eq!(
        world.git(&["config", "--local", "diff.steadfast.cachetextconv"]),
        "false\n"
    );
    let hook = world.repo(".git/hooks/pre-commit");
    assert_eq!(
        std::fs::metadata(&hook).unwrap().permissions().mode() & 0o111,
        0o111
    );
    assert!(
        world
            .read(".git/hooks/pre-commit")
            .contains("secrets check --staged || exit 1")
    );
    let config = world.read(".git/config");
    let again = world.secrets(&["install-git"]).ok().stderr;
    assert_eq!(again.matches("set up already").count(), 3, "{again}");
    assert_eq!(world.read(".git/config"), config);

    world.secrets(&["install-git", "--remove"]).ok();
    assert_eq!(world.read(".gitattributes"), "*.png binary\n");
    assert!(!world.read(".git/config").contains("textconv"));
    assert!(!exists(&hook));
    let again = world.secrets(&["install-git", "--remove"]).ok().stderr;
    assert_eq!(again.matches("nothing to take out").count(), 3, "{again}");
}

#[test]
fn a_hook_that_is_there_is_kept() {
    let world = World::bare();
    world.encrypted(FILE, "a: 1\n");
    let hook = ".git/hooks/pre-commit";
    world.write(hook, "#!/bin/bash\nexec make test\n");
    world.secrets(&["install-git"]).ok();
    let text = world.read(hook);
    assert!(text.starts_with("#!/bin/bash\n# >>> steadfast"), "{text}");
    assert!(text.ends_with("\nexec make test\n"), "{text}");
    world.secrets(&["install-git", "--remove"]).ok();
    assert_eq!(world.read(hook), "#!/bin/bash\nexec make test\n");
    world.write(hook, "#!/usr/bin/env python3\nprint()\n");
    let said = world.secrets(&["install-git"]).ok().stderr;
    assert!(said.contains("kept by another program"), "{said}");
    assert_eq!(world.read(hook), "#!/usr/bin/env python3\nprint()\n");

    world.write(".pre-commit-config.yaml", "repos: []\n");
    let said = world.secrets(&["install-git"]).ok().stderr;
    assert!(said.contains("- repo: local"), "{said}");
    std::fs::remove_file(world.repo(".pre-commit-config.yaml")).unwrap();
    world.git(&["config", "core.hooksPath", ".githooks"]);
    let said = world.secrets(&["install-git"]).ok().stderr;
    assert!(said.contains(".githooks/pre-commit"), "{said}");
    assert!(!exists(&world.repo(".githooks")));
}

#[test]
fn a_check_tells_that_a_clone_lacks_the_setup_and_the_hook_refuses_secrets_in_the_clear() {
    let world = World::bare();
    world.encrypted(FILE, "a: 1\n");
    world.secrets(&["install-git"]).ok();
    world.commit("encrypted");
    let told = |world: &World| world.secrets(&["check"]).stderr.contains("install-git");
    assert!(!told(&world));
    world.write("secrets/plain.yml", "password: hunter2\n");
    world.git(&["add", "-A"]);
    let refused = world.try_git(&["commit", "-q", "-m", "in the clear"]);
    assert_eq!(refused.code, 1, "{}{}", refused.stdout, refused.stderr);
    world.git(&["config", "--remove-section", "merge.steadfast"]);
    assert!(told(&world));
}
