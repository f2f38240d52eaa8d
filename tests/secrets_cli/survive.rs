//! What `secrets edit` survives: nothing typed is lost, nothing is left in the clear.

#![expect(
    clippy::disallowed_methods,
    reason = "namespaces and terminals are set up around the process under test"
)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use crate::process::{Editing, wait_for};
use crate::world::{ALICE, World, stderr, stdout};

/// All places where plaintext could have been left since `begin`: file systems in memory, temporary directories, the
/// repository and the home.
fn assert_nowhere(world: &World, canary: &str, begin: SystemTime) {
    let mut places: Vec<(PathBuf, usize)> = ["repo", "home", "tmp"]
        .map(|name| (world.at(name), 20))
        .into();
    places.push((std::env::temp_dir(), 3));
    places.push((PathBuf::from("/var/tmp"), 3));
    for mount in fs::read_to_string("/proc/self/mounts").unwrap().lines() {
        let fields: Vec<&str> = mount.split(' ').collect();
        if ["tmpfs", "ramfs"].contains(&fields[2]) {
            places.push((PathBuf::from(fields[1]), 6));
        }
    }
    // The clock of file systems is a tick behind.
    let begin = begin - std::time::Duration::from_secs(1);
    let mut looked = 0;
    for (place, depth) in places {
        let entries = walkdir::WalkDir::new(place)
            .max_depth(depth)
            .same_file_system(true);
        for entry in entries.into_iter().filter_map(Result::ok) {
            // Others come and go meanwhile.
            let Ok(found) = entry.metadata() else {
                continue;
            };
            let recent = found.modified().is_ok_and(|at| at >= begin);
            if !found.is_file() || !recent || found.len() > 8 * 1024 * 1024 {
                continue;
            }
            let Ok(bytes) = fs::read(entry.path()) else {
                continue;
            };
            looked += 1;
            let there = bytes
                .windows(canary.len())
                .any(|it| it == canary.as_bytes());
            assert!(!there, "{}", entry.path().display());
        }
    }
    assert!(looked > 0, "there was nothing to look at");
}

/// Runs `script` by a shell in a mount namespace of its own; `None` where that is not allowed.
fn in_namespace(world: &World, script: &str) -> Option<Output> {
    let user = if rustix::process::geteuid().is_root() {
        "-m"
    } else {
        "-rm"
    };
    let allowed = Command::new("unshare")
        .args([user, "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !allowed {
        println!("SKIP: no mount namespaces here");
        return None;
    }
    let program = assert_cmd::cargo::cargo_bin("steadfast");
    let output = Command::new("unshare")
        .args([user, "sh", "-ec", script])
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .env("HOME", world.at("home"))
        .env("TMPDIR", world.at("tmp"))
        .env("SOPS_AGE_KEY", ALICE[1])
        .env("EDITOR", world.at("editor"))
        .env("STEADFAST", program)
        .current_dir(world.directory())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Some(output)
}

/// What was kept of an edit, read by its author and then removed.
fn take_kept(world: &World, said: &str) -> String {
    let kept = World::kept(said).unwrap_or_else(|| panic!("nothing was kept: {said}"));
    let kept = kept.display().to_string();
    let verb: &[&str] = if kept.ends_with(".typed.yaml") {
        &["get", &kept, "typed"]
    } else {
        &["view", &kept]
    };
    let typed = stdout(&world.alice(verb).assert().success());
    World::forget(&kept);
    typed
}

#[test]
fn a_full_disk_loses_nothing_and_leaves_nothing() {
    let (world, canary, begin) = (World::new(), "canary-full-disk-4411", SystemTime::now());
    world.set("secrets/a.yml", "a", "one");
    world.editor(&format!(
        "echo 'a: {canary}' > \"$1\"\ndd if=/dev/zero of=fill bs=4k 2>/dev/null || true"
    ));
    let script = "mkdir full\nmount -t tmpfs -o size=64k none full\ncp -r repo/. full/\ncd full\n\
        cp secrets/a.yml ../before\n\"$STEADFAST\" secrets edit secrets/a.yml && exit 9\ncode=$?\n\
        cmp secrets/a.yml ../before\nls -A secrets\nexit $code";
    let Some(output) = in_namespace(&world, script) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "a.yml\n");
    assert!(said.contains("No space left on device"), "{said}");
    assert!(!said.contains(canary), "{said}");
    fs::remove_file(world.at("editor")).unwrap();
    assert_nowhere(&world, canary, begin);
    assert_eq!(take_kept(&world, &said), format!("a: {canary}\n"));
}

