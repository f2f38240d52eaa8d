//! What becomes of an activation at the next boot: it stays, it was only tried, or it begins there.

use serde_json::Value;

use crate::fixture::{Fleet, HOST, Run};

impl Fleet {
    fn commit_greeting(&self, greeting: &str) {
        self.commit_host(&HOST.replace("yard: hello", &format!("yard: {greeting}")));
    }

    fn in_mode(&self, mode: &str) -> Run {
        self.run(&["reconcile", "now", "--mode", mode])
    }

    fn next_boot(&self) -> Value {
        let status: Value = serde_json::from_str(&self.run(&["status", "--json"]).stdout).unwrap();
        status["next_boot"].clone()
    }
}

#[test]
fn a_generation_that_is_tried_is_gone_after_the_next_boot_and_comes_back_when_somebody_says_so() {
    let fleet = Fleet::new();
    fleet.in_mode("test").ends_with(1);
    fleet.reconcile().ends_with(0);
    fleet.commit_greeting("tried");
    fleet.in_mode("test").ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: tried\n");
    let next = fleet.next_boot();
    assert_eq!(next["at_boot"], "leave");
    assert_eq!(
        (&next["generation"], &next["back_to"]),
        (&2.into(), &1.into())
    );
    let said = fleet.run(&["status"]).stdout;
    assert!(said.contains("goes back from generation 2"), "{said}");

    // A second one on top of it goes back to where the first came from.
    fleet.commit_greeting("tried again");
    fleet.in_mode("test").ends_with(0);
    assert_eq!(fleet.next_boot()["back_to"], 1);

    fleet.run(&["boot"]).ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: hello\n");
    assert_eq!(fleet.next_boot(), Value::Null);
    fleet.run(&["boot"]).ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: hello\n");
    fleet.reconcile().ends_with(4);
    assert_eq!(fleet.read("etc/motd"), "yard: hello\n");
    let drift = fleet.run(&["drift"]);
    drift.ends_with(0);

    fleet.run(&["reconcile", "retry"]).ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: tried again\n");
}

#[test]
fn who_asks_for_what_is_tried_keeps_it() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    fleet.commit_greeting("tried");
    fleet.in_mode("test").ends_with(0);
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.next_boot(), Value::Null);
    fleet.run(&["boot"]).ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: tried\n");
}

#[test]
fn what_is_put_off_changes_nothing_until_somebody_asks_for_it() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    fleet.commit_greeting("later");
    let put_off = fleet.in_mode("boot");
    put_off.ends_with(0);
    assert!(put_off.stdout.contains("/etc/motd"), "{}", put_off.stdout);
    assert!(
        put_off.stdout.contains("put off until the next boot"),
        "{}",
        put_off.stdout
    );
    assert_eq!(fleet.read("etc/motd"), "yard: hello\n");
    assert_eq!(fleet.next_boot()["at_boot"], "begin");
    fleet.run(&["drift"]).ends_with(0);
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: later\n");
    assert_eq!(fleet.next_boot(), Value::Null);
}

#[test]
fn who_goes_back_from_what_is_tried_or_put_off_is_where_the_next_boot_leaves_the_host() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    for (mode, greeting) in [("test", "tried"), ("boot", "later")] {
        fleet.commit_greeting(greeting);
        fleet.in_mode(mode).ends_with(0);
        assert_ne!(fleet.next_boot(), Value::Null);
        fleet.run(&["generations", "switch", "1"]).ends_with(0);
        assert_eq!(fleet.next_boot(), Value::Null, "{mode}");
        let said = fleet.run(&["status"]).stdout;
        assert!(!said.contains("next boot"), "{said}");
        fleet.run(&["boot"]).ends_with(0);
        assert_eq!(fleet.read("etc/motd"), "yard: hello\n");
    }
}
