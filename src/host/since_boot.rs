//! How long this machine has been up, by the clock with which the kernel stamps processes, and by which connection a
//! process came here.

use std::fs;
use std::time::Duration;

use super::Host;

/// Ticks a second of the times in `/proc/PID/stat`; `USER_HZ` is 100 wherever Debian runs.
const TICKS: u64 = 100;
/// More parents than any process has.
const MOST_PARENTS: usize = 64;
/// What the processes of SSH servers are called. The one that listens for all has the name of those for each.
const SSH_SERVERS: [&str; 4] = ["sshd", "sshd-session", "sshd-auth", "dropbear"];
/// What a login on a console is called.
const CONSOLE: &str = "login";

/// How somebody came to this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The process that was begun for it.
    pub pid: u32,
    /// When it was begun, since the machine was booted.
    pub began: Duration,
    /// What it is, in words: `ssh connection`, `console login`.
    pub what: &'static str,
}

/// A process, as far as its ancestry says where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    pid: u32,
    parent: u32,
    name: String,
    began: Duration,
}

impl Host {
    /// The time since the machine was booted, with that in which it slept; to a hundredth of a second. `None` if the
    /// kernel does not say.
    ///
    /// It is the very clock that stamps processes, also in a container that shows another uptime than the machine's: the
    /// time at which a thread begins that has just begun.
    #[must_use]
    pub fn since_boot(&self) -> Option<Duration> {
        let fresh = std::thread::spawn(|| fs::read_to_string("/proc/thread-self/stat"));
        let stat = fresh.join().ok()?.ok()?;
        parse(&stat).map(|thread| thread.began)
    }

    /// The connection by which this process came here: the SSH connection whose server is among its ancestors, or the
    /// login at a console. `None` where there is none, as for a service, or in a `tmux` that was begun by somebody else.
    ///
    /// Each SSH connection has a process of its own, which all that is multiplexed over it shares.
    #[must_use]
    pub fn connection(&self) -> Option<Connection> {
        let mut ancestry = Vec::new();
        let mut pid = std::process::id();
        while pid != 0 && ancestry.len() < MOST_PARENTS {
            let Some(process) = read(pid) else { break };
            pid = process.parent;
            ancestry.push(process);
        }
        connection_among(&ancestry)
    }
}

fn read(pid: u32) -> Option<Process> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// One line of `/proc/PID/stat`; the name is in parentheses and may hold anything.
fn parse(stat: &str) -> Option<Process> {
    let (pid, rest) = stat.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // proc_pid_stat(5) counts from 1 and has the state as its third.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let ticks = field(22)?;
    Some(Process {
        pid: pid.parse().ok()?,
        parent: u32::try_from(field(4)?).ok()?,
        name: name.to_owned(),
        began: Duration::from_millis(ticks.saturating_mul(1000 / TICKS)),
    })
}

/// The connection in an ancestry that begins with the youngest.
fn connection_among(ancestry: &[Process]) -> Option<Connection> {
    let is_server = |process: &&Process| SSH_SERVERS.contains(&process.name.as_str());
    let servers: Vec<&Process> = ancestry.iter().filter(is_server).collect();
    let of = |process: &Process, what| Connection {
        pid: process.pid,
        began: process.began,
        what,
    };
    match servers.as_slice() {
        [] => {}
        [only] => return Some(of(only, "ssh connection")),
        // The oldest listens for all connections.
        [.., of_connection, _listener] => return Some(of(of_connection, "ssh connection")),
    }
    let console = ancestry
        .iter()
        .position(|process| process.name == CONSOLE)?;
    // `login` itself waited at its prompt; what it began when the password was right is the login.
    let shell = ancestry.get(console.checked_sub(1)?)?;
    Some(of(shell, "console login"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ancestry(names: &[(&str, u64)]) -> Vec<Process> {
        let all = names.iter().enumerate();
        all.map(|(index, (name, secs))| Process {
            pid: u32::try_from(100 - index).unwrap(),
            parent: u32::try_from(99 - index).unwrap(),
            name: (*name).to_owned(),
            began: Duration::from_secs(*secs),
        })
        .collect()
    }

    fn began(names: &[(&str, u64)]) -> Option<u64> {
        connection_among(&ancestry(names)).map(|connection| connection.began.as_secs())
    }

    #[test]
    fn a_connection_is_the_process_that_its_server_began_for_it() {
        let new = [
            ("steadfast", 90),
            ("sudo", 90),
            ("bash", 81),
            ("sshd-session", 81),
            ("sshd-session", 80),
            ("sshd", 3),
            ("systemd", 0),
        ];
        assert_eq!(began(&new), Some(80));
        let old = [
            ("bash", 81),
            ("sshd", 81),
            ("sshd", 80),
            ("sshd", 3),
            ("systemd", 0),
        ];
        assert_eq!(began(&old), Some(80), "before OpenSSH 9.8");
        let of_root = [("bash", 81), ("sshd", 80), ("sshd", 3), ("systemd", 0)];
        assert_eq!(began(&of_root), Some(80));
        let by_socket = [("bash", 81), ("sshd", 80), ("systemd", 0)];
        assert_eq!(began(&by_socket), Some(80));
        let console = [("bash", 70), ("login", 5), ("systemd", 0)];
        assert_eq!(began(&console), Some(70));
        let terminal = [("bash", 81), ("tmux: server", 40), ("systemd", 0)];
        assert_eq!(began(&terminal), None);
    }

    #[test]
    fn the_stamp_of_a_process_is_read_whatever_its_name() {
        let stat = "42 (a) S 9 (b)) S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0";
        let process = parse(stat).unwrap();
        assert_eq!((process.pid, process.parent), (42, 7));
        assert_eq!(process.name, "a) S 9 (b)");
        assert_eq!(process.began, Duration::from_millis(123_450));
    }

    #[test]
    fn the_clock_goes_on_and_is_that_of_processes() {
        let host = Host::live().unwrap();
        let now = host.since_boot().unwrap();
        let own = read(std::process::id()).unwrap().began;
        assert!(own <= now, "{own:?} is after {now:?}");
        assert!(host.since_boot().unwrap() >= now);
    }
}
