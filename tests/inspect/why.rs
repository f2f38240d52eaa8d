//! `why`, for things of every kind, compared with what is written.

use serde_json::Value;

use crate::world::{FILES, World};

fn why(world: &World, what: &str) -> Value {
    let run = world.run(&["why", "chicago", what, "--json"]);
    run.ends_with(0);
    serde_json::from_str(&run.stdout).unwrap()
}

/// The line of a file that has `text` in it, from 1.
#[track_caller]
fn line_of(file: &str, text: &str) -> u64 {
    let (_, content) = FILES.iter().find(|(name, _)| *name == file).unwrap();
    let found = content.lines().position(|line| line.contains(text));
    found.unwrap_or_else(|| panic!("{file} has no {text:?}")) as u64 + 1
}

/// Every place that counts, of all entries and options of a thing: `FILE:LINE`.
fn places(thing: &Value) -> Vec<String> {
    let mut places = Vec::new();
    let mut take = |said: &Value| {
        let origin = &said["origin"];
        places.push(format!(
            "{}:{}",
            origin["file"].as_str().unwrap(),
            origin["line"]
        ));
    };
    for entry in thing["entries"].as_array().unwrap() {
        for list in ["said", "overruled", "also"] {
            entry[list].as_array().unwrap().iter().for_each(&mut take);
        }
    }
    thing["options"]
        .as_array()
        .unwrap()
        .iter()
        .for_each(&mut take);
    places
}

const HOST: &str = "hosts/chicago/host.yml";
const BASE: &str = "modules/base/module.yml";
const BACKUP: &str = "modules/backup/module.yml";
const KETAN: &str = "users/ketan.yml";

/// What is asked for, what it is, and a line that must be among its places.
const TRUTH: [(&str, &str, (&str, &str)); 34] = [
    ("/etc/motd", "file /etc/motd", (HOST, "/etc/motd")),
    (
        "/etc/app/app.conf",
        "file /etc/app/app.conf",
        (HOST, "file: app.conf"),
    ),
    ("/etc/issue", "file /etc/issue", (BASE, "/etc/issue")),
    (
        "/etc/app/current",
        "symlink /etc/app/current",
        (HOST, "/etc/app/current"),
    ),
    (
        "link /etc/app/current",
        "symlink /etc/app/current",
        (HOST, "/etc/app/current"),
    ),
    (
        "/srv/backups",
        "directory /srv/backups",
        (BACKUP, "/srv/backups"),
    ),
    ("app.service", "unit app.service", (HOST, "  app.service:")),
    ("app", "unit app.service", (HOST, "  app.service:")),
    ("backup.timer", "unit backup.timer", (HOST, "schedule: [")),
    (
        "/etc/systemd/system/app.service",
        "file /etc/systemd/system/app.service",
        (HOST, "file: app.service"),
    ),
    (
        "/etc/systemd/system/app.service.d/10-limits.conf",
        "file /etc/systemd/system/app.service.d/10-limits.conf",
        (HOST, "10-limits.conf"),
    ),
    (
        "/etc/systemd/system/multi-user.target.wants/app.service",
        "symlink /etc/systemd/system/multi-user.target.wants/app.service",
        (HOST, "enable: true"),
    ),
    (
        "/etc/systemd/system/timers.target.wants/backup.timer",
        "symlink /etc/systemd/system/timers.target.wants/backup.timer",
        (BACKUP, "backup.timer:"),
    ),
    ("ketan", "user ketan", (KETAN, "uid: 1500")),
    (
        "user ketan",
        "user ketan",
        ("modules/server/module.yml", "users: [ketan]"),
    ),
    (
        "/home/ketan/.ssh/authorized_keys",
        "file /home/ketan/.ssh/authorized_keys",
        (KETAN, "ssh_keys"),
    ),
    ("deploy", "group deploy", (HOST, "groups: {")),
    ("curl", "package curl", (BASE, "- curl")),
    (
        "package restic",
        "package restic",
        (BACKUP, "packages: [restic]"),
    ),
    (
        "database/password",
        "secret database/password",
        (HOST, "database/password: {"),
    ),
    (
        "/run/secrets/database/password",
        "secret database/password",
        (HOST, "database/password: {"),
    ),
    ("app.env", "template app.env", (HOST, "app.env:")),
    (
        "/run/secrets/rendered/app.env",
        "template app.env",
        (HOST, "app.env:"),
    ),
    ("rendered/app.env", "template app.env", (HOST, "app.env:")),
    (
        "net.ipv4.ip_forward",
        "sysctl net.ipv4.ip_forward",
        (HOST, "net.ipv4.ip_forward"),
    ),
    (
        "net.ipv4.ip_forward = 1",
        "sysctl net.ipv4.ip_forward",
        (HOST, "net.ipv4.ip_forward"),
    ),
    (
        "/proc/sys/net/ipv4/ip_forward",
        "sysctl net.ipv4.ip_forward",
        (HOST, "net.ipv4.ip_forward"),
    ),
    (
        "/etc/sysctl.d/60-steadfast.conf",
        "file /etc/sysctl.d/60-steadfast.conf",
        (HOST, "net.ipv4.ip_forward"),
    ),
    ("hostname", "hostname", (HOST, "hostname: chicago")),
    (
        "/etc/hostname",
        "file /etc/hostname",
        (HOST, "hostname: chicago"),
    ),
    (
        "/etc/localtime",
        "symlink /etc/localtime",
        (BASE, "timezone: \""),
    ),
    ("timezone", "timezone", (BASE, "timezone: {")),
    (
        "backup.schedule",
        "option backup.schedule",
        (HOST, "schedule: [\"03:00\"]"),
    ),
    (
        "base.timezone",
        "option base.timezone",
        (BASE, "timezone: {"),
    ),
];

