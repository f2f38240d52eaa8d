//! Modules, profiles, people, expressions, merging: what is written is what is meant.

use serde_json::json;

use super::support::{repository, web};
use crate::config::{FileSource, Fleet, HostName, ModuleName};
use crate::host::HostPath;

const BACKUP: &str = r#"
description: Encrypted backups
options:
  schedule: { type: array, items: { type: string, format: systemd-calendar }, default: ["02:00", "14:00"] }
  repository: { type: string, default: "/srv/{{ host.name }}-restic" }
  keep:
    type: object
    default: {}
    properties:
      daily: { type: integer, default: 7 }
      weekly: { type: integer, default: 4 }
config:
  packages: [restic]
  files:
    /etc/backup.conf:
      text: |
        repository={{ cfg.repository }}
        {% for time in cfg.schedule %}
        at={{ time }}
        {% endfor %}
        keep={{ cfg.keep.daily }}/{{ cfg.keep.weekly }}
      mode: "{{ '0640' }}"
"#;

fn texts(resolution: &crate::config::Resolution) -> Vec<String> {
    let files = resolution.config.files.iter();
    files
        .map(|(path, file)| match &file.value.source {
            FileSource::Text(text) | FileSource::Filled { text, .. } => format!("{path}: {text:?}"),
            FileSource::File(file) => format!("{path} from {file}"),
        })
        .collect()
}

fn packages(resolution: &crate::config::Resolution) -> Vec<&str> {
    resolution
        .config
        .packages
        .keys()
        .map(crate::host::PackageName::as_str)
        .collect()
}

#[test]
fn a_module_contributes_what_its_options_say() {
    let resolution = web(&[
        (
            "hosts/web/host.yml",
            "modules:\n  backup: { schedule: ['03:00'], keep: { daily: 9 } }\n",
        ),
        ("modules/backup/module.yml", BACKUP),
    ]);
    assert_eq!(
        texts(&resolution),
        ["/etc/backup.conf: \"repository=/srv/web-restic\\nat=03:00\\nkeep=9/4\\n\""]
    );
    assert_eq!(packages(&resolution), ["restic"]);
    let used = &resolution.modules[&ModuleName::new("backup").unwrap()];
    assert_eq!(
        used.options["keep"].value,
        json!({ "daily": 9, "weekly": 4 })
    );
    assert_eq!(
        used.options["keep"].origin.to_string(),
        "hosts/web/host.yml:2:40"
    );
    assert!(used.options["repository"].default && !used.options["schedule"].default);
    let file = &resolution.config.files[&HostPath::new("/etc/backup.conf").unwrap()];
    assert_eq!(file.origin.to_string(), "modules/backup/module.yml:15:5");
}

#[test]
fn a_module_that_nobody_names_or_that_is_off_contributes_nothing() {
    for host in [
        "{}",
        "modules: { backup: { enable: false } }",
        "modules: { backup: { when: 1 == 2 } }",
    ] {
        let resolution = web(&[
            ("hosts/web/host.yml", host),
            ("modules/backup/module.yml", BACKUP),
        ]);
        assert_eq!(packages(&resolution), [] as [&str; 0], "{host}");
        assert!(resolution.modules.is_empty());
    }
    let on = web(&[
        ("hosts/web/host.yml", "modules:\n  backup:\n"),
        ("modules/backup/module.yml", BACKUP),
    ]);
    assert_eq!(packages(&on), ["restic"]);
}

#[test]
fn a_profile_turns_others_on_and_the_host_outranks_it() {
    let files = |host: &'static str| {
        [
            ("hosts/web/host.yml", host),
            (
                "modules/server/module.yml",
                "modules: { base: { level: 2 }, log: }\nconfig: { timezone: Europe/Paris, packages: [bb] }\n",
            ),
            (
                "modules/base/module.yml",
                "options: { level: { type: integer, default: 1 } }\nconfig:\n  timezone: UTC\n  sysctls: { vm.swappiness: '{{ cfg.level }}' }\n  packages: [aa]\n",
            ),
            (
                "modules/log/module.yml",
                "imports: [store]\nconfig: { packages: [log] }\n",
            ),
            (
                "modules/store/module.yml",
                "config: { packages: [store] }\n",
            ),
        ]
    };
    let resolution = web(&files("profiles: [server]\npackages: [zz]\n"));
    assert_eq!(packages(&resolution), ["aa", "bb", "log", "store", "zz"]);
    assert_eq!(
        resolution.config.timezone.as_ref().unwrap().value,
        "Europe/Paris"
    );
    assert_eq!(resolution.config.sysctls["vm.swappiness"].value, "2");
    let store = &resolution.modules[&ModuleName::new("store").unwrap()];
    let (by, origin) = &store.wanted_by[0];
    assert_eq!(
        (
            by.as_ref().map(ModuleName::as_str),
            origin.to_string().as_str()
        ),
        (Some("log"), "modules/log/module.yml:1:11")
    );

    let resolution = web(&files(
        "profiles: [server]\nmodules: { base: { level: 3 }, log: { enable: false } }\ntimezone: Asia/Tokyo\n",
    ));
    assert_eq!(packages(&resolution), ["aa", "bb"]);
    assert_eq!(
        resolution.config.timezone.as_ref().unwrap().value,
        "Asia/Tokyo"
    );
    assert_eq!(resolution.config.sysctls["vm.swappiness"].value, "3");
}

