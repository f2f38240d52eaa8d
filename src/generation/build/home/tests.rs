use crate::generation::build::tests::{SEALED, built, errors, paths, text_of};

const HOST: &str = r#"
users: { ketan: { group: people }, anna: }
groups: { people: }
secrets: { token: }
home:
  ketan:
    files:
      .config/foo.conf: { text: "x\n", mode: 0600 }
      .roots: { text: "r\n", owner: root }
    directories: { projects: { mode: 0700 } }
    symlinks: { .vimrc: .config/vim/vimrc }
    git: { user: { name: Ketan }, remote: { origin: { fetch: [a, b] } } }
    session_variables: { EDITOR: vim, PATH: "${HOME}/bin:${PATH}" }
    secrets: { db/password: { path: .config/app/password } }
    templates:
      app.json:
        text: '{{ secret("db/password") }} {{ secret("token") }}'
        path: .config/app/auth.json
        on_conflict: backup
  anna:
    secrets: { db/password: }
    session_variables: { EDITOR: nano }
"#;

#[test]
fn what_is_in_a_home_belongs_to_its_account() {
    let built = built(HOST, &[("secrets/default.yml", SEALED)]);
    assert_eq!(
        paths(&built),
        [
            "/etc/profile.d/50-steadfast.sh file root:root 0644 Backup",
            "/home/anna/.config/environment.d/50-steadfast.conf file anna:anna 0644 Backup",
            "/home/ketan/.config/app/auth.json -> /run/secrets/rendered/home/ketan/app.json Backup",
            "/home/ketan/.config/app/password -> /run/secrets/home/ketan/db/password Refuse",
            "/home/ketan/.config/environment.d/50-steadfast.conf file ketan:people 0644 Backup",
            "/home/ketan/.config/foo.conf file ketan:people 0600 Refuse",
            "/home/ketan/.config/git/config file ketan:people 0644 Backup",
            "/home/ketan/.roots file root:root 0644 Refuse",
            "/home/ketan/.vimrc -> .config/vim/vimrc Refuse",
            "/home/ketan/projects dir ketan:people 0700 Refuse",
        ]
    );
    assert_eq!(
        text_of(&built, "/home/ketan/.config/git/config"),
        "# Written by steadfast from `git:` of the home.\n[user]\n\tname = Ketan\n[remote \"origin\"]\n\tfetch = a\n\tfetch = b\n"
    );
    assert_eq!(
        text_of(&built, "/etc/profile.d/50-steadfast.sh"),
        "# Written by steadfast from `session_variables:` under `home:`.\ncase \"${USER:-$(id -un)}\" in\nanna)\n\texport EDITOR='nano'\n\t;;\nketan)\n\texport EDITOR='vim'\n\texport PATH=\"${HOME-}\"'/bin:'\"${PATH-}\"\n\t;;\nesac\n"
    );
}

const UNITS: &str = r#"
users: { ketan: { home: /srv/ketan, linger: true } }
units:
  sync.timer: { text: "[Timer]\nOnCalendar=daily\n", start: true }
home:
  ketan:
    files: { .config/sync.conf: { text: x, units: { restart: [sync.service] } } }
    units:
      sync.service: { text: "[Service]\nExecStart=/bin/true\n" }
      sync.timer:
        text: "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n"
        enable: true
        start: true
        drop_ins: { a.conf: { text: "[Timer]\nPersistent=true\n" } }
      gpg-agent.socket: { mask: true }
      pipewire.service: { enable: true }
"#;

