//! A trap at a record of the journal, sprung by whatever process writes it.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Host, wait_for, wait_until};

/// How long it takes until the record is written.
const WITHIN: Duration = Duration::from_mins(2);

/// How long strace may take to let go.
const LETS_GO: Duration = Duration::from_secs(3);

/// What happens to the process that is about to write the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is killed.
    Kill,
    /// It stands still, so that its host can be killed at this very record.
    Freeze,
}

/// strace on process 1 of a host, and on all that it starts: the service of an activation above all. It lets go when dropped.
pub struct Strace {
    child: Child,
    log: PathBuf,
}

impl Strace {
    /// Attaches it, with `arguments` that say what to trace and what to inject.
    pub fn attach(host: &Host, arguments: &[String]) -> Self {
        let log = host
            .transcript
            .path()
            .with_file_name(format!("{}-strace.log", host.name));
        fs::write(&log, "").unwrap();
        let errors = fs::File::create(log.with_extension("err")).unwrap();
        let child = Command::new("strace")
            .args(["-f", "-y", "-s", "300", "-o"])
            .arg(&log)
            .args(arguments)
            .args(["-p", &host.leader().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .unwrap();
        let mut strace = Self { child, log };
        wait_until("strace is attached", WITHIN, || {
            let said = fs::read_to_string(strace.log.with_extension("err")).unwrap();
            let ended = strace.child.try_wait().unwrap();
            assert!(ended.is_none(), "strace ended: {said}");
            said.contains("attached")
        });
        strace
    }

    /// What it has seen so far.
    pub fn seen(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }
}

/// The journal of the transaction that comes next.
pub fn next_journal(host: &Host) -> String {
    let next = "printf %08d $(( $(ls /var/lib/steadfast/transactions | grep '^0' | tail -1 | sed 's/^0*//') + 1 ))";
    format!(
        "/var/lib/steadfast/transactions/{}/journal",
        host.must(next).trim()
    )
}

/// A process that is about to write a record, and dies or stands still.
pub struct Trap {
    strace: Strace,
    fault: Fault,
}

impl Trap {
    /// Sets it at record `number` of the next transaction.
    pub fn set(host: &Host, number: usize, fault: Fault) -> Self {
        let signal = match fault {
            Fault::Kill => "KILL",
            Fault::Freeze => "STOP",
        };
        let arguments = [
            "-P".to_owned(),
            next_journal(host),
            "-etrace=write".to_owned(),
            format!("-einject=write:signal={signal}:when={number}"),
        ];
        let strace = Strace::attach(host, &arguments);
        Self { strace, fault }
    }

    /// Waits until it has sprung; gives the line of the journal that it was about.
    pub fn wait_sprung(&self, host: &Host) -> String {
        let sprung = match self.fault {
            Fault::Kill => "killed by SIGKILL",
            Fault::Freeze => "stopped by SIGSTOP",
        };
        let what = format!("{} comes to the record", host.name);
        wait_for(&what, WITHIN, || {
            let text = self.strace.seen();
            let (before, _) = text.split_once(sprung)?;
            let last = before.lines().rfind(|line| line.contains("write("))?;
            // The main thread dies last. strace, told to end before, would wait for it and not for those that it waits for.
            let writer = last.split_whitespace().next()?;
            let is_over = |line: &str| line.starts_with(writer) && line.contains(sprung);
            let is_dead = self.fault == Fault::Freeze || text.lines().any(is_over);
            is_dead.then(|| last.replace('\\', ""))
        })
    }
}

/// How often a writer of the journal is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Often {
    Once,
    /// At every so many records.
    Every(usize),
}

/// A process that stands still where it is about to write records, and goes on when it is told to.
pub struct Stop {
    strace: Strace,
    journal: String,
}

/// The process that stands still.
pub struct Stopped(String);

impl Stop {
    /// Sets it at record `first` of the next transaction.
    pub fn set(host: &Host, first: usize, often: Often) -> Self {
        let when = match often {
            Often::Once => first.to_string(),
            Often::Every(step) => format!("{first}+{step}"),
        };
        let journal = next_journal(host);
        let arguments = [
            "-P".to_owned(),
            journal.clone(),
            "-etrace=write".to_owned(),
            format!("-einject=write:signal=STOP:when={when}"),
        ];
        let strace = Strace::attach(host, &arguments);
        Self { strace, journal }
    }

    /// Waits until it is stopped once more than `before`; `None` when it is over, or waits for a person.
    pub fn wait_stopped(&self, host: &Host, before: usize) -> Option<Stopped> {
        let end = format!("tail -n 1 {} 2>/dev/null", self.journal);
        wait_for("a stop or the end", WITHIN, || {
            let seen = self.strace.seen();
            // Each of its threads stops; the one that writes says when.
            let writer = seen.lines().find(|line| line.contains("write("));
            let writer = writer.and_then(|line| line.split_whitespace().next());
            let mut stops = seen.lines().filter(|line| {
                line.contains("stopped by SIGSTOP") && line.split_whitespace().next() == writer
            });
            if let Some(stop) = stops.nth(before) {
                let process = stop.split_whitespace().next()?;
                return Some(Some(Stopped(process.to_owned())));
            }
            let last = host.quietly(&end);
            let is_over = ["awaiting_confirmation", "committed", "rolled_back"]
                .iter()
                .any(|phase| last.contains(&format!("\"phase\":\"{phase}\"")));
            is_over.then_some(None)
        })
    }
}

impl Stopped {
    /// Lets it go on.
    pub fn goes_on(self) {
        let status = Command::new("kill").args(["-CONT", &self.0]).status();
        assert!(status.is_ok_and(|status| status.success()));
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        // Told to end, it lets go of those it traces, one by one. Should one of them wait for another that is stopped (a systemd
        // that forks), it never comes to the end; killed, it lets go of all at once.
        let child = self.child.id().to_string();
        drop(Command::new("kill").args(["-INT", &child]).status());
        let told = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && told.elapsed() < LETS_GO {
            thread::sleep(Duration::from_millis(20));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
