//! Reading the accounts of a machine from its files.

use std::collections::BTreeMap;
use std::io;

use super::AccountError;
use super::records::{Table, hash_of, is_locked_hash};
use crate::host::{
    AccountState, Accounts, Digest, FileError, FileErrorKind, GroupName, GroupState, Host,
    HostPath, SubIds, UserName, clock,
};

/// Largest file of accounts that is read.
const FILE_BYTES: u64 = 64 * 1024 * 1024;

/// A file of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    Passwd,
    Group,
    Shadow,
    Gshadow,
    Subuid,
    Subgid,
}

impl File {
    fn name(self) -> &'static str {
        match self {
            Self::Passwd => "passwd",
            Self::Group => "group",
            Self::Shadow => "shadow",
            Self::Gshadow => "gshadow",
            Self::Subuid => "subuid",
            Self::Subgid => "subgid",
        }
    }

    pub(super) fn path(self) -> Result<HostPath, FileError> {
        let text = format!("/etc/{}", self.name());
        HostPath::new(&text)
            .map_err(|invalid| FileError::io("name", text.as_ref(), io::Error::other(invalid)))
    }

    /// What a machine without the file has: the superuser alone.
    pub(super) fn initial(self) -> Table {
        Table::parse(match self {
            Self::Passwd => "root:x:0:0:root:/root:/bin/bash\n",
            Self::Group => "root:x:0:\n",
            Self::Shadow => "root:*:::::::\n",
            Self::Gshadow => "root:*::\n",
            Self::Subuid | Self::Subgid => "",
        })
    }

    /// The file's records; `None` if there is no such file.
    pub(super) fn read(self, host: &Host) -> Result<Option<Table>, FileError> {
        let content = host.read_file(&self.path()?, FILE_BYTES)?;
        Ok(content.map(|content| Table::parse(&String::from_utf8_lossy(&content))))
    }
}

/// What the shadow file says of one account.
struct Shadow {
    password_locked: bool,
    is_expired: bool,
    expires: Option<i64>,
    digest: Option<Digest>,
}

impl Shadow {
    fn is_locked(&self) -> bool {
        self.password_locked || self.is_expired
    }
}

impl Host {
    /// All accounts and groups of the machine's own files. Names that no configuration can spell are left out.
    ///
    /// Below a root without account files there is the superuser alone, as the first change would make it.
    ///
    /// # Errors
    /// [`AccountError::File`]. A shadow file that may not be read is not an error: what it says is then unknown.
    pub fn accounts(&self) -> Result<Accounts, AccountError> {
        let passwd = File::Passwd.read(self)?;
        let group = File::Group.read(self)?;
        let shadow = match File::Shadow.read(self) {
            Ok(table) => Some(table.unwrap_or_else(|| File::Shadow.initial())),
            Err(error) if is_denied(&error) => None,
            Err(error) => return Err(error.into()),
        };
        let shadow = shadow.as_ref().map(shadows);
        let mut accounts = Accounts::default();
        for fields in passwd.unwrap_or_else(|| File::Passwd.initial()).records(7) {
            let (Ok(name), Ok(uid), Ok(gid)) = (
                UserName::new(fields[0]),
                fields[2].parse(),
                fields[3].parse(),
            ) else {
                continue;
            };
            let secret = shadow.as_ref().map(|shadow| shadow.get(fields[0]));
            let state = AccountState {
                uid,
                gid,
                description: fields[4].to_owned(),
                home: fields[5].to_owned(),
                shell: fields[6].to_owned(),
                locked: secret.map(|secret| secret.is_some_and(Shadow::is_locked)),
                password_locked: secret
                    .map(|secret| secret.is_some_and(|secret| secret.password_locked)),
                expires: secret.flatten().and_then(|secret| secret.expires),
                password_digest: secret.flatten().and_then(|secret| secret.digest.clone()),
            };
            // The first record of a name counts, as it does for the C library.
            accounts.users.entry(name).or_insert(state);
        }
        for fields in group.unwrap_or_else(|| File::Group.initial()).records(4) {
            let (Ok(name), Ok(gid)) = (GroupName::new(fields[0]), fields[2].parse()) else {
                continue;
            };
            let members = fields[3].split(',').filter(|member| !member.is_empty());
            let state = GroupState {
                gid,
                members: members.map(str::to_owned).collect(),
            };
            accounts.groups.entry(name).or_insert(state);
        }
        accounts.subuids = ranges(File::Subuid.read(self)?);
        accounts.subgids = ranges(File::Subgid.read(self)?);
        Ok(accounts)
    }
}

/// `NAME:START:COUNT`, a line each.
fn ranges(table: Option<Table>) -> BTreeMap<String, Vec<SubIds>> {
    let mut ranges: BTreeMap<String, Vec<SubIds>> = BTreeMap::new();
    for fields in table.unwrap_or_default().records(3) {
        if let (Ok(start), Ok(count)) = (fields[1].parse(), fields[2].parse()) {
            let of_name = ranges.entry(fields[0].to_owned()).or_default();
            of_name.push(SubIds { start, count });
        }
    }
    ranges
}

fn shadows(table: &Table) -> BTreeMap<String, Shadow> {
    let today = clock::now_secs() / 86_400;
    let mut shadows = BTreeMap::new();
    for fields in table.records(2) {
        let expires: Option<i64> = fields.get(7).and_then(|day| day.parse().ok());
        let shadow = Shadow {
            password_locked: is_locked_hash(fields[1]),
            is_expired: expires.is_some_and(|day| day <= today),
            expires,
            digest: hash_of(fields[1]).map(|hash| Digest::of(hash.as_bytes())),
        };
        shadows.entry(fields[0].to_owned()).or_insert(shadow);
    }
    shadows
}

fn is_denied(error: &FileError) -> bool {
    matches!(&error.kind, FileErrorKind::Io(source) if source.kind() == io::ErrorKind::PermissionDenied)
}
