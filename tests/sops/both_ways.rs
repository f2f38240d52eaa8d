//! The property test: for random documents of every store, what one side writes the other reads to the same values with
//! the MAC verified, and either side can change what the other wrote.
//!
//! `STEADFAST_SOPS_ROUNDS` asks for more cases than every run makes; `STEADFAST_SOPS_SEED` says where to begin, and
//! alone repeats one case.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use steadfast::identity::Plaintext;
use steadfast::sops::Format;

use crate::case::{Case, Keys, Operation};
use crate::model::{Model, Step, file_name, sops_path};
use crate::oracle::{
    LATER, STORES, all_identities, brief, chain, check_leaves, differing_lines, open_text,
    parse_text, plain_file, same_json, seal_new,
};
use crate::program::Sops;

const ROUNDS: u64 = 300;
const THREADS: usize = 3;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|error| panic!("{variable}: {error}")),
    )
}

#[test]
fn random_documents_of_every_store_go_both_ways() {
    let Some(sops) = Sops::find("random_documents_of_every_store_go_both_ways") else {
        return;
    };
    let (first, rounds) = match (
        number("STEADFAST_SOPS_SEED"),
        number("STEADFAST_SOPS_ROUNDS"),
    ) {
        (Some(seed), rounds) => (seed, rounds.unwrap_or(1)),
        (None, rounds) => (0, rounds.unwrap_or(ROUNDS)),
    };
    let next = AtomicUsize::new(0);
    let failures = std::thread::scope(|scope| {
        let worker = || {
            let mut failures = Vec::new();
            let sops = sops.elsewhere_with_all_keys();
            loop {
                let round = next.fetch_add(1, Ordering::Relaxed) as u64;
                if round >= rounds || failures.len() > 3 {
                    return failures;
                }
                let case = Case::of_seed(first + round, STORES);
                if let Err(failure) = check(&case, &sops) {
                    failures.push(report(&case, failure, &sops));
                }
            }
        };
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(worker)).collect();
        let failures = workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap());
        failures.collect::<Vec<String>>()
    });
    println!(
        "{rounds} cases from seed {first}, {} failed",
        failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// The smallest case found that fails the same way, and how to repeat the whole one.
fn report(case: &Case, failure: Failure, sops: &Sops) -> String {
    let (mut smallest, mut last) = (case.clone(), failure);
    let (mut number, mut tries) = (0, 0);
    while tries < 200 {
        tries += 1;
        let Some(smaller) = smallest.without_entry(number) else {
            if smallest.model.clone().drop_entry(number) {
                number += 1;
                continue;
            }
            break;
        };
        match check(&smaller, sops) {
            Err(failure) if failure.leg == last.leg => (smallest, last) = (smaller, failure),
            _ => number += 1,
        }
    }
    format!(
        "seed {} fails: {}\n{}\n-- {}\nrepeat with STEADFAST_SOPS_SEED={} cargo test --test sops both_ways",
        case.seed,
        last.leg,
        last.what,
        smallest.describe(),
        case.seed
    )
}

struct Failure {
    /// Which step failed.
    leg: &'static str,
    what: String,
}

fn leg<T>(name: &'static str, run: impl FnOnce() -> Result<T, String>) -> Result<T, Failure> {
    let result = catch_unwind(AssertUnwindSafe(run));
    result
        .unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            Err(format!("panicked: {}", text.unwrap_or_default()))
        })
        .map_err(|what| Failure { leg: name, what })
}

fn check(case: &Case, sops: &Sops) -> Result<(), Failure> {
    let name = file_name(case.model.store);
    sops.write(".sops.yaml", case.rules(&case.keys).as_bytes());

    let ours = leg("we seal", || seal_new(case))?;
    leg("sops opens what we sealed", || {
        sops.write(name, &ours);
        sops_opens(case, &case.model, sops, &ours)
    })?;

    let theirs = leg("sops seals", || {
        sops.write(name, &case.model.text());
        sops.output(&["encrypt", name])
    })?;
    leg("we open what sops sealed", || {
        we_open(case, &case.model, &theirs, &case.keys)
    })?;

    let after = case.after();
    let changed = leg("we change what sops sealed", || {
        we_change(case, &after, &theirs)
    })?;
    leg("sops opens what we changed", || {
        sops.write(name, &changed);
        sops_opens(case, &after, sops, &changed)
    })?;

    let changed = leg("sops changes what we sealed", || {
        sops_changes(case, &after, sops, &ours)
    })?;
    let keys = match &case.operation {
        Operation::UpdateKeys { keys } => keys,
        _ => &case.keys,
    };
    leg("we open what sops changed", || {
        we_open(case, &after, &changed, keys)
    })
}

/// sops decrypts the file in its directory, verifies the MAC, and gives the values of `model`.
fn sops_opens(case: &Case, model: &Model, sops: &Sops, sealed: &[u8]) -> Result<(), String> {
    let name = file_name(model.store);
    let show = |error: String| format!("{error}\n-- sealed\n{}", brief(sealed));
    let opened = sops.output(&["decrypt", name]).map_err(show)?;
    if model.store == Format::Binary {
        return (opened == model.bytes)
            .then_some(())
            .ok_or_else(|| show("the bytes differ".to_owned()));
    }
    let text = String::from_utf8_lossy(&opened).into_owned();
    if text.contains("ENC[AES256_GCM") {
        return Err(show(format!("sops did not open a comment\n{text}")));
    }
    let file = plain_file(model.store, &opened)?;
    check_leaves(&file, model).map_err(|error| show(format!("{error}\n-- sops prints\n{text}")))?;
    // And once as JSON, which is read by neither side's reader.
    if let (Some(expected), 0) = (model.json(), case.seed % 3) {
        let printed = sops.output(&["decrypt", "--output-type", "json", name])?;
        let printed: serde_json::Value =
            serde_json::from_slice(&printed).map_err(|error| error.to_string())?;
        if !same_json(&printed, &expected) {
            return Err(show(format!(
                "sops prints in JSON\n{printed:#}\nnot\n{expected:#}"
            )));
        }
    }
    Ok(())
}

