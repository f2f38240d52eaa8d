//! Child processes of the harness: captured, timed, written to a transcript.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What a program said.
#[derive(Debug, Clone)]
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    /// Both streams, for searching.
    pub fn all(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

/// The record of everything a scenario ran and everything that was answered.
#[derive(Debug, Clone)]
pub struct Transcript {
    path: PathBuf,
    file: Arc<Mutex<File>>,
    since: Instant,
}

impl Transcript {
    pub fn create(path: PathBuf) -> Self {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = Arc::new(Mutex::new(File::create(&path).unwrap()));
        Self {
            path,
            file,
            since: Instant::now(),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn note(&self, text: &str) {
        let at = self.since.elapsed().as_secs_f32();
        let mut file = self.file.lock().unwrap();
        writeln!(file, "[{at:7.2}] {}", text.trim_end()).unwrap();
    }
}

/// The last lines of a transcript.
pub fn tail(transcript: &Path, lines: usize) -> String {
    let text = std::fs::read_to_string(transcript).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Longest time that any one command may take; a hung one is killed and fails the scenario.
const PATIENCE: Duration = Duration::from_mins(5);

/// Runs `command` with `stdin`, captures both streams, and notes it all down.
pub fn run(command: &mut Command, stdin: &[u8], transcript: &Transcript) -> Said {
    run_as(&shown(command), command, stdin, transcript)
}

/// Like [`run`], under the name `shown`.
pub fn run_as(shown: &str, command: &mut Command, stdin: &[u8], transcript: &Transcript) -> Said {
    let begun = Instant::now();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {shown}: {error}"));
    let mut pipe = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    // A program that does not read its input closes the pipe; that is its own affair.
    let feeder = thread::spawn(move || drop(pipe.write_all(&stdin)));
    let stdout = collect(child.stdout.take().unwrap());
    let stderr = collect(child.stderr.take().unwrap());
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            transcript.note(&format!("KILLED after {PATIENCE:?}: {shown}"));
            break child.wait().unwrap();
        }
        thread::sleep(Duration::from_millis(3));
    };
    feeder.join().unwrap();
    let said = Said {
        code: status.code().unwrap_or(-1),
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
    };
    let mut note = format!(
        "{shown}\n  exit {} after {} ms",
        said.code,
        begun.elapsed().as_millis()
    );
    for (name, text) in [("out", &said.stdout), ("err", &said.stderr)] {
        for line in text.lines() {
            write!(note, "\n  {name}: {line}").unwrap();
        }
    }
    transcript.note(&note);
    said
}

/// Like [`run`], for what must succeed.
pub fn must(command: &mut Command, stdin: &[u8], transcript: &Transcript) -> String {
    let said = run(command, stdin, transcript);
    assert_eq!(
        said.code,
        0,
        "{} failed:\n{}{}",
        shown(command),
        said.stdout,
        said.stderr
    );
    said.stdout
}

fn collect(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        let arg = arg.to_string_lossy();
        let arg = arg.as_ref();
        if arg.contains(char::is_whitespace) {
            write!(text, " {arg:?}").unwrap();
        } else {
            write!(text, " {arg}").unwrap();
        }
    }
    text
}

/// Waits until `question` gives an answer, asking often; panics with `what` after `within`.
pub fn wait_for<T>(what: &str, within: Duration, mut question: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(
            begun.elapsed() < within,
            "not within {} s: {what}",
            within.as_secs()
        );
        thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until `question` says yes; panics with `what` after `within`.
pub fn wait_until(what: &str, within: Duration, mut question: impl FnMut() -> bool) {
    wait_for(what, within, || question().then_some(()));
}