#[test]
fn units_of_an_account_are_apart_from_those_of_the_machine() {
    let built = built(UNITS, &[]);
    let in_home: Vec<String> = paths(&built)
        .into_iter()
        .filter(|line| line.starts_with("/srv"))
        .collect();
    assert_eq!(
        in_home,
        [
            "/srv/ketan/.config/sync.conf file ketan:ketan 0644 Refuse",
            "/srv/ketan/.config/systemd/user/gpg-agent.socket -> /dev/null Backup",
            "/srv/ketan/.config/systemd/user/sync.service file ketan:ketan 0644 Refuse",
            "/srv/ketan/.config/systemd/user/sync.timer file ketan:ketan 0644 Refuse",
            "/srv/ketan/.config/systemd/user/sync.timer.d/a.conf file ketan:ketan 0644 Refuse",
            "/srv/ketan/.config/systemd/user/timers.target.wants/sync.timer -> ../sync.timer Backup",
        ]
    );
    let units: Vec<String> = built
        .manifest
        .units
        .iter()
        .map(|(unit, entry)| {
            format!(
                "{unit} {:?} {:?} {}",
                entry.enable,
                entry.start,
                entry.definition.len()
            )
        })
        .collect();
    assert_eq!(
        units,
        [
            "sync.timer None Some(true) 1",
            "ketan/gpg-agent.socket None None 0",
            "ketan/pipewire.service Some(true) None 0",
            "ketan/sync.service None None 1",
            "ketan/sync.timer None Some(true) 2",
        ]
    );
    let conf = &built.manifest.paths[&"/srv/ketan/.config/sync.conf".parse().unwrap()];
    assert_eq!(
        conf.units.restart,
        ["ketan/sync.service".parse().unwrap()].into()
    );
    let ketan = "ketan".parse().unwrap();
    assert!(built.manifest.lingers(&ketan));
    assert_eq!(
        built
            .manifest
            .unit_file(&"ketan/sync.timer".parse().unwrap()),
        "/srv/ketan/.config/systemd/user/sync.timer".parse().ok()
    );
}

#[test]
fn a_unit_of_an_account_that_waits_for_a_target_of_the_machine_is_an_error() {
    let host = "users: { a: }\nhome: { a: { files: { .config/systemd/user/b.service.d/x.conf: { text: x } }, units: { b.service: { text: \"[Install]\\nWantedBy=multi-user.target\\n\", enable: true } } } }\n";
    let said = errors(host, &[]);
    assert!(said.contains("cannot be an entry"), "{said}");
    let said = errors(
        &host.replace(
            "files: { .config/systemd/user/b.service.d/x.conf: { text: x } }, ",
            "",
        ),
        &[],
    );
    assert!(
        said.contains("the systemd of an account has no `multi-user.target`"),
        "{said}"
    );
}

#[test]
fn secrets_of_two_homes_and_of_the_host_are_kept_apart() {
    let built = built(HOST, &[("secrets/default.yml", SEALED)]);
    let secrets = built.manifest.secrets.iter();
    let secrets: Vec<String> = secrets
        .map(|(name, s)| format!("{name} {} {}:{}", s.key.join("."), s.owner, s.group))
        .collect();
    assert_eq!(
        secrets,
        [
            "home/anna/db/password db.password anna:anna",
            "home/ketan/db/password db.password ketan:people",
            "token token root:root",
        ]
    );
    let (name, template) = built.manifest.templates.iter().next().unwrap();
    assert_eq!(name.as_str(), "home/ketan/app.json");
    assert_eq!(
        serde_json::to_string(&template.segments).unwrap(),
        r#"[{"secret":"home/ketan/db/password"},{"text":" "},{"secret":"token"}]"#
    );
}

#[test]
fn a_placeholder_that_names_neither_a_secret_of_the_home_nor_of_the_host_is_an_error() {
    let host =
        "users: { a: }\nhome: { a: { templates: { t: { text: '{{ secret(\"x\") }}' } } } }\n";
    let said = errors(host, &[]);
    assert!(said.contains("names `x`, which is not declared"), "{said}");
}

#[test]
fn a_file_of_the_host_and_one_of_a_home_at_one_path_are_an_error() {
    let host = "users: { a: }\nfiles: { /home/a/.config/git/config: { text: x } }\nhome: { a: { git: { user: { name: A } } } }\n";
    let said = errors(host, &[]);
    assert!(said.contains("is made by two entries"), "{said}");
}