fn we_open(case: &Case, model: &Model, sealed: &[u8], keys: &Keys) -> Result<(), String> {
    let show = |error: String| format!("{error}\n-- sealed\n{}", brief(sealed));
    let file = open_text(model.store, sealed).map_err(show)?;
    check_leaves(&file, model).map_err(show)?;
    let plain = file.plain_text();
    if model.store != Format::Binary
        && String::from_utf8_lossy(plain.expose()).contains("ENC[AES256_GCM")
    {
        return Err(show("we did not open a comment".to_owned()));
    }
    let groups = parse_text(case.model.store, sealed)?.key_groups();
    let names = groups.into_iter();
    let mut found: Vec<Vec<String>> = names
        .map(|group| group.into_iter().map(|entry| entry.name).collect())
        .collect();
    let mut expected = keys.texts();
    for group in found.iter_mut().chain(&mut expected) {
        group.sort();
    }
    if found != expected {
        return Err(show(format!("the keys are {found:?}, not {expected:?}")));
    }
    Ok(())
}

fn we_change(case: &Case, after: &Model, sealed: &[u8]) -> Result<Vec<u8>, String> {
    let store = case.model.store;
    let show = |error: String| format!("{error}\n-- sealed\n{}", brief(sealed));
    if let Operation::UpdateKeys { keys } = &case.operation {
        let file = parse_text(store, sealed)?;
        let text = file.rewrap(all_identities(), &keys.groups());
        return text
            .map(String::into_bytes)
            .map_err(|error| show(chain(&error)));
    }
    let mut file = open_text(store, sealed).map_err(show)?;
    let names = |path: &[Step]| path.iter().map(Step::text).collect::<Vec<_>>();
    match &case.operation {
        Operation::Set { path, value } => {
            let value = Plaintext::new(value.clone().into_bytes());
            file.set(&names(path), &value)
                .map_err(|error| show(chain(&error)))?;
        }
        Operation::Unset { path } => file
            .unset(&names(path))
            .map_err(|error| show(chain(&error)))?,
        Operation::Edit { model } => file
            .replace(&model.text())
            .map_err(|error| show(chain(&error)))?,
        Operation::Rotate => file
            .rotate(&case.keys.groups())
            .map_err(|error| show(chain(&error)))?,
        Operation::UpdateKeys { .. } => {}
    }
    check_leaves(&file, after).map_err(show)?;
    let text = file.seal(LATER).map_err(|error| show(chain(&error)))?;
    if let Operation::Set { path, .. } = &case.operation {
        only_one_value_differs(case, path, sealed, text.as_bytes())?;
    }
    Ok(text.into_bytes())
}

/// Setting a value changes its line and the metadata's MAC and time, and nothing else.
fn only_one_value_differs(
    case: &Case,
    path: &[Step],
    before: &[u8],
    after: &[u8],
) -> Result<(), String> {
    let (before, after) = (
        String::from_utf8_lossy(before),
        String::from_utf8_lossy(after),
    );
    let differing = differing_lines(&before, &after);
    let documents = case.model.documents.len();
    let (metadata, values): (Vec<_>, Vec<_>) = differing.iter().partition(|line| {
        let line = line.trim_start().trim_start_matches(['"', '\'']);
        let line = line.strip_prefix("sops_").unwrap_or(line);
        line.starts_with("mac") || line.starts_with("lastmodified")
    });
    // A plain value, or one that was, may have several lines.
    let sealed = |line: &&&String| line.contains("ENC[AES256_GCM");
    if metadata.len() > documents * 2 || values.iter().filter(sealed).count() > 1 {
        return Err(format!(
            "setting {path:?} changed more: {differing:#?}\n-- before\n{before}\n-- after\n{after}"
        ));
    }
    Ok(())
}

fn sops_changes(case: &Case, after: &Model, sops: &Sops, sealed: &[u8]) -> Result<Vec<u8>, String> {
    let name = file_name(case.model.store);
    sops.write(name, sealed);
    let show = |error: String| format!("{error}\n-- sealed\n{}", brief(sealed));
    let run = |arguments: &[&str]| sops.output(arguments).map_err(show);
    let path_of = |path: &[Step]| sops_path(path).ok_or("a path that sops cannot take".to_owned());
    match &case.operation {
        Operation::Set { path, value } => {
            let value = serde_json::Value::from(value.as_str()).to_string();
            run(&["set", name, &path_of(path)?, &value])?;
        }
        Operation::Unset { path } => {
            run(&["unset", name, &path_of(path)?])?;
        }
        Operation::Rotate => {
            run(&["rotate", "-i", name])?;
        }
        Operation::UpdateKeys { keys } => {
            sops.write(".sops.yaml", case.rules(keys).as_bytes());
            run(&["updatekeys", "-y", name])?;
        }
        Operation::Edit { .. } => {
            let edited = sops.write("edited", &after.text());
            let editor = format!("cp {}", edited.display());
            let mut command = sops.command();
            let output = command.env("SOPS_EDITOR", editor).args(["edit", name]);
            let output = output.output().unwrap();
            // 200: nothing changed.
            if !output.status.success() && output.status.code() != Some(200) {
                return Err(show(String::from_utf8_lossy(&output.stderr).into_owned()));
            }
        }
    }
    Ok(sops.read(name))
}
