//! The order in which things are written or listed does not matter.

use proptest::prelude::*;

use super::support::{repository, try_web};
use crate::config::{Fleet, HostName};
use crate::source::Snapshot;

/// A module, as keys that can stand in any order.
#[derive(Debug, Clone)]
struct Draft {
    parts: Vec<String>,
}

fn module() -> impl Strategy<Value = Draft> {
    let word = proptest::sample::select(vec!["aa", "bb", "cc", "dd", "ee"]);
    let packages = proptest::collection::vec(word.clone(), 0..4);
    let imports = proptest::collection::btree_set(proptest::sample::select(vec!["m0", "m1"]), 0..2);
    (
        packages,
        imports,
        word,
        proptest::option::of(0..3_u32),
        any::<bool>(),
    )
        .prop_map(|(mut packages, imports, word, level, profile)| {
            packages.sort_unstable();
            packages.dedup();
            let level = level.map_or(String::new(), |level| {
                format!("sysctls: {{ vm.{word}: {level} }}, ")
            });
            let mut parts = vec![
                format!(
                    "config: {{ {level}packages: [{}], health: [{{ unit: {word}.service }}] }}\n",
                    packages.join(", ")
                ),
                "options: { x: { type: array, default: [] } }\n".to_owned(),
            ];
            if profile {
                parts.push(format!("modules: {{ m2: {{ x: [{word}] }} }}\n"));
            } else if !imports.is_empty() {
                let imports: Vec<_> = imports.into_iter().collect();
                parts.push(format!("imports: [{}]\n", imports.join(", ")));
            }
            Draft { parts }
        })
}

/// What a host comes to, or the messages of what is wrong with it.
fn outcome(modules: &[Draft], reversed: bool) -> String {
    let text = |draft: &Draft| {
        let mut parts = draft.parts.clone();
        if reversed {
            parts.reverse();
        }
        parts.concat()
    };
    let mut names: Vec<String> = (0..modules.len()).map(|n| format!("m{n}: ")).collect();
    if reversed {
        names.reverse();
    }
    let mut files = vec![(
        "hosts/web/host.yml".to_owned(),
        format!("modules: {{ {} }}\npackages: [zz]\n", names.join(", ")),
    )];
    for (n, draft) in modules.iter().enumerate() {
        files.push((format!("modules/m{n}/module.yml"), text(draft)));
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    match try_web(&files) {
        Ok(resolution) => {
            let config = resolution.config;
            let packages: Vec<_> = config.packages.keys().collect();
            let sysctls: Vec<_> = config
                .sysctls
                .iter()
                .map(|(key, value)| (key, &value.value))
                .collect();
            let health: Vec<_> = config.health.iter().map(|check| &check.value).collect();
            let options: Vec<_> = resolution
                .modules
                .iter()
                .map(|(name, one)| (name, one.options["x"].value.to_string()))
                .collect();
            format!("{packages:?} {sysctls:?} {health:?} {options:?}")
        }
        Err(errors) => {
            let mut messages: Vec<&str> = errors
                .errors()
                .iter()
                .map(|error| error.message.as_str())
                .collect();
            messages.sort_unstable();
            messages.dedup();
            messages.join("; ")
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn merging_does_not_depend_on_the_order_of_keys(modules in proptest::collection::vec(module(), 3..6)) {
        // The module that others import or turn on is an ordinary one.
        let mut modules = modules;
        for plain in modules.iter_mut().take(3) {
            plain.parts.truncate(2);
        }
        prop_assert_eq!(outcome(&modules, false), outcome(&modules, true));
    }

    /// Whatever stands in a module, resolving ends with a host or with errors that can be printed.
    #[test]
    fn no_module_makes_the_resolver_fail(
        pieces in proptest::collection::vec(
            proptest::prop_oneof![
                proptest::sample::select(vec![
                    "config:", "options:", "modules:", "imports:", "when: ", "for: ", "x in ", "value: ", "\n", "\n  ",
                    "\n    ", " - ", ": ", "{", "}", "[", "]", ", ", "{{ ", " }}", "{% for a in b %}", "cfg.a", "options.b.c",
                    "type: string", "default: ", "a", "b", "enable: ", "true", "packages", "files", "/etc/motd", "text: ",
                    "template: true", "file: ", "!override ", "!default ", "users", "assertions", "that: ", "message: ",
                ]).prop_map(str::to_owned),
                "\\PC{0,4}",
            ],
            0..40,
        )
    ) {
        let text = pieces.concat();
        let files = [
            ("hosts/web/host.yml", "modules: { a: , b: }\n"),
            ("modules/a/module.yml", text.as_str()),
            ("modules/b/module.yml", "options: { c: { type: string, default: x } }\n"),
        ];
        let snapshot: Snapshot = repository(&files);
        let fleet = Fleet::read(&snapshot);
        match fleet.resolve(&HostName::new("web").unwrap()) {
            Ok(resolution) => drop(fleet.unused(&resolution.used())),
            Err(errors) => {
                for excerpt in errors.excerpts(crate::config::Colour::Plain) {
                    prop_assert!(!excerpt.is_empty());
                }
            }
        }
    }
}
