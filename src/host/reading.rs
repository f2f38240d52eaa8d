//! Reading as a program on the host would: links are followed, but never out of the root.

use std::fs::File;
use std::io::Read;

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;

use super::root::kind_in_words;
use super::{FileError, FileErrorKind, FileMode, Host, HostPath};

impl Host {
    /// Mode and content of the file that a program gets when it opens `path`; `None` if there is nothing. An absolute
    /// link leads from the host's root on, also below a `--root`.
    ///
    /// # Errors
    /// [`FileErrorKind::InTheWay`] if it is not a regular file, [`FileErrorKind::TooLarge`], or the kernel's refusal.
    pub fn read_through_links(
        &self,
        path: &HostPath,
        limit_bytes: u64,
    ) -> Result<Option<(FileMode, Vec<u8>)>, FileError> {
        let failed = |kind| FileError::new("read", &self.real_path(path), kind);
        let io = |errno: Errno| failed(FileErrorKind::Io(errno.into()));
        // A FIFO without a writer must not hold us.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let opened = loop {
            match openat2(
                &self.root.fd,
                path.relative(),
                flags,
                Mode::empty(),
                resolve,
            ) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
                result => break result.map_err(io)?,
            }
        };
        let found = fstat(&opened).map_err(io)?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            let what = kind_in_words(found.st_mode);
            return Err(failed(FileErrorKind::InTheWay { what }));
        }
        let mut content = Vec::new();
        File::from(opened)
            .take(limit_bytes.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(|source| failed(FileErrorKind::Io(source)))?;
        if content.len() as u64 > limit_bytes {
            return Err(failed(FileErrorKind::TooLarge { limit_bytes }));
        }
        Ok(Some((FileMode::from_bits(found.st_mode), content)))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_inside_the_root_and_never_out_of_it() {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::below(&directory.path().join("root")).unwrap();
        let at = |path: &str| host.root().join(path);
        std::fs::create_dir_all(at("run/secrets.d/1")).unwrap();
        super::super::durable::replace(&at("run/secrets.d/1/a"), b"x", FileMode::from_bits(0o400))
            .unwrap();
        symlink("secrets.d/1", at("run/secrets")).unwrap();
        symlink("/run/secrets/a", at("absolute")).unwrap();
        symlink("../../../../etc/hostname", at("outside")).unwrap();
        let read = |path: &str| {
            host.read_through_links(&HostPath::new(path).unwrap(), 10)
                .unwrap()
        };
        let expected = Some((FileMode::from_bits(0o400), b"x".to_vec()));
        assert_eq!(read("/run/secrets/a"), expected);
        assert_eq!(read("/absolute"), expected);
        assert_eq!(read("/outside"), None);
        assert_eq!(read("/nothing"), None);
        assert!(
            host.read_through_links(&HostPath::new("/run").unwrap(), 10)
                .is_err()
        );
    }
}
