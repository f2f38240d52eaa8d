//! The table of what a change asks of units, on a real host: every job that systemd ran, as its bus tells of it.
//!
//! Swap is not among them: systemd has no swap units in a container ("not supported on this system"), and what the kernel
//! swaps to is one for the whole machine underneath. `activation::plan` tests what a changed one is asked.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, Host, Observer, World};

const RUN: &str = "[Service]\nExecStart=/bin/sleep infinity\n";
const CHANGED: &str = "[Service]\nExecStart=/bin/sleep infinity\nEnvironment=CHANGED=1\n";
const STARTED: &str = "start: true";

/// The units of the host as they are written: by name, the text and the rest of the entry.
#[derive(Default)]
struct Units(BTreeMap<String, (String, String)>);

impl Units {
    fn set(&mut self, name: &str, text: &str, rest: &str) {
        let entry = (text.to_owned(), rest.to_owned());
        self.0.insert(name.to_owned(), entry);
    }

    /// The same with another text.
    fn change(&mut self, name: &str, old: &str, new: &str) {
        let (text, _) = self.0.get_mut(name).unwrap();
        assert!(text.contains(old), "{name} has no {old:?}");
        *text = text.replace(old, new);
    }

    fn remove(&mut self, name: &str) {
        self.0.remove(name).unwrap();
    }

    fn push(&self, fleet: &Fleet, more: &str, message: &str) -> String {
        let mut yaml = format!("{more}units:\n");
        for (name, (text, rest)) in &self.0 {
            let text = match text.as_str() {
                "" => String::new(),
                text => format!("text: {}, ", serde_json::to_string(text).unwrap()),
            };
            writeln!(yaml, "  {name}: {{ {text}{rest} }}").unwrap();
        }
        fleet.clone.write("hosts/yard/host.yml", &yaml);
        let commit = fleet.clone.commit(message);
        fleet.clone.push();
        commit
    }
}

fn file(content: &str) -> String {
    format!(
        "files:\n  /etc/trigger.conf:\n    text: {content}\n    units: {{ restart: [trigger-restart.service, \
         trigger-kept.service], reload: [trigger-reload.service] }}\n"
    )
}

fn drop_in(line: &str) -> String {
    format!("start: true, drop_ins: {{ a.conf: {{ text: \"[Service]\\n{line}\\n\" }} }}")
}

fn at_first() -> Units {
    let mut units = Units::default();
    let reload = "ExecReload=/bin/true\n";
    for (name, more) in [
        ("plain", String::new()),
        ("in-place", "X-StopIfChanged=false\n".to_owned()),
        ("reloaded", format!("X-ReloadIfChanged=true\n{reload}")),
        ("idle", format!("X-ReloadIfChanged=true\n{reload}")),
        ("kept", "X-RestartIfChanged=false\n".to_owned()),
        ("refusing", "[Unit]\nRefuseManualStop=true\n".to_owned()),
        ("by-hand", "[Unit]\nX-OnlyManualStart=true\n".to_owned()),
        ("in-words", "[Unit]\nDescription=one\n".to_owned()),
        ("reload-new", String::new()),
        (
            "removed",
            "ExecStop=/bin/touch /run/removed-stopped\n".to_owned(),
        ),
        ("outliving", "[Unit]\nX-StopOnRemoval=false\n".to_owned()),
        (
            "needing",
            "[Unit]\nRequires=plain.service\nAfter=plain.service\n".to_owned(),
        ),
        ("trigger-restart", String::new()),
        ("trigger-reload", reload.to_owned()),
        ("trigger-kept", "X-RestartIfChanged=false\n".to_owned()),
        ("becoming", String::new()),
    ] {
        units.set(&format!("{name}.service"), &format!("{RUN}{more}"), STARTED);
    }
    units.set("tick.service", "[Service]\nExecStart=/bin/true\n", "");
    units.set("tick.timer", "[Timer]\nOnCalendar=2090-01-01\n", STARTED);
    units.set("watch.service", "[Service]\nExecStart=/bin/true\n", "");
    units.set("watch.path", "[Path]\nPathExists=/run/never\n", STARTED);
    units.set("some.slice", "[Slice]\nTasksMax=1000\n", STARTED);
    let mount =
        |at: &str| format!("[Mount]\nWhat=tmpfs\nWhere=/srv/{at}\nType=tmpfs\nOptions=size=1M\n");
    units.set("srv-remounted.mount", &mount("remounted"), STARTED);
    units.set("srv-again.mount", &mount("again"), STARTED);
    // What is mounted on demand: nobody looks, so it is never mounted.
    units.set("srv-lazy.mount", &mount("lazy"), "");
    units.set(
        "srv-lazy.automount",
        "[Automount]\nWhere=/srv/lazy\n",
        STARTED,
    );
    units.set("group.target", "[Unit]\nDescription=a group\n", STARTED);
    units.set(
        "by-hand.target",
        "[Unit]\nX-OnlyManualStart=true\n",
        STARTED,
    );
    units.set("multi@.service", RUN, "");
    units.set("multi@a.service", "", &drop_in("Nice=1"));
    for (name, port, accept) in [
        ("door", 7001, "no"),
        ("gap", 7002, "no"),
        ("talk", 7003, "yes"),
    ] {
        let text = format!("[Socket]\nListenStream=127.0.0.1:{port}\nAccept={accept}\n");
        units.set(&format!("{name}.socket"), &text, STARTED);
    }
    units.set("door.service", RUN, "");
    units.set("gap.service", RUN, "");
    units.set("talk@.service", &format!("{RUN}StandardInput=socket\n"), "");
    units
}

