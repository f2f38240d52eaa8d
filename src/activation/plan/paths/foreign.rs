//! A desired path that was never ours.

use super::super::PathChange;
use super::super::compare::words;
use super::super::decide::Draft;
use super::wanted::Subject;
use super::{Ground, clear};
use crate::config::OnConflict;
use crate::host::{HostPath, PackagedFile, PathState, Upkeep};

pub(super) fn decide(ground: &Ground<'_>, subject: &Subject<'_>, draft: &mut Draft) {
    match &subject.found {
        PathState::Absent => subject.write(PathChange::Create, draft),
        PathState::Directory { .. } if subject.is_directory_wanted() => {
            subject.write(PathChange::Metadata, draft);
        }
        PathState::Directory { .. } if made_by_us(ground, subject) => {
            clear(subject.path, &subject.found, draft);
            subject.write(PathChange::Update, draft);
        }
        PathState::File { .. } | PathState::Symlink { .. } => taken(subject, draft),
        PathState::Directory { .. } => draft.conflict(
            subject.path,
            "a directory is in its place",
            "move the directory away; it is never emptied or removed for a file",
        ),
        PathState::Other { what } => draft.conflict(
            subject.path,
            what.clone(),
            "move it away, or name the path that it leads to: links in parent directories are never followed",
        ),
    }
}

/// Refuses a file that an upgrade would replace and a purge would take along, and says where one keeps a configuration file.
pub(super) fn is_a_packages(ground: &Ground<'_>, path: &HostPath, draft: &mut Draft) -> bool {
    let Some(PackagedFile { package, upkeep }) = ground.at.observed.packaged.get(path) else {
        return false;
    };
    match upkeep {
        Upkeep::Replaced => draft.conflict(
            path,
            format!("it is a file of the package {package}, whose upgrades replace it"),
            format!(
                "use what the package offers for settings; or have dpkg put its own file elsewhere, on the host: \
                 dpkg-divert --local --rename --add {path}"
            ),
        ),
        Upkeep::Kept => {
            let besides = drop_ins(path).map_or(String::new(), |directory| {
                format!("; what is in {directory} is read besides it, and would leave it alone")
            });
            draft.notice(
                path,
                format!(
                    "is a configuration file of the package {package}: upgrades keep ours, and leave theirs beside it \
                     as {}.dpkg-dist{besides}",
                    path.file_name()
                ),
            );
        }
    }
    *upkeep == Upkeep::Replaced
}

/// Programs that read a directory besides their file.
const DROP_INS: [(&str, &str); 16] = [
    ("/etc/apt/apt.conf", "/etc/apt/apt.conf.d"),
    ("/etc/chrony/chrony.conf", "/etc/chrony/conf.d"),
    ("/etc/crontab", "/etc/cron.d"),
    ("/etc/default/grub", "/etc/default/grub.d"),
    ("/etc/dnsmasq.conf", "/etc/dnsmasq.d"),
    ("/etc/ld.so.conf", "/etc/ld.so.conf.d"),
    ("/etc/logrotate.conf", "/etc/logrotate.d"),
    ("/etc/modules", "/etc/modules-load.d"),
    ("/etc/nginx/nginx.conf", "/etc/nginx/conf.d"),
    ("/etc/profile", "/etc/profile.d"),
    ("/etc/rsyslog.conf", "/etc/rsyslog.d"),
    ("/etc/security/limits.conf", "/etc/security/limits.d"),
    ("/etc/ssh/ssh_config", "/etc/ssh/ssh_config.d"),
    ("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d"),
    ("/etc/sudoers", "/etc/sudoers.d"),
    ("/etc/sysctl.conf", "/etc/sysctl.d"),
];

/// The directory whose files a program reads besides the one at `path`.
fn drop_ins(path: &HostPath) -> Option<String> {
    let text = path.as_str();
    let listed = DROP_INS.iter().find(|(file, _)| *file == text);
    if let Some((_, directory)) = listed {
        return Some((*directory).to_owned());
    }
    let of_systemd = text.strip_prefix("/etc/systemd/")?;
    let is_settings = !of_systemd.contains('/') && of_systemd.strip_suffix(".conf").is_some();
    is_settings.then(|| format!("{text}.d"))
}

/// A directory that was made on the way to a file of ours.
fn made_by_us(ground: &Ground<'_>, subject: &Subject<'_>) -> bool {
    ground.at.owned.originals.get(subject.path) == Some(&PathState::Absent)
}

fn how_to_take(path: &HostPath) -> String {
    let besides = drop_ins(path).map_or(String::new(), |directory| {
        format!("put what differs into a file in {directory}, which is read besides it; or ")
    });
    format!(
        "{besides}say `on_conflict: backup` to take it over and keep the original, or `on_conflict: adopt` to take it \
         over without keeping it, or remove it"
    )
}

/// A file or link of somebody else's.
fn taken(subject: &Subject<'_>, draft: &mut Draft) {
    let change = match subject.entry.on_conflict {
        OnConflict::Refuse => {
            return draft.conflict(
                subject.path,
                format!("{} is in its place", words(&subject.found)),
                how_to_take(subject.path),
            );
        }
        OnConflict::Adopt => PathChange::Adopt,
        OnConflict::Backup => PathChange::Backup,
    };
    if subject.is_directory_wanted() {
        clear(subject.path, &subject.found, draft);
    }
    subject.write(change, draft);
}
