//! `repo-example/` as it lies in this repository.

use std::collections::BTreeMap;
use std::path::Path;

use crate::world::{World, checkout};

const HOSTS: [&str; 4] = ["boulder", "chicago", "vm-bootstrap", "yakima"];

/// The digest of every host of the repository in `folder`.
fn digests(world: &World, folder: &Path) -> BTreeMap<String, String> {
    let folder = folder.to_str().unwrap();
    let said = world
        .steadfast(&["check", folder, "--json", "--strict"])
        .ends_with(0);
    let hosts = said.json()["hosts"].as_array().unwrap().clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    hosts
        .iter()
        .map(|host| (text(&host["host"]), text(&host["digest"])))
        .collect()
}

#[test]
fn nothing_is_wrong_with_the_example_and_every_host_builds() {
    let world = World::new();
    let example = checkout().join("repo-example");
    let example = example.to_str().unwrap();
    let said = world
        .steadfast(&["check", example, "--no-units", "--strict"])
        .ends_with(0);
    assert!(said.stdout.contains("nothing is wrong"), "{}", said.stdout);
    let built: Vec<String> = digests(&world, Path::new(example)).into_keys().collect();
    assert_eq!(built, HOSTS);
}

#[test]
fn two_checkouts_at_different_paths_give_the_same_digests() {
    let world = World::new();
    for (path, content) in files(&checkout().join("repo-example")) {
        world.write(&format!("one/{path}"), &content);
        world.write(&format!("a/much/deeper/place/{path}"), &content);
    }
    world.git("one", &["init", "-q", "-b", "main"]);
    world.git("one", &["add", "-A"]);
    world.git("one", &["commit", "-q", "-m", "the example"]);
    let here = digests(&world, &checkout().join("repo-example"));
    assert_eq!(digests(&world, &world.at("one")), here);
    assert_eq!(digests(&world, &world.at("a/much/deeper/place")), here);
    // As a commit, read from the object database.
    let one = world.at("one").to_str().unwrap().to_owned();
    let said = world
        .steadfast(&["check", &one, "--rev", "HEAD", "--json"])
        .ends_with(0);
    for host in said.json()["hosts"].as_array().unwrap() {
        assert_eq!(
            host["digest"].as_str().unwrap(),
            here[host["host"].as_str().unwrap()]
        );
    }
}

fn files(root: &Path) -> Vec<(String, String)> {
    walkdir::WalkDir::new(root)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(root).unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            (name.to_str().unwrap().to_owned(), text)
        })
        .collect()
}

#[test]
fn the_schemas_beside_the_example_are_current() {
    let world = World::new();
    for kind in ["fleet", "host", "disk", "module", "user"] {
        let path = checkout().join(format!("repo-example/.schema/{kind}.json"));
        let stored: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let made = world
            .steadfast(&["config", "schema", kind])
            .ends_with(0)
            .json();
        assert!(
            stored == made,
            "{kind}: run `steadfast config schema --out repo-example/.schema`"
        );
    }
}

#[test]
fn the_manual_of_the_modules_is_current() {
    let world = World::new();
    let example = checkout().join("repo-example");
    let made = world
        .steadfast(&["config", "docs", example.to_str().unwrap()])
        .ends_with(0)
        .stdout;
    let stored = std::fs::read_to_string(checkout().join("docs/modules.md")).unwrap();
    assert!(
        stored == made,
        "run `steadfast config docs repo-example --out docs/modules.md`"
    );
    let json = world
        .steadfast(&["config", "docs", example.to_str().unwrap(), "--json"])
        .ends_with(0)
        .json();
    let server = json["modules"]
        .as_array()
        .unwrap()
        .iter()
        .find(|module| module["name"] == "server")
        .unwrap()
        .clone();
    assert_eq!(
        server["turns_on"],
        serde_json::json!(["base", "networking", "users", "home"])
    );
}

#[test]
fn every_file_of_the_example_names_its_schema() {
    for (path, text) in files(&checkout().join("repo-example")) {
        let kind = match path.split('/').collect::<Vec<_>>()[..] {
            ["fleet.yml"] => "$schema=.schema/fleet.json",
            ["hosts", _, "host.yml"] => "$schema=../../.schema/host.json",
            ["hosts", _, "disk.yml"] => "$schema=../../.schema/disk.json",
            ["modules", _, "module.yml"] => "$schema=../../.schema/module.json",
            ["users", file] if file.strip_suffix(".yml").is_some() => {
                "$schema=../.schema/user.json"
            }
            _ => continue,
        };
        let first = text.lines().next().unwrap();
        assert_eq!(first, format!("# yaml-language-server: {kind}"), "{path}");
    }
}

#[test]
fn every_module_has_a_readme_and_every_option_a_description() {
    let modules = checkout().join("repo-example/modules");
    for entry in std::fs::read_dir(modules).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap_or_default();
        assert!(
            readme.starts_with(&format!("# {name}\n\n")),
            "{name} has no README.md"
        );
        let module: serde_json::Value =
            serde_yaml::from_str(&std::fs::read_to_string(folder.join("module.yml")).unwrap())
                .unwrap();
        assert!(module["description"].is_string(), "{name}");
        for (option, spec) in module["options"].as_object().into_iter().flatten() {
            assert!(spec["description"].is_string(), "{name}: {option}");
        }
    }
}

#[test]
fn the_example_s_secrets_open_with_each_of_its_published_keys() {
    let world = World::new();
    let example = checkout().join("repo-example");
    let repo = example.to_str().unwrap();
    for name in ["ketan", "yakima", "chicago", "boulder"] {
        let key = example.join("DEMO-KEYS-NOT-SECRET").join(name);
        let key = key.to_str().unwrap();
        let file = example.join("secrets/default.yml");
        let get = [
            "secrets",
            "--repo",
            repo,
            "get",
            file.to_str().unwrap(),
            "backups/restic/password",
        ];
        let said = world
            .steadfast(&[&get[..], &["--identity", key]].concat())
            .ends_with(0);
        assert!(said.stdout.starts_with("DEMO-NOT-SECRET-"));
    }
    world
        .steadfast(&["secrets", "--repo", repo, "check", "--strict"])
        .ends_with(0);
}
