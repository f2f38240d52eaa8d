//! Whether sshd takes its configuration, and speaks where it listens.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::host::Host;
use crate::host::exec::{ExecError, Program};

/// Longest time until an address must have said who it is.
const PATIENCE: Duration = Duration::from_secs(5);
/// What every SSH server says first.
const GREETING: &[u8] = b"SSH-";

/// Where sshd should listen, and where it was heard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::health) struct Heard {
    /// The addresses that were tried.
    tried: BTreeSet<SocketAddr>,
    /// Those that answered as an SSH server does.
    answered: BTreeSet<SocketAddr>,
}

/// What came of listening.
pub(in crate::health) enum Ears {
    /// There is no sshd on this machine.
    NoServer,
    /// It was listened to.
    Heard(Heard),
}

/// Lets sshd read its configuration as it is now, and listens to every address that it names: loopback and the
/// addresses this machine shows to the outside, where it names all of them.
///
/// # Errors
/// Why sshd does not take its configuration.
pub(in crate::health) fn listen(host: &Host) -> Result<Ears, String> {
    let told = Program::new("sshd").arg("-T").timeout(PATIENCE).run_ok();
    let told = match told {
        Ok(told) => String::from_utf8_lossy(&told).into_owned(),
        Err(ExecError::NotFound { .. }) => return Ok(Ears::NoServer),
        Err(error) => return Err(format!("it does not take its configuration: {error}")),
    };
    let tried = addresses(&told, &host.primary_addresses());
    let answered = tried.iter().copied().filter(|at| greets(*at)).collect();
    Ok(Ears::Heard(Heard { tried, answered }))
}

/// Why `now` is worse than `before`; nothing if it is not.
pub(in crate::health) fn compare(before: &Heard, now: &Heard) -> Result<(), String> {
    let silent = now.tried.difference(&now.answered);
    let gone: Vec<String> = silent
        .filter(|at| before.answered.contains(at))
        .map(ToString::to_string)
        .collect();
    if !gone.is_empty() {
        return Err(format!("it is silent at {}", gone.join(", ")));
    }
    let outside = |heard: &Heard| heard.answered.iter().any(|at| !at.ip().is_loopback());
    if outside(before) && !outside(now) {
        return Err("it cannot be reached from outside any more".to_owned());
    }
    if !before.answered.is_empty() && now.answered.is_empty() {
        return Err("it listens nowhere any more".to_owned());
    }
    Ok(())
}

/// The addresses of `sshd -T`, those for "all" replaced by real ones.
fn addresses(told: &str, primary: &[IpAddr]) -> BTreeSet<SocketAddr> {
    let listed = told
        .lines()
        .filter_map(|line| line.strip_prefix("listenaddress "))
        .filter_map(|at| at.trim().parse::<SocketAddr>().ok());
    let mut addresses = BTreeSet::new();
    for at in listed {
        if !at.ip().is_unspecified() {
            addresses.insert(at);
            continue;
        }
        let own: IpAddr = match at {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        let of_family = primary.iter().filter(|ip| ip.is_ipv4() == at.is_ipv4());
        let all = std::iter::once(own).chain(of_family.copied());
        addresses.extend(all.map(|ip| SocketAddr::new(ip, at.port())));
    }
    addresses
}

fn greets(at: SocketAddr) -> bool {
    let deadline = Instant::now() + PATIENCE;
    let Ok(mut stream) = TcpStream::connect_timeout(&at, PATIENCE) else {
        return false;
    };
    let mut said = Vec::new();
    while said.len() < GREETING.len() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            return false;
        }
        let mut some = [0; 64];
        match stream.read(&mut some) {
            Ok(0) | Err(_) => return false,
            Ok(count) => said.extend_from_slice(&some[..count]),
        }
    }
    said.starts_with(GREETING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(tried: &[&str], answered: &[&str]) -> Heard {
        let parse = |all: &[&str]| all.iter().map(|at| at.parse().unwrap()).collect();
        Heard {
            tried: parse(tried),
            answered: parse(answered),
        }
    }

    #[test]
    fn all_addresses_are_loopback_and_what_is_shown_outside() {
        let told = "port 22\naddressfamily any\nlistenaddress [::]:22\nlistenaddress 0.0.0.0:22\nlistenaddress 10.0.0.5:2222\n";
        let found = addresses(told, &["10.0.0.5".parse().unwrap()]);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["10.0.0.5:22", "10.0.0.5:2222", "127.0.0.1:22", "[::1]:22"]
        );
    }

    #[test]
    fn an_address_that_never_answered_is_not_missed_and_one_that_did_is() {
        let all = ["127.0.0.1:22", "10.0.0.5:22", "[::1]:22"];
        let before = heard(&all, &["127.0.0.1:22", "10.0.0.5:22"]);
        assert_eq!(compare(&before, &before), Ok(()));
        let deaf = heard(&all, &["127.0.0.1:22"]);
        assert_eq!(
            compare(&before, &deaf).unwrap_err(),
            "it is silent at 10.0.0.5:22"
        );
        let elsewhere = heard(&["10.0.0.5:2222"], &["10.0.0.5:2222"]);
        assert_eq!(compare(&before, &elsewhere), Ok(()), "the port was moved");
        let inside = heard(&["127.0.0.1:22"], &["127.0.0.1:22"]);
        assert!(
            compare(&before, &inside)
                .unwrap_err()
                .contains("from outside")
        );
        let nothing = Heard::default();
        assert_eq!(
            compare(&nothing, &nothing),
            Ok(()),
            "it was down before as well"
        );
    }

    #[test]
    fn only_what_greets_like_a_server_is_heard() {
        use std::io::Write as _;
        let server = |said: &'static [u8]| {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let at = listener.local_addr().unwrap();
            let answering = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                stream.write_all(said).unwrap();
            });
            let heard = greets(at);
            answering.join().unwrap();
            heard
        };
        assert!(server(b"SSH-2.0-OpenSSH_9.9\r\n"));
        assert!(!server(b"HTTP/1.1 400\r\n"));
        assert!(!server(b""));
    }
}