#[test]
fn everything_on_a_host_says_where_it_comes_from() {
    let world = World::new();
    for (asked, named, (file, text)) in TRUTH {
        let answer = why(&world, asked);
        let things = answer["things"].as_array().unwrap();
        let name = |thing: &Value| {
            let (kind, name) = (thing["kind"].as_str(), thing["name"].as_str());
            format!("{} {}", kind.unwrap(), name.unwrap())
                .trim_end()
                .to_owned()
        };
        let thing = things.iter().find(|thing| name(thing) == named);
        let thing = thing.unwrap_or_else(|| panic!("{asked}: {answer:#}"));
        let expected = format!("{file}:{}", line_of(file, text));
        let places = places(thing);
        assert!(
            places.contains(&expected),
            "{asked} is not from {expected}: {places:?}"
        );
    }
}

#[test]
fn every_line_has_its_commit_and_author_also_when_others_are_not_committed() {
    let world = World::new();
    let begin = world.git(&["rev-parse", "HEAD"]);
    world.change(BASE, "{{ host.name }}\\n", "{{ host.name }}!\\n");
    let bert = world.commit("Bert", "base: louder");
    world.change(
        HOST,
        "description: app server",
        "# one more line\ndescription: app server",
    );
    world.change(HOST, "mode: 0600", "mode: 0640");
    let line = |what: &str, file: &str| {
        let answer = why(&world, what);
        let lines = answer["lines"].as_array().unwrap();
        let found = lines.iter().find(|line| line["file"] == file);
        found.unwrap_or_else(|| panic!("{answer:#}")).clone()
    };
    let issue = line("/etc/issue", BASE);
    assert_eq!(issue["commit"]["commit"], bert, "{issue}");
    assert_eq!(issue["commit"]["author"], "Bert <bert@example.org>");
    assert_eq!(issue["commit"]["time_secs"], 1_790_000_000);
    let hostname = line("hostname", HOST);
    assert_eq!(
        hostname["commit"]["commit"], begin,
        "it only moved: {hostname}"
    );
    assert_eq!(hostname["line"], line_of(HOST, "hostname:") + 1);
    let answer = why(&world, "/etc/motd");
    let motd = answer["lines"].as_array().unwrap().iter();
    let mut motd = motd.filter(|line| line["text"].as_str().unwrap().contains("mode: 0640"));
    assert_eq!(
        motd.next().unwrap()["no_commit"],
        "not committed yet",
        "{answer:#}"
    );
    let before = world.run(&["why", "chicago", "/etc/issue", "--rev", "HEAD~1", "--json"]);
    let before: Value = serde_json::from_str(&before.stdout).unwrap();
    let lines = before["lines"].as_array().unwrap();
    let of_base = lines.iter().find(|line| line["file"] == BASE).unwrap();
    assert_eq!(of_base["commit"]["commit"], begin);
}

