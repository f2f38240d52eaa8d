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

/// strace on process 1 of a host, and on all that it starts: the service of an activation above all.
pub struct Trap {
    strace: Child,
    log: PathBuf,
    fault: Fault,
}

impl Trap {
    /// Sets it at record `number` of the next transaction.
    pub fn set(host: &Host, number: usize, fault: Fault) -> Self {
        let next = "printf %08d $(( $(ls /var/lib/steadfast/transactions | grep '^0' | tail -1 | sed 's/^0*//') + 1 ))";
        let journal = format!(
            "/var/lib/steadfast/transactions/{}/journal",
            host.must(next).trim()
        );
        let signal = match fault {
            Fault::Kill => "KILL",
            Fault::Freeze => "STOP",
        };
        let log = host
            .transcript
            .path()
            .with_file_name(format!("{}-strace.log", host.name));
        let mut command = Command::new("strace");
        command
            .args(["-f", "-y", "-s", "300", "-o"])
            .arg(&log)
            .args(["-P", &journal, "-e", "trace=write"])
            .args(["-e", &format!("inject=write:signal={signal}:when={number}")]);
        command.args(["-p", &host.leader().to_string()]);
        fs::write(&log, "").unwrap();
        let errors = fs::File::create(log.with_extension("err")).unwrap();
        let strace = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .unwrap();
        let trap = Self { strace, log, fault };
        wait_until("strace is attached", WITHIN, || {
            fs::read_to_string(trap.log.with_extension("err"))
                .unwrap()
                .contains("attached")
        });
        trap
    }

    /// Waits until it has sprung; gives the line of the journal that it was about.
    pub fn wait_sprung(&self, host: &Host) -> String {
        let sprung = match self.fault {
            Fault::Kill => "killed by SIGKILL",
            Fault::Freeze => "stopped by SIGSTOP",
        };
        let what = format!("{} comes to the record", host.name);
        wait_for(&what, WITHIN, || {
            let text = fs::read_to_string(&self.log).unwrap();
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

impl Drop for Trap {
    fn drop(&mut self) {
        // Told to end, it lets go of those it traces, one by one. Should one of them wait for another that is stopped (a systemd
        // that forks), it never comes to the end; killed, it lets go of all at once.
        let strace = self.strace.id().to_string();
        drop(Command::new("kill").args(["-INT", &strace]).status());
        let told = Instant::now();
        while matches!(self.strace.try_wait(), Ok(None)) && told.elapsed() < LETS_GO {
            thread::sleep(Duration::from_millis(20));
        }
        drop(self.strace.kill());
        drop(self.strace.wait());
    }
}
