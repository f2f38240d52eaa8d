//! The units that come with the program.

use crate::harness::{Fleet, World};

pub fn the_units_verify_and_are_as_hardened_as_their_work_allows(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    let yard = fleet.host("yard");
    let said = yard.run("systemd-analyze verify --man=no steadfast.service steadfast-boot.service");
    assert_eq!((said.code, said.all().trim()), (0, ""), "{}", said.all());
    for (unit, most) in [("steadfast.service", 8.3), ("steadfast-boot.service", 6.3)] {
        let said = yard.must(&format!("systemd-analyze security --no-pager {unit}"));
        let line = said
            .lines()
            .rfind(|line| line.contains("Overall exposure level"))
            .unwrap();
        let level: f32 = line
            .split_whitespace()
            .find_map(|word| word.parse().ok())
            .unwrap();
        assert!(
            level <= most,
            "{unit} is exposed at {level}, more than {most}"
        );
    }
    // Without settings the agent says what is missing, and is tried again.
    yard.run("systemctl start steadfast.service");
    let log = yard.must("sleep 1; journalctl --no-pager -o cat -u steadfast.service");
    assert!(log.contains("/etc/steadfast/agent.yml"), "{log}");
}
