use super::*;
use crate::host::{FileMode, durable};

struct Place {
    dir: tempfile::TempDir,
    links: Links,
}

fn place(units: &[(&str, &str)]) -> Place {
    let dir = tempfile::tempdir().unwrap();
    let host = Host::below(dir.path()).unwrap();
    let vendor = dir.path().join("usr/lib/systemd/system");
    std::fs::create_dir_all(&vendor).unwrap();
    for (name, text) in units {
        let mode = FileMode::from_bits(0o644);
        durable::replace(&vendor.join(name), text.as_bytes(), mode).unwrap();
    }
    let links = Links::new(host);
    Place { dir, links }
}

fn unit(text: &str) -> UnitName {
    UnitName::new(text).unwrap()
}

impl Place {
    fn file_state(&self, name: &str) -> UnitFileState {
        let states = self.links.observe(&[unit(name)].into()).unwrap();
        states[&unit(name)].file
    }

    fn target(&self, below: &str) -> String {
        let path = self.dir.path().join("etc/systemd/system").join(below);
        std::fs::read_link(path)
            .unwrap()
            .to_string_lossy()
            .into_owned()
    }
}

const APP: &str = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nAlias=web.service\nAlso=app.socket\n";
const SOCKET: &str = "[Socket]\nListenStream=1\n[Install]\nWantedBy=sockets.target\n";

#[test]
fn enabling_links_a_unit_its_aliases_and_its_companions_and_disabling_takes_them_away() {
    let place = place(&[("app.service", APP), ("app.socket", SOCKET)]);
    assert_eq!(place.file_state("app.service"), UnitFileState::Disabled);
    for _ in 0..2 {
        place.links.enable(&unit("app.service")).unwrap();
    }
    assert_eq!(place.file_state("app.service"), UnitFileState::Enabled);
    assert_eq!(place.file_state("app.socket"), UnitFileState::Enabled);
    let vendor = "/usr/lib/systemd/system/app.service";
    assert_eq!(place.target("multi-user.target.wants/app.service"), vendor);
    assert_eq!(place.target("web.service"), vendor);
    place.links.disable(&unit("app.service")).unwrap();
    assert_eq!(place.file_state("app.service"), UnitFileState::Disabled);
    assert_eq!(place.file_state("web.service"), UnitFileState::Missing);
}

#[test]
fn instances_are_linked_to_their_template() {
    let place = place(&[(
        "get@.service",
        "[Install]\nWantedBy=multi-user.target\nDefaultInstance=one\n",
    )]);
    place.links.enable(&unit("get@two.service")).unwrap();
    place.links.enable(&unit("get@.service")).unwrap();
    let template = "/usr/lib/systemd/system/get@.service";
    assert_eq!(
        place.target("multi-user.target.wants/get@two.service"),
        template
    );
    assert_eq!(
        place.target("multi-user.target.wants/get@one.service"),
        template
    );
    assert_eq!(
        place.file_state("get@three.service"),
        UnitFileState::Disabled
    );
    place.links.disable(&unit("get@.service")).unwrap();
    assert_eq!(place.file_state("get@two.service"), UnitFileState::Disabled);
}

#[test]
fn masked_static_and_missing_units_are_told_apart() {
    let place = place(&[("plain.service", "[Service]\n"), ("gone.service", APP)]);
    let etc = HostPath::new("/etc/systemd/system/gone.service").unwrap();
    place.links.host.make_parents(&etc).unwrap();
    place.links.host.make_symlink(&etc, "/dev/null").unwrap();
    assert_eq!(place.file_state("plain.service"), UnitFileState::Static);
    assert_eq!(place.file_state("gone.service"), UnitFileState::Masked);
    assert_eq!(place.file_state("none.service"), UnitFileState::Missing);
    let error = place.links.enable(&unit("gone.service")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "systemd refuses to enable gone.service: it is masked"
    );
    assert!(matches!(
        place.links.enable(&unit("none.service")),
        Err(UnitError::NoFile { .. })
    ));
}

#[test]
fn what_enables_a_unit_behind_its_mask_is_seen_and_goes() {
    let place = place(&[("app.service", APP), ("app.socket", SOCKET)]);
    let name = unit("app.service");
    place.links.enable(&name).unwrap();
    let mask = HostPath::new("/etc/systemd/system/app.service").unwrap();
    place.links.host.make_symlink(&mask, "/dev/null").unwrap();
    assert_eq!(
        place.file_state("app.service"),
        UnitFileState::EnabledButMasked
    );
    // What systemd says of it.
    let said = UnitState::of_file(UnitFileState::Masked);
    let mut said = [(name.clone(), said)].into();
    place.links.look_behind_masks(&mut said).unwrap();
    assert_eq!(said[&name].file, UnitFileState::EnabledButMasked);
    place.links.disable_behind_mask(&name).unwrap();
    assert_eq!(place.file_state("app.service"), UnitFileState::Masked);
    place.links.host.remove(&mask).unwrap();
    assert_eq!(place.file_state("app.service"), UnitFileState::Disabled);
}

#[test]
fn a_link_to_a_directory_or_to_nothing_defines_no_unit() {
    let place = place(&[]);
    let units = place.dir.path().join("etc/systemd/system");
    std::fs::create_dir_all(units.join("somewhere")).unwrap();
    for (name, target) in [("led.service", "somewhere"), ("lost.service", "nowhere")] {
        std::os::unix::fs::symlink(target, units.join(name)).unwrap();
        assert_eq!(place.file_state(name), UnitFileState::Missing, "{name}");
    }
}
