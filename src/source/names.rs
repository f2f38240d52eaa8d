//! The nouns of a repository.

use crate::name::checked_name;

checked_name!(
    /// A full SHA-1 commit id: 40 lower-case hex digits.
    CommitId, "commit id", |text| {
        if text.len() == 40 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            Ok(())
        } else {
            Err("must be 40 lower-case hex digits")
        }
    }
);

impl CommitId {
    /// The first twelve digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.as_str()[..12]
    }
}

checked_name!(
    /// A path inside the config repository: relative, `/`-separated, no `.`, `..`, `.git` or empty part.
    RepoPath, "repository path", |text| {
        if text.is_empty() || text.len() > 1024 {
            return Err("must be 1 to 1024 bytes");
        }
        if text.contains(['\0', '\n', '\\']) {
            return Err("must not contain NUL, a line break or a backslash");
        }
        for part in text.split('/') {
            if part.is_empty() || part == "." || part == ".." {
                return Err("must be relative, without empty, `.` or `..` parts");
            }
            if part.eq_ignore_ascii_case(".git") {
                return Err("must not contain `.git`");
            }
        }
        Ok(())
    }
);

impl RepoPath {
    /// Appends `below`, which may have several parts.
    ///
    /// # Errors
    /// [`InvalidName`](crate::host::InvalidName) if the result leaves the repository.
    pub fn join(&self, below: &str) -> Result<Self, crate::host::InvalidName> {
        Self::new(format!("{}/{below}", self.as_str()))
    }
}

checked_name!(
    /// The name of an input: another repository whose modules this one uses.
    InputName, "input name", |text| {
        if text.is_empty() || text.len() > 64 {
            return Err("must be 1 to 64 characters");
        }
        if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err("must begin with a lower-case letter");
        }
        if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err("may contain only lower-case letters, digits and `-`");
        }
        Ok(())
    }
);
