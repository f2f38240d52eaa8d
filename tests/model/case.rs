//! What happens to a host: drawn at random, small, and shrunk by proptest.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;

use crate::machine::Kill;
use crate::wanted::{Conflict, Drift, Entry, GROUPS, Host, Kind, PEOPLE, Person, Secret, Unit};

/// One thing that happens.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// Somebody pushes a commit, and types `reconcile now`.
    Push(Host),
    /// Somebody pushes a commit, and the agent finds it.
    Found(Host),
    /// Somebody pushes a commit, types `reconcile now`, and it is killed.
    Killed {
        host: Host,
        kill: Kill,
        /// What finds it first.
        rescue: Rescue,
    },
    /// Somebody edits the host by hand.
    Edited(Vec<Edit>),
    /// The agent scans for drift.
    Scanned,
    /// Somebody types `reconcile now`.
    Repaired,
}

/// Who takes up what was cut off.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rescue {
    Agent,
    BootUnit,
    /// The boot unit, which is killed in turn.
    KilledBootUnit(Kill),
}

/// One edit by hand, at one of [`EDITED`].
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Write(&'static str, u8),
    Mode(&'static str, u32),
    Owner(&'static str),
    Delete(&'static str),
    Link(&'static str),
    Directory(&'static str),
    /// An extended attribute.
    Note(&'static str),
    /// A second name elsewhere for the same file.
    HardLink(&'static str),
    Secret(&'static str, SecretEdit),
    Shell(&'static str),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum SecretEdit {
    Write,
    Mode,
    Delete,
    Stray,
}

/// Paths that commits speak of; some below others, some beside.
const POOL: [&str; 12] = [
    "/etc/app",
    "/etc/app/a.conf",
    "/etc/app/sub",
    "/etc/app/sub/b.conf",
    "/etc/app-extra",
    "/etc/motd",
    "/opt/tool",
    "/srv/x",
    "/srv/x/y",
    "/srv/x/y/z",
    "/srv/décor und mehr",
    "/opt/tool/deep/er",
];

/// Other paths that are edited by hand: of units, keys and homes, and where nothing of ours ever is.
const EDITED: [&str; 12] = [
    "/etc/systemd/system/app.service",
    "/etc/systemd/system/app.service.d/10-ours.conf",
    "/etc/systemd/system/multi-user.target.wants/app.service",
    "/etc/systemd/system/app.service.d/stray.conf",
    "/etc/hostname",
    "/etc/localtime",
    "/home/ketan/.ssh/authorized_keys",
    "/home/ketan/.config/app.conf",
    "/home/ketan/.config/stray",
    "/etc/app/stray",
    "/srv/x/y/stray",
    "/opt/stray",
];

const SECRETS: [&str; 3] = ["db", "tls", "smtp"];

fn drift() -> impl Strategy<Value = Drift> {
    prop_oneof![3 => Just(Drift::Report), 1 => Just(Drift::Enforce)]
}

fn entry() -> impl Strategy<Value = Entry> {
    let mode = select(&[0o644, 0o600, 0o755, 0o640][..]);
    let kind = prop_oneof![
        4 => (0_u8..3, mode, prop::bool::weighted(0.2)).prop_map(|(v, m, d)| Kind::File(v, m, d)),
        3 => select(&[0o755, 0o700, 0o750][..]).prop_map(Kind::Dir),
        2 => (1_u8..3).prop_map(Kind::Link),
    ];
    let conflict = prop_oneof![
        2 => Just(Conflict::Refuse),
        5 => Just(Conflict::Backup),
        1 => Just(Conflict::Adopt),
    ];
    (kind, conflict, drift()).prop_map(|(kind, conflict, drift)| Entry {
        // A directory that is there is only given owner and mode; anything else there is in its way.
        conflict: if matches!(kind, Kind::Dir(_)) {
            Conflict::Refuse
        } else {
            conflict
        },
        kind,
        drift,
    })
}

fn units() -> impl Strategy<Value = BTreeMap<&'static str, Unit>> {
    let version = || prop::option::weighted(0.4, 0_u8..2);
    let ours = (0_u8..2, any::<bool>(), version()).prop_map(|(v, e, d)| Unit::Ours(v, e, d));
    let theirs = prop_oneof![
        1 => Just(Unit::Masked),
        3 => (prop::option::of(any::<bool>()), version())
            .prop_filter("says nothing", |said| *said != (None, None))
            .prop_map(|(enable, drop_in)| Unit::Theirs(enable, drop_in)),
    ];
    let side = prop_oneof![3 => Just(None), 1 => Just(Some(Unit::Masked))];
    let (app, vendor) = (prop::option::of(ours), prop::option::weighted(0.3, theirs));
    (app, vendor, side).prop_map(|(app, vendor, side)| {
        let named = [
            ("app.service", app),
            ("vendor.service", vendor),
            ("side.timer", side),
        ];
        let said = named
            .into_iter()
            .filter_map(|(name, unit)| Some((name, unit?)));
        said.collect()
    })
}

fn person() -> impl Strategy<Value = Person> {
    let version = || prop::option::of(0_u8..2);
    let groups = prop::collection::btree_set(select(&GROUPS[..]).prop_map(|(name, _)| name), 0..3);
    (version(), groups, version(), version(), any::<bool>()).prop_map(
        |(shell, groups, keys, dotfile, linger)| Person {
            shell,
            groups,
            keys,
            dotfile,
            linger,
        },
    )
}

fn secret() -> impl Strategy<Value = Secret> {
    let mode = select(&[0o400, 0o440][..]);
    (0_u8..2, mode, any::<bool>(), any::<bool>()).prop_map(|(version, mode, daemons, rendered)| {
        Secret {
            version,
            mode,
            daemons,
            rendered,
        }
    })
}

/// A whole host file that says nothing impossible.
fn host() -> impl Strategy<Value = Host> {
    let entries = prop::collection::btree_map(select(&POOL[..]), entry(), 0..7);
    let people = prop::collection::btree_map(
        select(&PEOPLE[..]).prop_map(|(name, _)| name),
        person(),
        0..2,
    );
    let secrets = prop::collection::btree_map(select(&SECRETS[..]), secret(), 0..3);
    let rest = (
        prop::option::weighted(0.3, 0_u8..2),
        prop::option::weighted(0.2, 0_u8..2),
        prop::bool::weighted(0.1),
    );
    (drift(), entries, units(), people, secrets, rest).prop_map(
        |(drift, mut entries, units, people, secrets, (hostname, timezone, sick))| {
            let is_dir: BTreeMap<&str, bool> = entries
                .iter()
                .map(|(path, entry)| (*path, matches!(entry.kind, Kind::Dir(_))))
                .collect();
            // Nothing lies below a file or link.
            entries.retain(|path, _| {
                crate::tree::above(path).all(|above| is_dir.get(above) != Some(&false))
            });
            let groups = people.values().flat_map(|person| person.groups.clone());
            let groups = groups.collect();
            Host {
                drift,
                entries,
                units,
                people,
                groups,
                secrets,
                hostname,
                timezone,
                sick,
            }
        },
    )
}

fn edit() -> impl Strategy<Value = Edit> {
    let path = || prop_oneof![2 => select(&POOL[..]), 1 => select(&EDITED[..])];
    let secret = prop_oneof![
        Just(SecretEdit::Write),
        Just(SecretEdit::Mode),
        Just(SecretEdit::Delete),
        Just(SecretEdit::Stray),
    ];
    prop_oneof![
        6 => (path(), 0_u8..4).prop_map(|(path, version)| Edit::Write(path, version)),
        3 => (path(), select(&[0o600, 0o644, 0o700, 0o711][..])).prop_map(|(path, mode)| Edit::Mode(path, mode)),
        1 => path().prop_map(Edit::Owner),
        4 => path().prop_map(Edit::Delete),
        2 => path().prop_map(Edit::Link),
        2 => path().prop_map(Edit::Directory),
        2 => path().prop_map(Edit::Note),
        1 => path().prop_map(Edit::HardLink),
        2 => (select(&SECRETS[..]), secret).prop_map(|(name, edit)| Edit::Secret(name, edit)),
        1 => select(&PEOPLE[..]).prop_map(|(name, _)| Edit::Shell(name)),
    ]
}

/// Among the calls that change a disk; each record that opens or closes a phase of the journal ends in an `fdatasync`.
fn kill() -> impl Strategy<Value = Kill> {
    let at = |call: &'static str, first: u16, last: u16| {
        (first..=last).prop_map(move |nth| Kill { call, nth })
    };
    prop_oneof![
        3 => at("fdatasync", 1, 8),
        // From before the last check to after the commit.
        4 => at("fdatasync", 5, 7),
        4 => at("write", 12, 110),
        3 => at("fsync", 4, 44),
        2 => at("rename", 2, 14),
        2 => at("renameat2", 1, 6),
        2 => at("fchmod", 2, 18),
        1 => at("mkdirat", 1, 6),
        1 => at("unlinkat", 1, 6),
        1 => at("unlink", 1, 8),
        1 => at("symlinkat", 1, 3),
    ]
}

fn rescue() -> impl Strategy<Value = Rescue> {
    prop_oneof![
        2 => Just(Rescue::Agent),
        2 => Just(Rescue::BootUnit),
        1 => kill().prop_map(Rescue::KilledBootUnit),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        5 => host().prop_map(Event::Push),
        3 => host().prop_map(Event::Found),
        3 => (host(), kill(), rescue())
            .prop_map(|(host, kill, rescue)| Event::Killed { host, kill, rescue }),
        6 => prop::collection::vec(edit(), 1..4).prop_map(Event::Edited),
        2 => Just(Event::Scanned),
        2 => Just(Event::Repaired),
    ]
}

/// The life of one host.
pub(crate) fn life() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(), 1..14)
}
