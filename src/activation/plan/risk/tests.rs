use super::super::tests::world::{file, file_state, path, unit_name, user};
use super::*;
use crate::activation::PathChange;

fn write(at: &str) -> Step {
    Step::WritePath {
        path: path(at),
        entry: file("new"),
        change: PathChange::Update,
        found: file_state("old"),
    }
}

fn restart(unit: &str) -> Step {
    Step::RestartUnit {
        unit: unit_name(unit),
        why: String::new(),
    }
}

fn install(name: &str) -> Step {
    Step::InstallPackages {
        packages: [PackageName::new(name).unwrap()].into(),
        arriving: [].into(),
    }
}

fn modify(name: &str, groups: &[&str], changes: &[&str]) -> Step {
    let mut entry = user("/home/x");
    entry.groups = groups
        .iter()
        .map(|group| crate::host::GroupName::new(*group).unwrap())
        .collect();
    Step::ModifyUser {
        user: UserName::new(name).unwrap(),
        entry,
        changes: changes.iter().map(|&change| change.to_owned()).collect(),
        found: None,
    }
}

fn words(step: Step) -> String {
    let plan = Plan {
        steps: vec![step],
        notices: Vec::new(),
    };
    risk(&plan).in_words()
}

#[test]
fn what_can_lock_people_out_is_read_off_the_steps() {
    let sysctl = |key: &str| Step::SetSysctl {
        key: key.to_owned(),
        value: "1".to_owned(),
        found: "0".to_owned(),
    };
    let admins = "who may become root";
    for (step, expected) in [
        (write("/etc/motd"), ""),
        (write("/etc/ssh/sshd_config.d/10-ours.conf"), "sshd"),
        (write("/etc/ssh/ssh_config.d/10-ours.conf"), ""),
        (write("/etc/ssh/ssh_host_ed25519_key"), "sshd"),
        (write("/etc/ssh/ssh_known_hosts"), "the agent itself"),
        (write("/etc/steadfast/agent.yml"), "the agent itself"),
        (write("/etc/steadfast/backups/home.yml"), ""),
        (write("/etc/systemd/network/60-lan.network"), "the network"),
        (write("/etc/resolv.conf"), "name resolution"),
        (write("/etc/nftables.d/10-web.nft"), "the firewall"),
        (write("/etc/pam.d/sshd"), "logins"),
        (write("/etc/sudoers.d/admins"), admins),
        (write("/home/ketan/.ssh/authorized_keys"), admins),
        (
            write("/usr/local/share/ca-certificates/us.crt"),
            "certificate authorities",
        ),
        (write("/etc/systemd/system/app.service"), ""),
        (
            write("/etc/systemd/system/ssh.service.d/limits.conf"),
            "sshd",
        ),
        (
            write("/etc/systemd/system/multi-user.target.wants/nftables.service"),
            "the firewall",
        ),
        (restart("app.service"), ""),
        (restart("ssh.service"), "sshd"),
        (restart("sshguard.service"), ""),
        (restart("ketan/ssh-agent.service"), ""),
        (restart("systemd-networkd.service"), "the network"),
        (restart("wg-quick@office.service"), "the network"),
        (restart("steadfast.service"), "the agent itself"),
        (install("hello"), ""),
        (install("openssh-server"), "sshd"),
        (install("libpam-u2f"), "logins"),
        (sysctl("vm.swappiness"), ""),
        (sysctl("net.ipv4.ip_forward"), "the network"),
        (modify("ketan", &[], &["shell /bin/false"]), ""),
        (modify("ketan", &["sudo"], &["shell /bin/false"]), admins),
        (modify("ketan", &["sudo"], &["description \"K\""]), ""),
        (modify("ketan", &[], &["no longer member of sudo"]), admins),
        (modify("root", &[], &["password"]), admins),
        (
            Step::LockUser {
                user: UserName::new("ketan").unwrap(),
            },
            admins,
        ),
    ] {
        let line = step.describe();
        assert_eq!(words(step), expected, "{line}");
    }
}

#[test]
fn files_alone_move_nothing_and_several_risks_add_up() {
    let plan = |steps: Vec<Step>| Plan {
        steps,
        notices: Vec::new(),
    };
    assert_eq!(risk(&plan(Vec::new())), Risk::default());
    assert_eq!(risk(&plan(vec![write("/etc/motd")])), Risk::default());
    let several = risk(&plan(vec![
        write("/etc/motd"),
        write("/etc/hosts"),
        restart("app.service"),
        restart("ssh.service"),
    ]));
    assert_eq!(several.extent, Extent::Running);
    assert_eq!(several.in_words(), "name resolution, sshd");
}