#[test]
fn what_is_overruled_is_told_with_its_place() {
    let world = World::new();
    let motd = why(&world, "/etc/motd");
    let entry = &motd["things"][0]["entries"][0];
    let overruled: Vec<(&str, &str, u64)> = entry["overruled"]
        .as_array()
        .unwrap()
        .iter()
        .map(|said| {
            (
                said["key"].as_str().unwrap(),
                said["value"].as_str().unwrap(),
                said["origin"]["line"].as_u64().unwrap(),
            )
        })
        .collect();
    let line = line_of(BASE, "/etc/motd");
    assert_eq!(
        overruled,
        [("text", "\"base\\n\"", line), ("mode", "0644", line)]
    );
    let schedule = why(&world, "backup.schedule");
    assert_eq!(schedule["things"][0]["options"][0]["default"], false);
    assert_eq!(schedule["things"][0]["options"][0]["value"], "[\"03:00\"]");
}

#[test]
fn modules_say_who_turned_them_on_up_to_the_host() {
    let world = World::new();
    let curl = why(&world, "curl");
    let chain: Vec<String> = curl["things"][0]["modules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|turned| {
            let by = &turned["by"];
            format!("{} by {} {}", turned["module"], by["kind"], by["name"]).replace('"', "")
        })
        .collect();
    assert_eq!(chain, ["base by module server", "server by host chicago"]);
}

#[test]
fn what_acts_on_a_change_is_told_both_ways() {
    let world = World::new();
    let triggers = |what: &str| -> Vec<String> {
        let answer = why(&world, what);
        let list = answer["things"][0]["triggers"].as_array().unwrap().clone();
        let words = list.iter().map(|one| {
            format!(
                "{} {}",
                one["subject"].as_str().unwrap(),
                one["action"].as_str().unwrap()
            )
        });
        words.collect()
    };
    assert_eq!(triggers("/etc/app/app.conf"), ["app.service restarts"]);
    assert_eq!(
        triggers("/etc/systemd/system/app.service"),
        ["app.service stops and starts"]
    );
    assert_eq!(
        triggers("database/password"),
        ["template app.env is rendered again", "app.service reloads"]
    );
    assert_eq!(
        triggers("app.service"),
        ["app.service reloads", "app.service restarts"]
    );
}

#[test]
fn a_name_of_several_things_shows_them_all_and_one_of_none_the_nearest() {
    let world = World::new();
    world.change(
        HOST,
        "groups: { deploy: { gid: 1200 } }",
        "groups: { deploy: , ketan: }",
    );
    let both = why(&world, "ketan");
    let kinds: Vec<&str> = both["things"]
        .as_array()
        .unwrap()
        .iter()
        .map(|thing| thing["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["group", "user"]);
    for (asked, meant) in [
        ("/etc/mtd", "`file /etc/motd`"),
        ("htpo", "`package htop`"),
        ("backup.shedule", "`option backup.schedule`"),
        ("unit backup.tmer", "`unit backup.timer`"),
        ("sysctl.d", "`file /etc/sysctl.d/60-steadfast.conf`"),
    ] {
        let unknown = world.run(&["why", "chicago", asked]);
        unknown.ends_with(1);
        assert!(
            unknown.stderr.contains(meant),
            "{asked}: {}",
            unknown.stderr
        );
    }
}

#[test]
fn a_folder_on_the_way_and_a_whole_module_are_known_too() {
    let world = World::new();
    let folder = why(&world, "/etc/app");
    assert_eq!(folder["things"][0]["kind"], "parent directory");
    let module = why(&world, "module backup");
    assert_eq!(module["things"][0]["options"][0]["option"], "schedule");
    assert_eq!(module["things"][0]["modules"][0]["by"]["name"], "chicago");
    let check = why(&world, "unit app.service");
    let kinds: Vec<&Value> = check["things"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| &t["kind"])
        .collect();
    assert!(kinds.contains(&&Value::from("unit")), "{kinds:?}");
}

#[test]
fn it_reads_well() {
    let world = World::new();
    let said = world.run(&["why", "chicago", "/etc/motd"]);
    said.ends_with(0);
    let text = regex::Regex::new(r"\b[0-9a-f]{12}\b").unwrap();
    let text = text.replace_all(&said.stdout, "COMMIT");
    let ago = regex::Regex::new(r", (\d+ \w+ ago|in \d+ \w+|now)\)").unwrap();
    insta::assert_snapshot!(ago.replace_all(&text, ", WHEN)"));
}