pub fn every_row_of_the_table_queues_the_jobs_it_says(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    let yard = fleet.host("yard");
    fleet.set_up_agents("");
    // A unit of the distribution, enabled and running.
    yard.write(
        "/usr/lib/systemd/system/theirs.service",
        &format!("{RUN}\n[Install]\nWantedBy=multi-user.target\n"),
    );
    yard.must("systemctl daemon-reload; systemctl enable --now --quiet theirs.service");
    let mut units = at_first();
    let first = units.push(&fleet, &file("one"), "units of every kind");
    fleet.start_agents();
    yard.wait_converged(&first, EVENTUALLY);
    yard.must("systemctl start multi@by-hand.service; systemctl stop idle.service");
    connect(yard, 7001, "door.service");
    connect(yard, 7003, "'talk@*.service'");
    let observer = Observer::listen(yard);

    everything_changes(&fleet, &observer, &mut units);
    what_the_second_change_asks_for(&fleet, &observer, &mut units);
    words_are_read_once_and_nothing_is_queued_for_nothing(&fleet, &observer, &mut units);
}

/// What systemd did, with what it may do in any order sorted: jobs of one kind are queued together. So what one of them pulls in
/// may be the job that is asked for itself, and comes at any time between them.
fn in_groups<S: ToString>(jobs: impl IntoIterator<Item = S>) -> Vec<String> {
    let jobs: Vec<String> = jobs.into_iter().map(|job| job.to_string()).collect();
    let (pulled, mut asked): (Vec<String>, Vec<String>) = jobs
        .into_iter()
        .partition(|job| job.starts_with("pulled in "));
    let group = |job: &String| {
        let verb = job.split(' ').next().unwrap_or_default().to_owned();
        let starts_others = match job.rsplit_once('.').map(|(_, kind)| kind) {
            _ if job == "reload" => 4,
            _ if verb == "reload" => 0,
            Some("mount done" | "automount done") => 0,
            Some("socket done" | "timer done") => 1,
            Some("target done") => 3,
            _ => 2,
        };
        (verb, starts_others)
    };
    // The order of the groups is what is held to.
    let groups = asked.chunk_by_mut(|one, next| group(one) == group(next));
    groups.for_each(<[String]>::sort);
    let is_asked = |job: &str| asked.contains(&job.replacen("pulled in", "start", 1));
    let mut pulled: Vec<String> = pulled.into_iter().filter(|job| !is_asked(job)).collect();
    pulled.sort();
    asked.extend(pulled);
    asked
}

/// Opens a connection and leaves it open until `unit` runs.
fn connect(yard: &Host, port: u16, unit: &str) {
    drop(yard.start(&format!(
        "exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; sleep 300'"
    )));
    yard.must(&format!(
        "for i in $(seq 100); do systemctl is-active --quiet {unit} && exit 0; sleep 0.1; done; exit 1"
    ));
}

/// The second version of every unit.
fn change_all(units: &mut Units) {
    for name in [
        "plain", "in-place", "reloaded", "idle", "kept", "refusing", "by-hand", "door", "multi@",
        "talk@",
    ] {
        units.change(&format!("{name}.service"), RUN, CHANGED);
    }
    units.change(
        "in-words.service",
        "Description=one",
        "# the same\nDescription=two",
    );
    units.change(
        "reload-new.service",
        RUN,
        &format!("{RUN}ExecReload=/bin/true\n"),
    );
    units.remove("removed.service");
    units.remove("outliving.service");
    units.set("theirs.service", "", "mask: true");
    units.change("tick.timer", "2090", "2091");
    units.change("watch.path", "never", "nowhere");
    units.change("some.slice", "1000", "1001");
    units.change("srv-remounted.mount", "size=1M", "size=2M");
    units.change("srv-again.mount", "What=tmpfs", "What=other");
    let idle = "Where=/srv/lazy\nTimeoutIdleSec=90";
    units.change("srv-lazy.automount", "Where=/srv/lazy", idle);
    units.change("by-hand.target", "X-Only", "Wants=tick.timer\nX-Only");
    units.change("gap.socket", "Accept=no", "Accept=no\nBacklog=7");
    units.set(
        "pulled.service",
        &format!("{RUN}[Install]\nWantedBy=group.target\n"),
        "enable: true",
    );
    units.set(
        "anew.target",
        "[Unit]\nX-StopOnReconfiguration=true\n",
        STARTED,
    );
}