#[test]
fn what_cannot_be_replaced_is_refused_before_anything_is_typed() {
    let world = World::new();
    world.set("secrets/a.yml", "a", "one");
    world.editor("touch ../opened");
    let script = "mount --bind repo repo\nmount -o remount,bind,ro repo\ncd repo\n\
        \"$STEADFAST\" secrets edit secrets/a.yml";
    let Some(output) = in_namespace(&world, script) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("Read-only file system"), "{said}");
    assert!(!world.at("opened").exists());
}

#[test]
fn files_that_do_not_open_never_reach_an_editor() {
    let world = World::new();
    world.set("secrets/a.yml", "a", "one");
    world.set("secrets/a.yml", "b", "two");
    let editor = world.editor("touch opened");
    let sealed = world.read("secrets/a.yml");
    let without: String = sealed
        .lines()
        .filter(|line| !line.starts_with("b:"))
        .fold(String::new(), |text, line| text + line + "\n");
    world.write("secrets/mac.yml", &without);
    for (file, key, code) in [
        ("secrets/a.yml", "", 128),
        ("secrets/mac.yml", ALICE[1], 51),
    ] {
        let refused = world
            .secrets(&["edit", file], key)
            .env("EDITOR", &editor)
            .assert()
            .code(code);
        world.assert_silent(&refused);
    }
    assert!(!world.repo("opened").exists());
}

#[test]
fn a_signal_ends_the_editor_and_keeps_what_was_saved_in_it() {
    for (signal, code) in [("TERM", 143), ("HUP", 129), ("INT", 130), ("QUIT", 131)] {
        let (world, begin) = (World::new(), SystemTime::now());
        let canary = format!("canary-signal-{signal}-5be1");
        world.set("secrets/a.yml", "a", "one");
        let script = format!(
            "echo 'a: {canary}' > \"$1\"\necho $$ > pid.new\nmv pid.new pid\nexec sleep 60"
        );
        let editing = Editing::begin(&world, "secrets/a.yml", &script);
        let plaintext = Editing::plaintext_file(&world);
        wait_for(|| world.repo("pid").exists().then_some(()));
        editing.signal(signal);
        let (status, said) = editing.end();
        assert_eq!(status.code(), Some(code), "{said}");
        assert!(!plaintext.parent().unwrap().exists(), "{signal}");
        let editor = Path::new("/proc").join(world.read("pid").trim());
        wait_for(|| (!editor.exists()).then_some(()));
        fs::remove_file(world.at("editor")).unwrap();
        assert_nowhere(&world, &canary, begin);
        assert_eq!(take_kept(&world, &said), format!("a: {canary}\n"));
        assert_eq!(world.get("secrets/a.yml", "a", ALICE[1]), "one");
    }
}

#[test]
fn a_second_editor_is_told_who_has_the_file() {
    let world = World::new();
    world.set("secrets/a.yml", "a", "one");
    let script = "while ! test -e go; do sleep 0.02; done\necho 'b: two' >> \"$1\"";
    let first = Editing::begin(&world, "secrets/a.yml", script);
    Editing::plaintext_file(&world);
    let second = world
        .alice(&["edit", "secrets/a.yml"])
        .env("EDITOR", "false")
        .assert()
        .code(1);
    let said = stderr(&second);
    assert!(
        said.contains("somebody else is changing secrets/a.yml"),
        "{said}"
    );
    assert!(
        said.contains(&format!("process {}", first.child.id())),
        "{said}"
    );
    fs::File::create(world.repo("go")).unwrap();
    let (status, said) = first.end();
    assert!(status.success(), "{said}");
    assert_eq!(world.get("secrets/a.yml", "b", ALICE[1]), "two");
}

