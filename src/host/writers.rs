//! Who writes a file: told by fanotify, which unlike inotify names the process.
//!
//! Listening costs an event for every write in a directory, so it is done only where something was just put right. Needs
//! `CAP_SYS_ADMIN`; where the kernel refuses, nobody is ever named. A mere change of owner or mode, or a removal, is not told.

use std::collections::HashMap;
use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::fanotify::{EventFFlags, Fanotify, InitFlags, MarkFlags, MaskFlags};
use rustix::fs::OFlags;
use tracing::debug;

use super::{Host, HostPath, UnitKind, UnitName};

/// How long a directory is listened to after it was asked for.
const TERM: Duration = Duration::from_mins(30);
/// Most files that are remembered.
const MOST: usize = 4096;

const WRITES: MaskFlags = MaskFlags::FAN_MODIFY
    .union(MaskFlags::FAN_CLOSE_WRITE)
    .union(MaskFlags::FAN_EVENT_ON_CHILD);

/// The last writer of each file that somebody asked about.
#[derive(Debug, Default)]
pub struct Writers {
    ear: Mutex<Ear>,
    heard: Arc<Mutex<HashMap<PathBuf, String>>>,
}

#[derive(Debug, Default)]
struct Ear {
    fanotify: Option<Arc<Fanotify>>,
    /// The kernel said no.
    refused: bool,
    until: HashMap<HostPath, Instant>,
}

impl Writers {
    /// Listens for writes to the directory of `path`, for half an hour.
    pub fn listen(&self, host: &Host, path: &HostPath) {
        let Some(directory) = path.parent() else {
            return;
        };
        let mut ear = self.ear.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(&mut ear, host);
        if ear.refused {
            return;
        }
        if ear.fanotify.is_none() {
            match self.begin() {
                Ok(fanotify) => ear.fanotify = Some(fanotify),
                Err(error) => {
                    debug!(%error, "who writes files cannot be told");
                    ear.refused = true;
                    return;
                }
            }
        }
        if let Some(fanotify) = &ear.fanotify
            && mark(fanotify, host, &directory, MarkFlags::FAN_MARK_ADD)
        {
            ear.until.insert(directory, Instant::now() + TERM);
        }
    }

    /// Who wrote `path` last, or else something else in its directory: `sh (process 7 of app.service)`.
    #[must_use]
    pub fn writer(&self, host: &Host, path: &HostPath) -> Option<String> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let real = host.real_path(path);
        // Editors write beside the file and rename.
        let beside = || heard.get(real.parent()?);
        heard.get(&real).or_else(beside).cloned()
    }

    /// Opens the ear, with a thread that writes down what it hears at once: a writer may not live long.
    fn begin(&self) -> std::io::Result<Arc<Fanotify>> {
        let flags = InitFlags::FAN_CLASS_NOTIF | InitFlags::FAN_CLOEXEC;
        let opened = EventFFlags::O_RDONLY | EventFFlags::O_CLOEXEC | EventFFlags::O_LARGEFILE;
        let fanotify = Arc::new(Fanotify::init(flags, opened)?);
        let (ear, heard) = (Arc::clone(&fanotify), Arc::clone(&self.heard));
        std::thread::Builder::new()
            .name("writers".to_owned())
            .spawn(move || hear(&ear, &heard))?;
        Ok(fanotify)
    }

    /// Stops listening where nobody has asked for long.
    fn forget(&self, ear: &mut Ear, host: &Host) {
        let now = Instant::now();
        let Ear {
            fanotify: Some(fanotify),
            until,
            ..
        } = ear
        else {
            return;
        };
        until.retain(|directory, until| {
            if *until > now {
                return true;
            }
            mark(fanotify, host, directory, MarkFlags::FAN_MARK_REMOVE);
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            let gone = host.real_path(directory);
            heard.retain(|path, _| *path != gone && path.parent() != Some(&gone));
            false
        });
    }
}

fn mark(fanotify: &Fanotify, host: &Host, directory: &HostPath, flags: MarkFlags) -> bool {
    let flags = flags | MarkFlags::FAN_MARK_ONLYDIR;
    let Ok(handle) = host
        .root
        .open(directory, OFlags::RDONLY | OFlags::DIRECTORY)
    else {
        return false;
    };
    fanotify.mark(flags, WRITES, &handle, None::<&Path>).is_ok()
}

fn hear(fanotify: &Fanotify, heard: &Mutex<HashMap<PathBuf, String>>) {
    let own = fs::read_link("/proc/self/exe").ok();
    while let Ok(events) = fanotify.read_events() {
        for event in events {
            let Some(handle) = event.fd() else { continue };
            let name = format!("/proc/self/fd/{}", handle.as_raw_fd());
            let (Ok(path), Some(writer)) =
                (fs::read_link(name), describe(event.pid(), own.as_deref()))
            else {
                continue;
            };
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            if heard.len() >= MOST {
                heard.clear();
            }
            // What was renamed over in the meantime.
            let path = path.to_string_lossy();
            let path = PathBuf::from(path.strip_suffix(" (deleted)").unwrap_or(&path));
            if let Some(directory) = path.parent() {
                heard.insert(directory.to_owned(), writer.clone());
            }
            heard.insert(path, writer);
        }
    }
}

/// A process in words: its name, and the unit it belongs to. Not its arguments, which may hold secrets. `None` if it is
/// this program.
fn describe(pid: i32, own: Option<&Path>) -> Option<String> {
    if pid == std::process::id().cast_signed() {
        return None;
    }
    let of = |what: &str| format!("/proc/{pid}/{what}");
    if own.is_some() && fs::read_link(of("exe")).ok().as_deref() == own {
        return None;
    }
    let Ok(name) = fs::read_to_string(of("comm")) else {
        return Some(format!("process {pid}, which is gone"));
    };
    let groups = fs::read_to_string(of("cgroup")).unwrap_or_default();
    let unit = unit_of(&groups).map_or(String::new(), |unit| format!(" of {unit}"));
    Some(format!("{} (process {pid}{unit})", name.trim_end()))
}

/// The unit that a process belongs to, from its `/proc/PID/cgroup`.
fn unit_of(groups: &str) -> Option<&str> {
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let is_unit = |part: &&str| {
        let kind = UnitName::new(*part).map(|unit| unit.kind());
        matches!(kind, Ok(UnitKind::Service | UnitKind::Scope))
    };
    path.rsplit('/').find(is_unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_a_process_is_the_innermost() {
        for (groups, unit) in [
            ("0::/system.slice/cron.service\n", Some("cron.service")),
            (
                "0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.service/inner\n",
                Some("a.service"),
            ),
            (
                "0::/user.slice/user-0.slice/session-1.scope\n",
                Some("session-1.scope"),
            ),
            ("0::/init.scope/x\n1:name=systemd:/\n", Some("init.scope")),
            ("0::/\n", None),
            ("", None),
        ] {
            assert_eq!(unit_of(groups), unit, "{groups:?}");
        }
    }

    #[test]
    fn a_process_is_named_without_its_arguments_and_this_program_not_at_all() {
        let own = fs::read_link("/proc/self/exe").unwrap();
        assert_eq!(describe(std::process::id().cast_signed(), Some(&own)), None);
        let init = describe(1, Some(&own)).unwrap();
        assert!(init.contains("(process 1"), "{init}");
        let gone = describe(i32::MAX, Some(&own)).unwrap();
        assert_eq!(gone, format!("process {}, which is gone", i32::MAX));
    }
}
