//! What is left in the memory of `secrets edit` when everything is closed.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use crate::process::{Editing, wait_for};
use crate::world::{ALICE, CANARY, World};

/// A pipe that takes nothing more: whoever writes to it stands still, with everything that it dropped behind it.
fn full_pipe() -> (OwnedFd, OwnedFd) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
    for size in [4096, 1] {
        while writer.write(&vec![b'.'; size]).is_ok() {}
    }
    rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::empty()).unwrap();
    (reader.into(), writer.into())
}

/// Every place in the memory of process `pid` where one of `needles` stands, as a mapping's name and which needle; `None`
/// if the kernel does not let this user look.
fn find(pid: u32, needles: &[&str]) -> Option<Vec<String>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let mut memory = fs::File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut found = Vec::new();
    let mut looked = 0;
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, mode) = (fields.next().unwrap(), fields.next().unwrap());
        if !mode.starts_with('r') || line.ends_with("[vvar]") || line.ends_with("[vsyscall]") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let start = u64::from_str_radix(start, 16).unwrap();
        let end = u64::from_str_radix(end, 16).unwrap();
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        if memory.seek(SeekFrom::Start(start)).is_err() || memory.read_exact(&mut bytes).is_err() {
            continue;
        }
        looked += bytes.len();
        for needle in needles {
            for (at, window) in bytes.windows(needle.len()).enumerate() {
                if window == needle.as_bytes() {
                    let around =
                        &bytes[at.saturating_sub(24)..(at + needle.len() + 24).min(bytes.len())];
                    found.push(format!("{line} +{at:#x}: {}", around.escape_ascii()));
                }
            }
        }
    }
    assert!(looked > 1024 * 1024, "only {looked} bytes could be read");
    Some(found)
}

#[test]
fn nothing_of_the_plaintext_or_the_key_is_left_in_memory_after_an_edit() {
    let world = World::new();
    // In every form that a value can have: parsers copy some of them.
    let text = format!(
        "# comment {CANARY}\nplain: {CANARY}\nquoted: \"tab\\t{CANARY}\"\nsingle: 'it''s {CANARY}'\nblock: |\n    line\n    {CANARY}\nfolded: >\n    word\n    {CANARY}\nlist:\n    # in a list {CANARY}\n    - {CANARY}\n    - deep: [{CANARY}, b]\nlong: {}\nother: two\n",
        CANARY.repeat(300)
    );
    world.write("secrets/a.yml", &text);
    let sealed = world.alice(&["encrypt", "-i", "secrets/a.yml"]).assert();
    world.assert_silent(&sealed.success());
    let typed = "typed-5f3b21c8";
    let (reader, writer) = full_pipe();
    let script = format!("while ! test -e go; do sleep 0.02; done\nsed -i 's/two/{typed}/' \"$1\"");
    let mut editing = Editing::with_stderr(&world, "secrets/a.yml", &script, Stdio::from(writer));
    let plaintext = Editing::plaintext_file(&world);
    let pid = editing.child.id();
    // While the editor is open it has to be there: the search finds what is there to be found.
    let Some(found) = find(pid, &[CANARY]) else {
        // Not even a process of the same user may look, which is what keeps a core dump from being made as well.
        assert!(fs::File::open(format!("/proc/{pid}/mem")).is_err());
        editing.child.kill().unwrap();
        editing.child.wait().unwrap();
        return;
    };
    assert!(!found.is_empty());
    fs::File::create(world.repo("go")).unwrap();
    wait_for(|| (!plaintext.parent().unwrap().exists()).then_some(()));
    // It stands still at its last words.
    wait_for(|| {
        let call = fs::read_to_string(format!("/proc/{pid}/syscall")).ok()?;
        // write(2) is call 1 on x86-64 and 64 on aarch64, with stderr as its first argument.
        let call: Vec<&str> = call.split(' ').collect();
        (["1", "64"].contains(call.first()?) && *call.get(1)? == "0x2").then_some(())
    });
    let alive = find(pid, &["secrets/a.yml"]).unwrap();
    assert!(!alive.is_empty(), "the search must find what is there");
    let left = find(pid, &[CANARY, typed, &ALICE[1][20..]]).unwrap();
    drop(reader);
    editing.child.kill().unwrap();
    editing.child.wait().unwrap();
    assert!(
        left.is_empty(),
        "{} places:\n{}",
        left.len(),
        left.join("\n")
    );
    assert_eq!(world.get("secrets/a.yml", "other", ALICE[1]), typed);
}