/// Runs `edit` on a terminal, with `typed` as what the person types.
fn on_a_terminal(world: &World, editor: &Path, typed: &str) -> Option<(i32, String)> {
    if !Path::new("/usr/bin/script").exists() {
        println!("SKIP: no `script` to make a terminal with");
        return None;
    }
    let program = assert_cmd::cargo::cargo_bin("steadfast");
    let line = format!("{} secrets edit secrets/a.yml", program.display());
    let mut child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", world.at("home"))
        .env("SOPS_AGE_KEY", ALICE[1])
        .env("EDITOR", editor)
        .current_dir(world.at("repo"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut terminal = child.stdin.take().unwrap();
    terminal.write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(terminal);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Some((output.status.code().unwrap(), said))
}

#[test]
fn a_mistake_goes_back_to_the_editor_at_its_line() {
    let (world, canary, begin) = (World::new(), "canary-mistake-77c0", SystemTime::now());
    world.set("secrets/a.yml", "a", "one");
    let nano = world.at("nano");
    let script = format!(
        "#!/bin/sh\nfor file; do :; done\necho \"$@\" >> runs\ncase $(wc -l < runs) in\n\
        1) printf 'a: one\\nb: {canary}\\nc: [\\n' > \"$file\" ;;\n\
        *) grep -q {canary} \"$file\" && sed -i 's/\\[/3/' \"$file\" ;;\nesac\n"
    );
    fs::write(&nano, script).unwrap();
    fs::set_permissions(&nano, fs::Permissions::from_mode(0o755)).unwrap();
    let Some((code, said)) = on_a_terminal(&world, &nano, "\n") else {
        return;
    };
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Press Enter to go back"), "{said}");
    assert!(!said.contains(canary), "{said}");
    let runs = world.read("runs");
    let runs: Vec<&str> = runs.lines().collect();
    assert_eq!(runs.len(), 2, "{runs:?}");
    assert!(runs[0].starts_with("/dev/shm/"), "{runs:?}");
    assert!(runs[1].starts_with('+'), "{runs:?}");
    fs::remove_file(&nano).unwrap();
    assert_nowhere(&world, canary, begin);
    assert_eq!(world.get("secrets/a.yml", "b", ALICE[1]), canary);
}

#[test]
fn who_gives_up_a_mistake_leaves_nothing() {
    let (world, canary, begin) = (World::new(), "canary-give-up-90d2", SystemTime::now());
    world.set("secrets/a.yml", "a", "one");
    let before = world.read("secrets/a.yml");
    let editor = world.editor(&format!("printf 'a: {canary}\\nc: [\\n' > \"$1\""));
    let Some((code, said)) = on_a_terminal(&world, Path::new(&editor), "q\n") else {
        return;
    };
    assert_eq!(code, 1, "{said}");
    assert_eq!(World::kept(&said), None, "{said}");
    assert_eq!(world.read("secrets/a.yml"), before);
    fs::remove_file(&editor).unwrap();
    assert_nowhere(&world, canary, begin);
}

#[test]
fn swap_that_can_be_read_from_a_disk_is_warned_of() {
    let world = World::new();
    world.set("secrets/a.yml", "a", "one");
    let edited = world
        .alice(&["edit", "secrets/a.yml"])
        .env("EDITOR", "true")
        .assert()
        .code(200);
    let areas = steadfast::secrets::swap_in_the_clear();
    let warned = stderr(&edited).contains("could be swapped out");
    assert_eq!(warned, !areas.is_empty(), "{areas:?}");
}
