use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::*;
use crate::host::{GroupName, UserName};
use crate::secrets::{
    InstalledSecrets, OpenedSecrets, SecretSpec, SecretState, TemplateSpec, UnitTriggers,
    parse_template,
};
use crate::source::RepoPath;

mod readers;

struct Setting {
    root: tempfile::TempDir,
    secrets: BTreeMap<SecretName, SecretSpec>,
    templates: BTreeMap<TemplateName, TemplateSpec>,
    opened: OpenedSecrets,
}

fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}

fn spec() -> SecretSpec {
    SecretSpec {
        file: RepoPath::new("secrets/default.yml").unwrap(),
        key: vec!["x".to_owned()],
        ciphertext: String::new(),
        owner: UserName::new("root").unwrap(),
        group: GroupName::new("root").unwrap(),
        mode: FileMode::from_bits(0o400),
        optional: false,
        units: UnitTriggers::default(),
    }
}

impl Setting {
    fn of<const N: usize>(values: [(&str, &str); N]) -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
            secrets: values.map(|(key, _)| (name(key), spec())).into(),
            templates: BTreeMap::new(),
            opened: OpenedSecrets::of(values),
        }
    }

    fn with_values<const N: usize>(&mut self, values: [(&str, &str); N]) {
        self.secrets = values.map(|(key, _)| (name(key), spec())).into();
        self.opened = OpenedSecrets::of(values);
    }

    fn add_template(&mut self, key: &str, text: &str) {
        let template = TemplateSpec {
            segments: parse_template(text).unwrap(),
            owner: UserName::new("root").unwrap(),
            group: GroupName::new("root").unwrap(),
            mode: FileMode::from_bits(0o440),
            units: UnitTriggers::default(),
        };
        self.templates
            .insert(TemplateName::new(key).unwrap(), template);
    }

    fn host(&self) -> Host {
        Host::below(self.root.path()).unwrap()
    }

    fn set(&self) -> SecretSet<'_> {
        SecretSet {
            secrets: &self.secrets,
            templates: &self.templates,
            opened: &self.opened,
        }
    }

    fn install(&self) -> Result<Installed, InstallError> {
        install(&self.host(), &self.set(), &Accounts::default())
    }

    fn observe(&self) -> InstalledSecrets {
        observe(&self.host(), &self.set(), &Accounts::default()).unwrap()
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.at("run/secrets").join(path)).unwrap()
    }

    fn sets(&self) -> Vec<u64> {
        let mut numbers = layout::numbers(&self.host()).unwrap();
        numbers.sort_unstable();
        numbers
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path)
        .unwrap()
        .permissions()
        .mode()
        & 0o7777
}

#[test]
fn a_set_is_made_beside_the_old_one_and_shown_by_one_link() {
    let mut setting = Setting::of([("db/password", "hunter2"), ("token", "t")]);
    setting.add_template("app.conf", "p={{ secret(\"db/password\") }}\n");
    assert_eq!(
        setting.observe().secrets[&name("token")],
        SecretState::Missing
    );
    assert_eq!(setting.install().unwrap(), Installed::Set { number: 1 });
    assert_eq!(
        std::fs::read_link(setting.at("run/secrets")).unwrap(),
        Path::new("secrets.d/1")
    );
    assert_eq!(setting.read("db/password"), "hunter2");
    assert_eq!(setting.read("rendered/app.conf"), "p=hunter2\n");
    for (path, expected) in [
        ("run/secrets.d", 0o711),
        ("run/secrets.d/1", 0o711),
        ("run/secrets.d/1/db", 0o711),
        ("run/secrets.d/1/rendered", 0o711),
        ("run/secrets.d/1/db/password", 0o400),
        ("run/secrets.d/1/rendered/app.conf", 0o440),
    ] {
        assert_eq!(mode(&setting.at(path)), expected, "{path}");
    }
    assert!(setting.observe().is_current());
    assert_eq!(setting.install().unwrap(), Installed::Unchanged);
}

