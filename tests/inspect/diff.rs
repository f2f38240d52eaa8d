//! `config diff`, `plan --host`, `plan --all-hosts`.

use serde_json::Value;

use crate::world::{Run, World};

/// A world where a file, a unit's drop-in, a secret and a package of all hosts change, not committed yet.
fn changed() -> World {
    let world = World::new();
    world.change("hosts/chicago/app.conf", "green", "red");
    world.change(
        "hosts/chicago/host.yml",
        "LimitNOFILE=4096",
        "LimitNOFILE=8192",
    );
    world.change("modules/base/module.yml", "    - htop\n", "    - btop\n");
    world.seal("database:\n    password: battery-staple\n");
    world
}

/// What was said, without what differs between two runs.
fn steady(run: &Run) -> String {
    let mut text = run.stdout.clone();
    for (pattern, with) in [
        (r"\b[0-9a-f]{64}\b", "DIGEST"),
        (r"\b[0-9a-f]{12}\b", "COMMIT"),
        (r"\((.*), (\d+ \w+ ago|in \d+ \w+|now)\)", "($1, WHEN)"),
    ] {
        let pattern = regex::Regex::new(pattern).unwrap();
        text = pattern.replace_all(&text, with).into_owned();
    }
    text
}

#[test]
fn what_is_not_committed_is_shown_for_a_host() {
    let world = changed();
    let diff = world.run(&["config", "diff", "chicago"]);
    diff.ends_with(0);
    assert!(!diff.stdout.contains("battery-staple"));
    insta::assert_snapshot!(steady(&diff));
}

#[test]
fn every_host_is_a_row_of_the_table() {
    let world = changed();
    let diff = world.run(&["config", "diff", "--all-hosts"]);
    diff.ends_with(0);
    insta::assert_snapshot!(steady(&diff));
}

#[test]
fn a_plan_in_a_clone_says_which_hosts_it_could_be_about() {
    let world = World::new();
    let plan = world.run(&["plan"]);
    plan.ends_with(1);
    assert_eq!(
        plan.stderr,
        "error: it is not said what is to be planned\n  \
         cause: this machine is no host, for it has no /etc/steadfast/agent.yml\n  \
         cause: this is a clone of a repository with 2 hosts: boulder, chicago\n  \
         fix:   `steadfast plan --host boulder` shows what that host is, with `--from REV` what changes for it, \
         `--all-hosts` a table\n"
    );
}

#[test]
fn a_pull_request_gets_a_comment() {
    let world = changed();
    world.git(&["checkout", "-q", "-b", "next"]);
    world.commit("Bert", "app: `red` | <b>bold</b>");
    let comment = world.run(&["config", "diff", "--all-hosts", "main...", "--markdown"]);
    comment.ends_with(0);
    insta::assert_snapshot!(steady(&comment));
    let plan = world.run(&["plan", "--all-hosts", "--from", "main", "--markdown"]);
    assert_eq!(plan.stdout, comment.stdout, "it is one and the same");
}

#[test]
fn the_same_is_said_to_programs() {
    let world = changed();
    world.commit("Bert", "change");
    let one = world.run(&["plan", "--host", "chicago", "--from", "HEAD~1", "--json"]);
    one.ends_with(0);
    let one: Value = serde_json::from_str(&one.stdout).unwrap();
    let all = world.run(&["plan", "--all-hosts", "--from", "HEAD~1", "--json"]);
    let all: Value = serde_json::from_str(&all.stdout).unwrap();
    assert_eq!(all["hosts"][1]["changes"], one["changes"]);
    assert_eq!(one["from"]["subject"], "begin");
    let restarts: Vec<&str> = one["units"]
        .as_array()
        .unwrap()
        .iter()
        .map(|unit| unit["action"].as_str().unwrap())
        .collect();
    assert!(
        restarts.contains(&"stop") && restarts.contains(&"start"),
        "{one}"
    );
    assert!(
        one["texts"][0]["diff"]
            .as_str()
            .unwrap()
            .contains("+color = red")
    );
}

#[test]
fn the_exit_code_tells_a_difference_when_it_is_asked_to() {
    let world = World::new();
    world
        .run(&["config", "diff", "chicago", "--exit-code"])
        .ends_with(0);
    world.change(
        "hosts/chicago/host.yml",
        "description: app server",
        "# a comment\ndescription: x",
    );
    let same = world.run(&["config", "diff", "chicago", "--exit-code"]);
    same.ends_with(0);
    assert!(
        same.stdout.ends_with("nothing changes for chicago\n"),
        "{same:?}"
    );
    world.change("hosts/chicago/app.conf", "green", "red");
    world
        .run(&["config", "diff", "chicago", "--exit-code"])
        .ends_with(1);
    world
        .run(&["config", "diff", "--all-hosts", "--exit-code"])
        .ends_with(1);
    world
        .run(&["config", "diff", "boulder", "--exit-code"])
        .ends_with(0);
    world.run(&["config", "diff", "chicago"]).ends_with(0);
}

#[test]
fn hosts_come_and_go_and_break() {
    let world = World::new();
    world.put("hosts/denver/host.yml", "packages: [vim]\n");
    world.git(&["rm", "-q", "hosts/boulder/host.yml"]);
    world.change("hosts/chicago/host.yml", "hostname:", "hostnme:");
    let diff = world.run(&["config", "diff", "--all-hosts"]);
    diff.ends_with(1);
    insta::assert_snapshot!(steady(&diff));
    let broken = world.run(&["config", "diff", "chicago"]);
    broken.ends_with(1);
    assert!(
        broken.stderr.contains("did you mean `hostname`?"),
        "{broken:?}"
    );
}

#[test]
fn wrong_names_say_what_there_is() {
    let world = World::new();
    for (words, expected) in [
        (&["config", "diff", "chicgo"][..], "did you mean `chicago`?"),
        (&["config", "diff", "chicago", "nosuch.."], "name a branch"),
        (
            &["config", "diff", "chicago", "a", "--all-hosts"],
            "leave one of the two out",
        ),
        (&["config", "diff", "main..HEAD"], "name a host first"),
    ] {
        let run = world.run(words);
        run.ends_with(1);
        assert!(run.stderr.contains(expected), "{words:?}: {run:?}");
    }
    world.run(&["config", "diff"]).ends_with(2);
    world.run(&["plan", "--rev", "HEAD"]).ends_with(2);
}
