//! Pauses and holds: what a person keeps the program from changing, until when.

use serde_json::Value;

use crate::fixture::{CANARY, Fleet, HOST};

impl Fleet {
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let run = self.run(words);
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
    }

    /// Lets every pause and hold end as if its time had come.
    fn let_time_pass(&self) {
        let file = "var/lib/steadfast/holds.json";
        let mut holds: Value = serde_json::from_str(&self.read(file)).unwrap();
        for hold in holds["holds"].as_array_mut().unwrap() {
            hold["until_secs"] = hold["since_secs"].clone();
        }
        self.write(file, &holds.to_string());
    }
}

#[test]
fn a_paused_host_is_told_what_waits_and_stays_as_it_is_until_somebody_ends_the_pause() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    let pause = fleet.run(&[
        "reconcile",
        "pause",
        "--for",
        "30m",
        "--reason",
        "replacing the disk",
    ]);
    pause.ends_with(0);
    assert!(
        pause.stdout.starts_with("paused until 20"),
        "{}",
        pause.stdout
    );
    let nothing = fleet.reconcile();
    nothing.ends_with(0);
    assert!(
        nothing.stdout.contains("nothing to do"),
        "{}",
        nothing.stdout
    );

    fleet.write("etc/motd", "edited\n");
    fleet.commit_host(&HOST.replace("yard: hello", "yard: good day"));
    let before = fleet.tree();
    for _ in 0..2 {
        let paused = fleet.reconcile();
        paused.ends_with(7);
        for text in ["replacing the disk", "reconcile resume"] {
            assert!(paused.stderr.contains(text), "{}", paused.stderr);
        }
        assert!(paused.stdout.contains("/etc/motd"), "{}", paused.stdout);
    }
    assert_eq!(before, fleet.tree());
    let status = fleet.json(&["status", "--json"]);
    assert_eq!(status["holds"][0]["path"], Value::Null);
    assert_eq!(status["holds"][0]["reason"], "replacing the disk");
    assert_eq!(status["last"]["outcome"], "paused");
    assert_eq!(status["generation"]["number"], 1);
    assert_eq!(status["failed"], Value::Array(Vec::new()));
    let text = fleet.run(&["status"]).stdout;
    assert!(text.contains("changes nothing, ends in "), "{text}");
    let drift = fleet.drift();
    drift.ends_with(3);
    assert!(drift.stdout.contains("paused until"), "{}", drift.stdout);
    let report = fleet.json(&["drift", "--json"]);
    assert_eq!(report["holds"][0]["reason"], "replacing the disk");

    fleet.run(&["reconcile", "resume"]).ends_with(0);
    let again = fleet.run(&["reconcile", "resume"]);
    again.ends_with(0);
    assert!(again.stderr.contains("was not paused"), "{}", again.stderr);
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: good day\n");
    assert_eq!(
        fleet.json(&["status", "--json"])["holds"],
        Value::Array(Vec::new())
    );
}

#[test]
fn a_pause_ends_by_itself_and_can_be_overruled_once() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    fleet.write("etc/motd", "edited\n");
    fleet.run(&["reconcile", "pause"]).ends_with(0);
    fleet.reconcile().ends_with(7);
    fleet
        .run(&["reconcile", "now", "--despite-pause"])
        .ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: hello\n");

    fleet.write("etc/motd", "edited again\n");
    fleet.reconcile().ends_with(7);
    fleet.let_time_pass();
    assert_eq!(
        fleet.json(&["status", "--json"])["holds"],
        Value::Array(Vec::new())
    );
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: hello\n");
    let file = fleet.read("var/lib/steadfast/holds.json");
    assert!(!file.contains("since_secs"), "{file}");
}

#[test]
fn a_host_can_be_paused_before_its_first_pass_and_a_damaged_list_of_holds_changes_nothing() {
    let fleet = Fleet::new();
    std::fs::create_dir_all(fleet.path("")).unwrap();
    fleet.run(&["reconcile", "pause"]).ends_with(0);
    fleet.reconcile().ends_with(7);
    assert!(!fleet.path("etc/motd").exists());
    assert!(!fleet.path("var/lib/steadfast/generations/1").exists());
    assert_eq!(fleet.files_containing(CANARY), Vec::<String>::new());

    fleet.write("var/lib/steadfast/holds.json", "nonsense");
    let refused = fleet.reconcile();
    refused.ends_with(1);
    assert!(refused.stderr.contains("holds.json"), "{}", refused.stderr);
    assert!(!fleet.path("etc/motd").exists());
    for wrong in ["forever", "0s", "31d"] {
        fleet
            .run(&["reconcile", "pause", "--for", wrong])
            .ends_with(2);
    }
}

#[test]
fn a_held_path_is_reported_and_not_put_right_until_it_is_released_or_the_hold_ends() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    let slip = fleet.run(&["drift", "hold", "/etc/mtod"]);
    slip.ends_with(1);
    assert!(
        slip.stderr.contains("says nothing about"),
        "{}",
        slip.stderr
    );
    let words = ["drift", "hold", "/etc/motd", "--reason", "an outage"];
    fleet.run(&words).ends_with(0);

    fleet.write("etc/motd", "edited\n");
    fleet.write("etc/app.conf", "edited\n");
    let now = fleet.reconcile();
    now.ends_with(0);
    assert!(now.stdout.contains("an outage"), "{}", now.stdout);
    assert_eq!(fleet.read("etc/motd"), "edited\n");
    assert_eq!(fleet.read("etc/app.conf"), "color = green\n");
    let drift = fleet.drift();
    drift.ends_with(3);
    assert!(drift.stdout.contains("(held until 20"), "{}", drift.stdout);
    let report = fleet.json(&["drift", "--json"]);
    assert_eq!(report["items"][0]["hold"]["reason"], "an outage");
    let status = fleet.json(&["status", "--json"]);
    assert_eq!(status["holds"][0]["path"], "/etc/motd");

    fleet.run(&["drift", "release", "/etc/motd"]).ends_with(0);
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: hello\n");

    fleet.run(&["drift", "hold", "/etc"]).ends_with(0);
    fleet.write("etc/motd", "edited again\n");
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "edited again\n");
    fleet.let_time_pass();
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: hello\n");
}

#[test]
fn a_commit_that_changes_a_held_path_is_applied() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    fleet.run(&["drift", "hold", "/etc/motd"]).ends_with(0);
    fleet.write("etc/motd", "edited\n");
    fleet.commit_host(&HOST.replace("yard: hello", "yard: good day"));
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: good day\n");
}
