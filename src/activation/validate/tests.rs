use super::checks::{Check, Missing, checks};
use super::{sshd, units};
use crate::activation::testing::{World, file, manifest, path, text};
use crate::activation::{Held, Plan};
use crate::host::UnitName;

fn asked(paths: &[&str]) -> Vec<String> {
    let mut desired = manifest();
    for at in paths {
        desired.paths.insert(path(at), file("new"));
    }
    desired.validators.insert(
        path("/etc/app.conf"),
        vec!["/usr/bin/app".to_owned(), "--check={file}".to_owned()],
    );
    let plan = World::fresh().plan(&desired, Held::Nothing).unwrap();
    let line = |check: &Check| match check {
        Check::Program {
            path,
            argv,
            missing,
            ..
        } => format!("{path}: {} {missing:?}", argv.join(" ")),
        Check::Sshd => "sshd".to_owned(),
        Check::Units(paths) => {
            let names: Vec<&str> = paths.iter().map(crate::host::HostPath::as_str).collect();
            format!("units {}", names.join(" "))
        }
    };
    checks(&plan, &desired).iter().map(line).collect()
}

#[test]
fn what_is_written_is_judged_by_who_will_read_it() {
    insta::assert_snapshot!(asked(&[
        "/etc/app.conf",
        "/etc/motd",
        "/etc/nftables.conf",
        "/etc/ssh/sshd_config.d/50-a.conf",
        "/etc/ssh/ssh_config",
        "/etc/sudoers",
        "/etc/sudoers.d/ketan",
        "/etc/systemd/system/app.service",
        "/etc/systemd/system/app.service.d/10-a.conf",
    ]).join("\n"), @r"
    /etc/app.conf: /usr/bin/app --check={file} Refuse
    /etc/nftables.conf: /usr/sbin/nft -c -f {file} Accept
    /etc/sudoers: /usr/sbin/visudo -c -f {file} Accept
    /etc/sudoers.d/ketan: /usr/sbin/visudo -c -f {file} Accept
    sshd
    units /etc/systemd/system/app.service /etc/systemd/system/app.service.d/10-a.conf
    ");
}

#[test]
fn what_stays_as_it_is_is_not_judged() {
    let mut desired = manifest();
    desired.paths.insert(path("/etc/app.conf"), file("new"));
    desired.validators.insert(
        path("/etc/app.conf"),
        vec!["a".to_owned(), "{file}".to_owned()],
    );
    let mut world = World::fresh();
    let first = world.go(&desired);
    assert_eq!(checks(&first, &desired).len(), 1, "{}", text(&first));
    let again = world.plan(&desired, Held::Nothing).unwrap();
    assert_eq!(checks(&again, &desired), []);
    assert_eq!(checks(&Plan::default(), &desired), []);
}

#[test]
fn somebody_who_names_a_validator_wants_it_to_be_there() {
    assert_ne!(Missing::Refuse, Missing::Accept);
    let all = asked(&["/etc/app.conf", "/etc/sudoers"]);
    assert!(all[0].ends_with("Refuse") && all[1].ends_with("Accept"));
}

#[test]
fn the_include_of_sshd_leads_to_the_staged_drop_ins() {
    let config =
        "# Include /etc/ssh/sshd_config.d/*.conf\ninclude /etc/ssh/sshd_config.d/*.conf\nPort 22\n";
    let led = sshd::led_to(config, "/staging/sshd_config.d/").unwrap();
    assert_eq!(
        led,
        "# Include /etc/ssh/sshd_config.d/*.conf\ninclude /staging/sshd_config.d/*.conf\nPort 22\n"
    );
    assert_eq!(sshd::led_to("Port 22\n", "/staging/"), None);
}

#[test]
fn only_what_systemd_would_not_load_is_refused() {
    let unit = |name: &str| UnitName::new(name).unwrap();
    let changed = [unit("a.service"), unit("b.service"), unit("good.service")].into();
    let printed = "\
/staging/a.service:3: Unknown key 'Foo' in section [Service], ignoring.
/staging/good.service.d/x.conf:2: Failed to parse service restart specifier, ignoring: maybe
/lib/systemd/system/other.service:1: Something about somebody else's unit
b.service: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.
Unit b.service has a bad unit file setting.
good.service: Failed to create good.service/start: Unit b.service has a bad unit file setting.
good.service: Command /nope/x is not executable: No such file or directory
c.service: Service has no ExecStart=. Refusing.
Unit c.service has a bad unit file setting.
";
    let verdict = units::sort(printed, "/staging", &changed);
    assert_eq!(
        verdict.refused,
        [(
            unit("b.service"),
            "Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.".to_owned()
        )]
        .into()
    );
    assert_eq!(
        verdict.warnings,
        [
            "/etc/systemd/system/a.service:3: Unknown key 'Foo' in section [Service], ignoring.",
            "/etc/systemd/system/good.service.d/x.conf:2: Failed to parse service restart specifier, ignoring: maybe",
        ]
    );
    let of = units::units_of(
        &[
            path("/etc/systemd/system/a.service"),
            path("/etc/systemd/system/b@.timer.d/10.conf"),
            path("/etc/systemd/system/service.d/all.conf"),
        ]
        .into(),
    );
    assert_eq!(of, [unit("a.service"), unit("b@.timer")].into());
}
