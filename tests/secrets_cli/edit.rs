//! `secrets edit`: real processes with scripted editors.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::world::{ALICE, BOB, CANARY, World, stderr, stdout};

#[test]
fn a_new_file_is_edited_and_both_recipients_can_read_it() {
    let world = World::new();
    let script = format!(
        "echo \"$1\" > seen\nstat -c '%a %n' \"$1\" >> seen\nstat -c %a \"$(dirname \"$1\")\" >> seen\nprintf 'db:\\n    password: {CANARY}\\n' > \"$1\""
    );
    let edited = world
        .alice(&["edit", "secrets/default.yml"])
        .env("EDITOR", world.editor(&script))
        .assert()
        .success();
    assert_eq!(
        stderr(&edited),
        "secrets/default.yml is made, for alice, bob\n"
    );
    world.assert_silent(&edited);
    let seen = world.read("seen");
    let file = seen.lines().next().unwrap();
    assert!(file.starts_with("/dev/shm/steadfast-edit-"), "{seen}");
    assert!(file.ends_with("/default.yml"), "{seen}");
    assert!(seen.contains("600 /dev/shm"), "{seen}");
    assert!(seen.ends_with("\n700\n"), "{seen}");
    assert!(!Path::new(file).parent().unwrap().exists());
    for key in [ALICE[1], BOB[1]] {
        assert_eq!(world.get("secrets/default.yml", "db/password", key), CANARY);
    }
}

#[test]
fn an_edit_keeps_comments_order_mode_and_every_unchanged_ciphertext() {
    let world = World::new();
    world.write(
        "secrets/a.yml",
        "# first\nzebra: one\n\nalpha: # beside\n    inner: two\nlast: three\n",
    );
    world
        .alice(&["encrypt", "-i", "secrets/a.yml"])
        .assert()
        .success();
    fs::set_permissions(
        world.repo("secrets/a.yml"),
        fs::Permissions::from_mode(0o640),
    )
    .unwrap();
    let before = world.read("secrets/a.yml");
    world
        .alice(&["edit", "secrets/a.yml"])
        .env("EDITOR", world.editor("sed -i 's/two/2/' \"$1\""))
        .assert()
        .success();
    let after = world.read("secrets/a.yml");
    let changed: Vec<&str> = after
        .lines()
        .zip(before.lines())
        .filter(|(new, old)| new != old)
        .map(|(new, _)| new.trim().split(':').next().unwrap())
        .collect();
    let changed: Vec<&str> = changed
        .into_iter()
        // The same when both happen within a second.
        .filter(|key| *key != "lastmodified")
        .collect();
    assert_eq!(changed, ["inner", "mac"]);
    let mode = fs::metadata(world.repo("secrets/a.yml"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    let text = stdout(&world.alice(&["view", "secrets/a.yml"]).assert().success());
    assert_eq!(
        text,
        "# first\nzebra: one\n\nalpha: # beside\n    inner: 2\nlast: three\n"
    );
}

#[test]
fn an_unchanged_edit_says_so_and_writes_nothing() {
    let world = World::new();
    let new = world
        .alice(&["edit", "secrets/a.yml"])
        .env("EDITOR", "true")
        .assert()
        .code(200);
    assert_eq!(stderr(&new), "secrets/a.yml is unchanged\n");
    assert!(!world.repo("secrets/a.yml").exists());
    world.set("secrets/a.yml", "a", "1");
    let before = world.read("secrets/a.yml");
    world
        .alice(&["edit", "secrets/a.yml"])
        .env("EDITOR", "true")
        .assert()
        .code(200);
    assert_eq!(world.read("secrets/a.yml"), before);
}

#[test]
fn a_failed_edit_leaves_the_file_alone() {
    let world = World::new();
    world.set("secrets/a.yml", "a", CANARY);
    let before = world.read("secrets/a.yml");
    for (script, code, expected) in [
        ("exit 3", 201, "failed (exit status: 3)"),
        ("echo 'b: [' >> \"$1\"", 1, "the edited text is not taken"),
        ("echo 'sops: {}' >> \"$1\"", 1, "the key `sops` is reserved"),
        (": > \"$1\"", 1, "the edited text is not taken"),
        ("kill -KILL $$", 201, "signal: 9"),
        ("echo 'b: 2' >> \"$1\"; kill -SEGV $$", 201, "signal: 11"),
    ] {
        let failed = world
            .alice(&["edit", "secrets/a.yml"])
            .env("EDITOR", world.editor(script))
            .assert()
            .code(code);
        let said = stderr(&failed);
        assert!(said.contains(expected), "{script}: {said}");
        assert_eq!(world.read("secrets/a.yml"), before);
        world.assert_silent(&failed);
        // What was typed is there for its author, and for nobody else.
        if let Some(kept) = World::kept(&said) {
            let text = fs::read_to_string(&kept).unwrap();
            assert!(!text.contains(CANARY), "{text}");
            let kept = kept.display().to_string();
            let typed = world.alice(&["get", &kept, "typed"]).assert().success();
            let typed = stdout(&typed);
            assert!(
                typed.is_empty() == script.starts_with(':'),
                "{script}: {typed}"
            );
            World::forget(&kept);
        } else {
            assert!(
                script.starts_with("exit") || script.starts_with("kill"),
                "{said}"
            );
        }
    }
    let failed = world
        .alice(&["edit", "secrets/a.yml"])
        .env("EDITOR", "/nonexistent/editor")
        .assert()
        .code(201);
    assert!(stderr(&failed).contains("cannot start the editor"));
}

#[test]
fn a_change_underneath_is_not_overwritten_and_nothing_typed_is_lost() {
    let world = World::new();
    world.set("secrets/a.yml", "a", "1");
    world.set("secrets/b.yml", "a", "other");
    let script = format!("cp secrets/b.yml secrets/a.yml\necho 'a: {CANARY}' > \"$1\"");
    let refused = world
        .alice(&["edit", "secrets/a.yml"])
        .env("EDITOR", world.editor(&script))
        .assert()
        .code(1);
    let said = stderr(&refused);
    assert!(
        said.contains("changed by somebody else meanwhile"),
        "{said}"
    );
    world.assert_silent(&refused);
    let kept = World::kept(&said).unwrap().display().to_string();
    let shown = world.alice(&["view", &kept]).assert().success();
    assert_eq!(stdout(&shown), format!("a: {CANARY}\n"));
    World::forget(&kept);
    assert_eq!(world.get("secrets/a.yml", "a", ALICE[1]), "other");
}
