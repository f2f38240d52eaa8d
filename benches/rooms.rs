//! What the rooms cost that every pass goes through: `cargo bench`.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use steadfast::activation::{Held, Observed, Owned, plan};
use steadfast::config::{self, HostName};
use steadfast::generation::{self, Additions};
use steadfast::host::{FileMode, Host, HostPath, Owner};
use steadfast::identity::{HostKey, Identities, Recipient};
use steadfast::sops::{Format, NewFile, OpenedFile, SealedFile};
use steadfast::source::{RepoPath, Snapshot};

/// A managed file, durably written, beside the least that costs.
fn files(criterion: &mut Criterion) {
    // On the disk of the checkout: on a tmpfs fsync costs nothing.
    let directory = tempfile::tempdir_in(".").unwrap();
    let host = Host::below(&directory.path().join("root")).unwrap();
    let path = HostPath::new("/etc/app/file").unwrap();
    host.make_parents(&path).unwrap();
    let owner = Owner::Ids {
        uid: rustix::process::getuid().as_raw(),
        gid: rustix::process::getgid().as_raw(),
    };
    let mut group = criterion.benchmark_group("write a file");
    group.sample_size(50);
    group.bench_function("bare: write, fsync, rename", |bencher| {
        bencher.iter(|| bare_write(&directory.path().join("bare")));
    });
    group.bench_function("managed", |bencher| {
        bencher.iter(|| {
            host.write_file(&path, b"content", owner, FileMode::from_bits(0o644))
                .unwrap();
        });
    });
    group.finish();
}

fn bare_write(path: &Path) {
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary).unwrap();
    file.write_all(b"content").unwrap();
    file.sync_all().unwrap();
    fs::rename(&temporary, path).unwrap();
}

/// From a host file of 1,000 entries to a plan.
fn decide(criterion: &mut Criterion) {
    let mut host = String::from("files:\n");
    for n in 0..1000 {
        writeln!(
            host,
            "  /srv/app/{n:04}.conf: {{ text: \"entry {n}\\n\", mode: \"0640\" }}"
        )
        .unwrap();
    }
    let file = RepoPath::new("hosts/bench/host.yml").unwrap();
    let snapshot = Snapshot::in_memory(BTreeMap::from([(file, host.into_bytes())]));
    let name = HostName::new("bench").unwrap();
    criterion.bench_function("resolve 1,000 entries", |bencher| {
        bencher.iter(|| config::resolve(&snapshot, &name).unwrap());
    });
    let resolved = config::resolve(&snapshot, &name).unwrap();
    criterion.bench_function("build 1,000 entries", |bencher| {
        bencher.iter(|| generation::build(&resolved, &snapshot).unwrap());
    });
    let built = generation::build(&resolved, &snapshot).unwrap();
    let observed = Observed::as_if(&built.manifest);
    let originals = BTreeMap::new();
    let additions = Additions::default();
    criterion.bench_function("plan 1,000 entries that are as they should be", |bencher| {
        bencher.iter(|| {
            let owned = Owned {
                generations: vec![&built.manifest],
                originals: &originals,
                additions: &additions,
                unfinished: BTreeMap::new(),
            };
            plan(&built.manifest, &owned, &observed, Held::Nothing).unwrap()
        });
    });
}