#[test]
fn lists_append_in_the_order_of_modules_profiles_and_host() {
    let health = |unit: &str| format!("health: [{{ unit: {unit}.service }}]");
    let block = |unit: &str, more: &str| format!("{more}config: {{ {} }}\n", health(unit));
    let host = format!(
        "modules: {{ alpha: , beta: , profile: }}\n{}\n",
        health("host")
    );
    let resolution = web(&[
        ("hosts/web/host.yml", &host),
        (
            "modules/alpha/module.yml",
            &block("alpha", "imports: [zeta]\n"),
        ),
        ("modules/beta/module.yml", &block("beta", "")),
        (
            "modules/profile/module.yml",
            &block("profile", "modules: { beta: }\n"),
        ),
        ("modules/zeta/module.yml", &block("zeta", "")),
    ]);
    let order: Vec<String> = resolution
        .config
        .health
        .iter()
        .map(|check| {
            format!("{:?}", check.value.probe)
                .split('"')
                .nth(1)
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        order,
        ["zeta", "alpha", "beta", "profile", "host"].map(|unit| format!("{unit}.service"))
    );
}

#[test]
fn override_replaces_and_default_yields() {
    let module = "config:\n  users: { anna: { groups: [adm, sudo], shell: !default /bin/sh, ssh_keys: [] } }\n  packages: [vim]\n";
    let resolution = web(&[
        (
            "hosts/web/host.yml",
            "modules: { a: , b: }\nusers: { anna: { groups: !override [video] } }\n",
        ),
        ("modules/a/module.yml", module),
        (
            "modules/b/module.yml",
            "config:\n  users: { anna: { shell: /bin/zsh } }\n",
        ),
    ]);
    let anna = &resolution.config.users.values().next().unwrap().value;
    assert_eq!(
        anna.groups
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["video"]
    );
    assert_eq!(anna.shell.as_ref().unwrap().as_str(), "/bin/zsh");
    let resolution = web(&[
        ("hosts/web/host.yml", "modules: { a: , b: }\n"),
        ("modules/a/module.yml", "config: { timezone: UTC }\n"),
        (
            "modules/b/module.yml",
            "config: { timezone: !override Europe/Rome }\n",
        ),
    ]);
    assert_eq!(resolution.config.timezone.unwrap().value, "Europe/Rome");
}

#[test]
fn a_host_can_say_the_content_of_a_file_in_another_way() {
    let resolution = web(&[
        (
            "hosts/web/host.yml",
            "modules: { a: }\nfiles: { /etc/a: { text: mine } }\n",
        ),
        (
            "modules/a/module.yml",
            "config: { files: { /etc/a: { file: a.conf, mode: '0600' } } }\n",
        ),
        ("modules/a/a.conf", "theirs"),
    ]);
    assert_eq!(texts(&resolution), ["/etc/a: \"mine\""]);
    assert!(
        resolution
            .config
            .files
            .values()
            .next()
            .unwrap()
            .value
            .mode
            .is_some()
    );
}

#[test]
fn when_guards_and_for_repeats() {
    let resolution = web(&[
        (
            "hosts/web/host.yml",
            "modules: { sites: { names: [x, y], ports: { http: 80, ssh: 22 } } }\nplatform: { os: debian }\n",
        ),
        (
            "modules/sites/module.yml",
            r#"
options:
  names: { type: array, default: [] }
  ports: { type: object, additionalProperties: { type: integer }, default: {} }
  gui: { type: boolean, default: false }
config:
  - packages:
      - curl
      - { when: cfg.gui, value: firefox }
      - { for: name in cfg.names, value: "site-{{ name }}" }
      - { when: host.platform.os == "debian", value: apt-utils }
    files:
      "/etc/sites/{{ name }}":
        for: name in cfg.names
        text: "{{ name }}\n"
      /etc/gui: { when: cfg.gui, text: gui }
    health:
      - { for: "name, port in cfg.ports", tcp: "localhost:{{ port }}" }
  - when: cfg.names|length > 1
    hostname: many
  - when: "{{ cfg.gui }}"
    hostname: gui
"#,
        ),
    ]);
    assert_eq!(
        packages(&resolution),
        ["apt-utils", "curl", "site-x", "site-y"]
    );
    assert_eq!(
        texts(&resolution),
        ["/etc/sites/x: \"x\\n\"", "/etc/sites/y: \"y\\n\""]
    );
    assert_eq!(resolution.config.health.len(), 2);
    assert_eq!(resolution.config.hostname.unwrap().value, "many");
}

#[test]
fn modules_read_each_others_options_whatever_their_order() {
    let resolution = web(&[
        (
            "hosts/web/host.yml",
            "modules: { a: { root: /srv }, z: { depth: '{{ options.a.root }}/host' } }\nfiles: { /etc/h: { text: '{{ options.z.path }}' } }\n",
        ),
        (
            "modules/a/module.yml",
            "options: { root: { type: string }, path: { type: string, default: '{{ options.z.depth }}/a' } }\nconfig: { files: { /etc/a: { text: '{{ cfg.path }}' } } }\n",
        ),
        (
            "modules/z/module.yml",
            "options: { depth: { type: string, default: '' }, path: { type: string, default: '{{ cfg.depth }}/z' } }\nconfig: { files: { /etc/z: { text: '{{ options.a.path }} {{ options.not_here.enable }}' } } }\n",
        ),
        ("modules/not-here/module.yml", "{}\n"),
    ]);
    assert_eq!(
        texts(&resolution),
        [
            "/etc/a: \"/srv/host/a\"",
            "/etc/h: \"/srv/host/z\"",
            "/etc/z: \"/srv/host/a false\""
        ]
    );
}

#[test]
fn people_are_written_once_and_named_by_hosts_and_modules() {
    let files = [
        (
            "hosts/web/host.yml",
            "users: [ketan]\nmodules: { docker: }\n",
        ),
        ("hosts/db/host.yml", "users: { ketan: { uid: 7 } }\n"),
        (
            "users/ketan.yml",
            "description: Ketan on {{ host.name }}\nuid: 1500\ngroups: [sudo]\nconfig:\n  files: { '{{ users.ketan.home|default(\"/home/ketan\", true) }}/.x': { file: x, owner: ketan } }\n",
        ),
        ("users/x", "x"),
        ("users/anna.yml", "uid: 1501\n"),
        (
            "modules/docker/module.yml",
            "config:\n  users: { '{{ name }}': { for: name in host.users, groups: [docker] } }\n  files: { /etc/people: { text: '{{ users.anna.uid }} {{ fleet.domain }}' } }\n",
        ),
        ("fleet.yml", "variables: { domain: example.org }\n"),
    ];
    let resolution = web(&files);
    let ketan = &resolution.config.users.values().next().unwrap().value;
    assert_eq!(
        (ketan.uid, ketan.description.as_deref()),
        (Some(1500), Some("Ketan on web"))
    );
    assert_eq!(
        ketan
            .groups
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["sudo", "docker"]
    );
    assert_eq!(
        texts(&resolution),
        [
            "/etc/people: \"1501 example.org\"",
            "/home/ketan/.x from users/x"
        ]
    );
    let snapshot = repository(&files);
    let db = Fleet::read(&snapshot)
        .resolve(&HostName::new("db").unwrap())
        .unwrap();
    assert_eq!(db.config.users.values().next().unwrap().value.uid, Some(7));
}

#[test]
fn a_map_under_home_in_the_file_of_a_person_is_their_home() {
    let ketan = "home:\n  files: { .x: { file: x, template: true } }\n  templates: { t: { text: '{{ host.name }} {{ secret(\"s\") }}' } }\n  secrets: { s: { file: s.yml } }\nconfig: { home: { ketan: { session_variables: { A: '{{ host.name }}' } } } }\n";
    let resolution = web(&[
        (
            "hosts/web/host.yml",
            "users: [ketan, anna]\nhome: { anna: { git: { user: { name: Anna } } } }\n",
        ),
        ("users/ketan.yml", ketan),
        ("users/anna.yml", "home: /srv/anna\n"),
        ("users/x", "{{ host.name }}"),
        ("users/s.yml", ""),
    ]);
    assert_eq!(texts(&resolution), ["/home/ketan/.x: \"web\""]);
    let config = &resolution.config;
    let homes: Vec<String> = config.homes.keys().map(ToString::to_string).collect();
    assert_eq!(homes, ["anna", "ketan"]);
    let ketan = &config.homes.values().last().unwrap().value;
    assert_eq!(ketan.session_variables["A"].value, "web");
    let template = config.templates.values().next().unwrap();
    assert_eq!(
        template.value.source,
        FileSource::Text("web {{ secret(\"s\") }}".to_owned())
    );
    let anna = config.users.values().next().unwrap();
    assert_eq!(anna.value.home, HostPath::new("/srv/anna").ok());
}

#[test]
fn files_beside_a_module_are_its_own_and_can_be_filled_in() {
    let resolution = web(&[
        (
            "hosts/web/host.yml",
            "modules: { a: { greeting: hi } }\nfiles: { /etc/raw: { file: raw } }\nunits: { a.service: { drop_ins: { x.conf: { file: raw, template: true } } } }\n",
        ),
        ("hosts/web/raw", "{{ host.name }}"),
        (
            "modules/a/module.yml",
            "options: { greeting: { type: string } }\nconfig:\n  files:\n    /etc/a: { file: a.conf, template: true }\n    /etc/b: { file: a.conf, template: false }\n  templates:\n    t.env: { file: t.env }\n    u.env: { text: '{{ cfg.greeting }} {{ secret(\"s\") }}' }\n",
        ),
        (
            "modules/a/a.conf",
            "{% if cfg.greeting %}\n{{ cfg.greeting }} {{ host.name }}\n{% endif %}\n",
        ),
        (
            "modules/a/t.env",
            "G={{ cfg.greeting }}\nP={{ secret(\"s\") }}\n",
        ),
    ]);
    assert_eq!(
        texts(&resolution),
        [
            "/etc/a: \"hi web\\n\"",
            "/etc/b from modules/a/a.conf",
            "/etc/raw from hosts/web/raw"
        ]
    );
    let templates: Vec<_> = resolution
        .config
        .templates
        .values()
        .map(|one| format!("{:?}", one.value.source))
        .collect();
    assert_eq!(
        templates,
        [
            "Filled { file: \"modules/a/t.env\", text: \"G=hi\\nP={{ secret(\\\"s\\\") }}\\n\" }",
            "Text(\"hi {{ secret(\\\"s\\\") }}\")",
        ]
    );
    let unit = &resolution.config.units.values().next().unwrap().value;
    assert_eq!(
        format!("{:?}", unit.drop_ins["x.conf"]),
        "Filled { file: \"hosts/web/raw\", text: \"web\" }"
    );
}

#[test]
fn a_host_without_modules_is_what_it_was() {
    let resolution = web(&[(
        "hosts/web/host.yml",
        "packages: [curl]\nfiles: { /etc/a: { text: 'a { b } ${#c}' } }\n",
    )]);
    assert_eq!(texts(&resolution), ["/etc/a: \"a { b } ${#c}\""]);
    assert_eq!(
        resolution.tree.to_json(),
        json!({ "packages": ["curl"], "files": { "/etc/a": { "text": "a { b } ${#c}" } } })
    );
}

#[test]
fn what_is_there_for_nothing_is_named() {
    let snapshot = repository(&[
        ("hosts/web/host.yml", "modules: { a: }\n"),
        (
            "modules/a/module.yml",
            "options:\n  used: { type: string, default: x }\n  guarded: { type: boolean, default: false }\n  idle: { type: string, default: x }\n  in_file: { type: string, default: y }\nconfig:\n  files: { /etc/a: { text: '{{ cfg.used }}' }, /etc/b: { when: cfg.guarded, file: f, template: true } }\n",
        ),
        ("modules/a/f", "{{ cfg.in_file }}"),
        ("modules/b/module.yml", "{}\n"),
    ]);
    let fleet = Fleet::read(&snapshot);
    let resolution = fleet.resolve(&HostName::new("web").unwrap()).unwrap();
    let unused = fleet.unused(&resolution.used()).unwrap();
    let said: Vec<&str> = unused
        .errors()
        .iter()
        .map(|error| error.message.as_str())
        .collect();
    assert_eq!(
        said,
        [
            "nobody reads the option `idle` of `a`",
            "no host has the module `b` on"
        ]
    );
    assert!(fleet.errors_in_shared_files().is_none());
}