#[test]
fn one_previous_set_is_kept_and_half_made_ones_go() {
    let mut setting = Setting::of([("a", "1")]);
    setting.install().unwrap();
    // What a kill in the middle of an installation leaves behind.
    std::fs::create_dir_all(setting.at("run/secrets.d/2/db")).unwrap();
    std::fs::File::create(setting.at("run/secrets.d/2/db/x")).unwrap();
    setting.with_values([("a", "2")]);
    assert_eq!(setting.install().unwrap(), Installed::Set { number: 3 });
    assert_eq!(setting.sets(), [1, 3]);
    setting.with_values([("a", "3")]);
    setting.install().unwrap();
    assert_eq!(setting.sets(), [3, 4]);
    assert_eq!(setting.read("a"), "3");
    setting.with_values([]);
    assert_eq!(setting.install().unwrap(), Installed::Removed);
    assert_eq!(setting.sets(), [] as [u64; 0]);
    assert!(!setting.at("run/secrets").exists());
    assert_eq!(setting.install().unwrap(), Installed::Unchanged);
}

#[test]
fn every_way_to_drift_is_seen() {
    let mut setting = Setting::of([("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e/f", "5")]);
    setting.add_template("t", "{{ secret(\"a\") }}");
    setting.install().unwrap();
    let at = |path: &str| setting.at("run/secrets").join(path);
    std::fs::remove_file(at("b")).unwrap();
    for (path, content) in [
        ("c", "x"),
        ("d", "4 and more"),
        ("rendered/t", "x"),
        ("e/stale", "x"),
    ] {
        // A read-only file is replaced, not opened.
        std::fs::remove_file(at(path)).unwrap_or_default();
        std::io::Write::write_all(
            &mut std::fs::File::create(at(path)).unwrap(),
            content.as_bytes(),
        )
        .unwrap();
    }
    std::fs::set_permissions(at("a"), std::fs::Permissions::from_mode(0o444)).unwrap();
    let found = setting.observe();
    let states: Vec<SecretState> = found.secrets.values().copied().collect();
    assert_eq!(
        states,
        [
            SecretState::Metadata,
            SecretState::Missing,
            SecretState::Different,
            SecretState::Different,
            SecretState::Current,
        ]
    );
    assert_eq!(
        found.templates.values().copied().next(),
        Some(SecretState::Different)
    );
    assert_eq!(found.stale, BTreeSet::from(["e/stale".to_owned()]));
    setting.install().unwrap();
    assert!(setting.observe().is_current());
}

#[test]
fn what_did_not_open_is_carried_over() {
    let mut setting = Setting::of([("a", "1"), ("b", "2")]);
    setting.add_template("t", "{{ secret(\"b\") }}!");
    setting.install().unwrap();
    setting.opened = OpenedSecrets::of([("a", "new")]);
    let found = setting.observe();
    assert_eq!(found.secrets[&name("b")], SecretState::Unknown);
    setting.install().unwrap();
    assert_eq!(setting.read("a"), "new");
    assert_eq!(setting.read("b"), "2");
    assert_eq!(setting.read("rendered/t"), "2!");
}

#[test]
fn a_set_that_cannot_be_installed_changes_nothing() {
    let setting = Setting::of([("a", "1"), ("a/b", "2")]);
    let error = setting.install().unwrap_err().to_string();
    assert!(error.contains("`a` and `a/b`"), "{error}");

    let mut setting = Setting::of([("a", "1")]);
    setting.add_template("t", "{{ secret(\"other\") }}");
    let error = setting.install().unwrap_err();
    assert_eq!(error.fix().unwrap(), "add `other` under `secrets:`");

    let setting = Setting::of([("a", "1")]);
    std::fs::create_dir_all(setting.at("run/secrets/x")).unwrap();
    let error = setting.install().unwrap_err();
    assert!(
        matches!(error, InstallError::LinkInTheWay { .. }),
        "{error}"
    );
    assert!(setting.at("run/secrets/x").exists());
}

#[test]
fn a_missing_account_is_named_with_its_secret() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: owners can be set by root only");
        return;
    }
    let mut setting = Setting::of([("a", "1")]);
    for spec in setting.secrets.values_mut() {
        spec.owner = UserName::new("nobodyhere").unwrap();
    }
    let error = setting.install().unwrap_err().to_string();
    assert_eq!(error, "this host does not have user `nobodyhere` of `a`");
    assert!(!setting.at("run").exists());
}
