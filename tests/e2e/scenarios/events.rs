//! What monitoring sees: the journal.

use super::fixture::{EVENTUALLY, running_fleet};
use crate::harness::World;

/// Documented in `docs/events.md`; written out here, because their meaning must never change.
const ACTIVATED: &str = "b073ee660c1642d99393802a5d16427e";
const REPAIRED: &str = "964421808979425eae746584f591987f";
const ROLLED_BACK: &str = "ad4aa14255004f63a75fe1c727b5a7b9";
const HELD_BACK: &str = "c707f594403442878db3526233934f18";

pub fn the_journal_is_told_of_every_change_once_under_its_fixed_id(world: &World, name: &str) {
    let (fleet, good) = running_fleet(world, name, &["yard"], "");
    let yard = fleet.host("yard");
    let told = |id: &str| {
        let fields = "MESSAGE,PRIORITY,STEADFAST_HOST,STEADFAST_REVISION,STEADFAST_REASON";
        let script = format!(
            "journalctl --sync; journalctl --no-pager -o json --output-fields={fields} MESSAGE_ID={id}"
        );
        let text = yard.must(&script);
        let entries = text.lines().map(|line| serde_json::from_str(line).unwrap());
        entries.collect::<Vec<serde_json::Value>>()
    };

    // By the agent.
    let activated = told(ACTIVATED);
    assert_eq!(activated.len(), 1, "{activated:?}");
    assert_eq!(activated[0]["MESSAGE"], "generation activated");
    assert_eq!(activated[0]["PRIORITY"], "5");
    assert_eq!(activated[0]["STEADFAST_HOST"], "yard");
    assert_eq!(activated[0]["STEADFAST_REVISION"], good.as_str());

    // By hand, where stderr is a terminal's or a script's.
    yard.must(
        "systemctl stop steadfast; echo hacked >> /etc/app/app.conf; steadfast reconcile now",
    );
    assert_eq!(told(REPAIRED).len(), 1);
    yard.must("systemctl start steadfast");

    // A state that lasts is told once, however often the agent looks.
    fleet.clone.edit(
        "hosts/yard/app.service",
        "exec sleep infinity",
        "sleep 1; exit 3",
    );
    let bad = fleet.clone.commit("a service that crashes");
    fleet.clone.push();
    yard.wait_rolled_back(&bad, EVENTUALLY);
    std::thread::sleep(std::time::Duration::from_secs(7));
    let rolled_back = told(ROLLED_BACK);
    assert_eq!(rolled_back.len(), 1, "{rolled_back:?}");
    let reason = rolled_back[0]["STEADFAST_REASON"]
        .as_str()
        .unwrap_or_default();
    assert!(reason.contains("app.service"), "{reason}");
    assert_eq!(rolled_back[0]["PRIORITY"], "3");
    assert_eq!(told(HELD_BACK).len(), 1);
}