/// 200 hosts of 30 modules each: every host resolved and built.
fn fleet(criterion: &mut Criterion) {
    let mut files: BTreeMap<RepoPath, Vec<u8>> = BTreeMap::new();
    let mut put = |path: String, text: String| {
        files.insert(RepoPath::new(path).unwrap(), text.into_bytes());
    };
    for n in 0..30 {
        put(format!("modules/m{n:02}/module.yml"), module(n));
        put(
            format!("modules/m{n:02}/app.conf"),
            "name={{ cfg.name }}\n{% for port in cfg.ports %}\nport={{ port }}\n{% endfor %}\n"
                .to_owned(),
        );
    }
    put(
        "fleet.yml".to_owned(),
        "variables: { domain: example.org }\n".to_owned(),
    );
    for n in 0..200 {
        let mut host = format!("description: host {n}\nmodules:\n");
        for m in 0..30 {
            writeln!(
                host,
                "  m{m:02}: {{ name: \"app-{n}\", ports: [{n}, {m}] }}"
            )
            .unwrap();
        }
        put(format!("hosts/h{n:03}/host.yml"), host);
    }
    let snapshot = Snapshot::in_memory(files);
    let one = HostName::new("h007").unwrap();
    criterion.bench_function("resolve and build one host of 30 modules", |bencher| {
        bencher.iter(|| {
            let config = config::resolve(&snapshot, &one).unwrap();
            generation::build(&config, &snapshot).unwrap()
        });
    });
    let mut group = criterion.benchmark_group("check");
    group.sample_size(10);
    group.bench_function("200 hosts of 30 modules", |bencher| {
        bencher.iter(|| {
            let request = generation::CheckRequest {
                host: None,
                verifier: None,
                watcher: &|_| (),
            };
            let checked = generation::check(&snapshot, request);
            assert!(checked.errors.is_empty() && checked.warnings.is_empty());
        });
    });
    group.finish();
}

fn module(n: usize) -> String {
    format!(
        r#"
description: module {n}
options:
  name: {{ type: string, pattern: "^[a-z0-9-]+$" }}
  ports: {{ type: array, items: {{ type: integer, minimum: 0, maximum: 65535 }}, default: [80] }}
  owner: {{ type: string, default: root }}
  at: {{ type: string, format: systemd-calendar, default: "02:00" }}
  extra: {{ type: boolean, default: false }}
assertions:
  - {{ that: cfg.ports|length > 0, message: no ports }}
config:
  packages: [curl, "package-{n}"]
  directories:
    "/srv/m{n}/{{{{ cfg.name }}}}": {{ owner: "{{{{ cfg.owner }}}}", mode: 0750 }}
  files:
    /etc/m{n}/app.conf: {{ file: app.conf, template: true, units: {{ restart: [m{n}.service] }} }}
    /etc/m{n}/host: {{ text: "{{{{ host.name }}}}.{{{{ fleet.domain }}}}\n" }}
    "/etc/m{n}/{{{{ port }}}}.conf": {{ for: port in cfg.ports, text: "listen {{{{ port }}}}\n" }}
    /etc/m{n}/extra: {{ when: cfg.extra, text: extra }}
  units:
    m{n}.service:
      text: "[Service]\nExecStart=/bin/true --name={{{{ cfg.name }}}}\n[Install]\nWantedBy=multi-user.target\n"
      enable: true
      start: true
    m{n}.timer: {{ text: "[Timer]\nOnCalendar={{{{ cfg.at }}}}\n[Install]\nWantedBy=timers.target\n", enable: true }}
  health:
    - {{ unit: m{n}.service }}
"#
    )
}

/// A secret file of 1,000 values.
fn secrets(criterion: &mut Criterion) {
    let key = HostKey::read(Path::new(
        "hosts/demo/DEMO-KEY-NOT-SECRET_ssh_host_ed25519_key",
    ))
    .unwrap();
    let identities = Identities::of_host(&key);
    let keys = Recipient::parse(&key.age_recipient()).unwrap().into();
    let mut plain = String::new();
    for n in 0..1000 {
        writeln!(plain, "key{n}: value number {n}").unwrap();
    }
    let opened = OpenedFile::create(plain.as_bytes(), &NewFile::new(Format::Yaml, &keys)).unwrap();
    let sealed = opened.seal("2026-01-02T03:04:05Z").unwrap();
    criterion.bench_function("open a file of 1,000 values", |bencher| {
        bencher.iter(|| {
            SealedFile::parse(sealed.as_bytes(), Format::Yaml)
                .unwrap()
                .open(&identities)
                .unwrap()
        });
    });
}

criterion_group!(benches, files, decide, fleet, secrets);
criterion_main!(benches);