fn everything_changes(fleet: &Fleet, observer: &Observer<'_>, units: &mut Units) {
    let yard = fleet.host("yard");
    change_all(units);
    let second = units.push(fleet, &file("two"), "everything changes");
    let status = yard.wait_converged(&second, EVENTUALLY);
    assert_eq!(
        in_groups(observer.heard()),
        in_groups([
            "stop door.socket done",
            "stop talk.socket done",
            "stop door.service done",
            "stop multi@a.service done",
            "stop multi@by-hand.service done",
            "stop needing.service done",
            "stop plain.service done",
            "stop removed.service done",
            "stop talk@… done",
            "stop theirs.service done",
            "reload",
            "reload reload-new.service done",
            "reload reloaded.service done",
            "reload srv-remounted.mount done",
            "reload trigger-reload.service done",
            "restart srv-again.mount done",
            "restart srv-lazy.automount done",
            "restart gap.socket done",
            "restart tick.timer done",
            "restart in-place.service done",
            "restart trigger-restart.service done",
            "start door.socket done",
            "start talk.socket done",
            "start idle.service done",
            "start multi@a.service done",
            "start multi@by-hand.service done",
            "pulled in plain.service done",
            "start needing.service done",
            "start plain.service done",
            "start anew.target done",
            "pulled in pulled.service done",
            "start group.target done",
        ])
    );
    yard.must("test -e /run/removed-stopped");
    yard.must("systemctl is-active outliving.service");
    let notices = status.0["last"]["notices"].to_string();
    for unit in ["kept", "refusing", "by-hand", "trigger-kept", "outliving"] {
        assert!(
            notices.contains(&format!("{unit}.service")),
            "{unit}: {notices}"
        );
    }
    let state = |unit: &str| {
        yard.run(&format!(
            "systemctl is-enabled {unit}; systemctl is-active {unit}"
        ))
    };
    assert_eq!(state("theirs.service").stdout, "masked\ninactive\n");
    assert_eq!(
        yard.quietly("systemctl is-active door.service"),
        "inactive\n",
        "until somebody connects"
    );
    connect(yard, 7001, "door.service");
    let environment = yard.must("systemctl show -P Environment door.service");
    assert_eq!(environment, "CHANGED=1\n");
    let options = yard.must("findmnt -no OPTIONS /srv/remounted");
    assert!(options.contains("size=2048k"), "{options}");
}

fn what_the_second_change_asks_for(fleet: &Fleet, observer: &Observer<'_>, units: &mut Units) {
    let yard = fleet.host("yard");
    connect(yard, 7002, "gap.service");
    units.change("gap.socket", "Backlog=7", "Backlog=8");
    units.remove("theirs.service");
    units.remove("multi@a.service");
    // From its socket to itself, which it does already, and the other way round.
    units.remove("door.socket");
    units.set("door.service", CHANGED, STARTED);
    units.set("becoming.service", RUN, "");
    units.set(
        "becoming.socket",
        "[Socket]\nListenStream=127.0.0.1:7004\n",
        STARTED,
    );
    observer.forget();
    let third = units.push(fleet, &file("two"), "sockets come and go");
    yard.wait_converged(&third, EVENTUALLY);
    assert_eq!(
        in_groups(observer.heard()),
        in_groups([
            "stop door.socket done",
            "stop gap.socket done",
            "stop becoming.service done",
            "stop gap.service done",
            "stop multi@a.service done",
            "stop anew.target done",
            "reload",
            "start becoming.socket done",
            "start gap.socket done",
            "start gap.service done",
            "start anew.target done",
        ])
    );
    yard.must("systemctl is-active multi@by-hand.service door.service");
    assert_eq!(
        yard.must("systemctl is-enabled theirs.service"),
        "enabled\n"
    );
    connect(yard, 7004, "becoming.service");
}

fn words_are_read_once_and_nothing_is_queued_for_nothing(
    fleet: &Fleet,
    observer: &Observer<'_>,
    units: &mut Units,
) {
    let yard = fleet.host("yard");
    observer.forget();
    units.remove("anew.target");
    let gone = units.push(fleet, &file("two"), "no more reconfiguration");
    yard.wait_converged(&gone, EVENTUALLY);
    assert_eq!(observer.heard(), ["stop anew.target done", "reload"]);
    let described =
        "start: true, drop_ins: { a.conf: { text: \"[Unit]\\nDescription=three\\n\" } }";
    units.set("plain.service", CHANGED, described);
    let words = units.push(fleet, &file("two"), "only words");
    yard.wait_converged(&words, EVENTUALLY);
    assert_eq!(observer.heard(), ["reload"]);
    assert_eq!(
        yard.must("systemctl show -P Description plain.service"),
        "three\n"
    );

    let nothing = units.push(fleet, &format!("# a comment\n{}", file("two")), "nothing");
    let status = yard.wait_converged(&nothing, EVENTUALLY);
    assert_eq!(status.outcome(), "nothing_to_do");
    assert_eq!(observer.heard(), [""; 0]);
    assert_eq!(yard.drift().0, 0);
}
