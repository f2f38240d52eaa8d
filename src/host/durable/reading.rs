//! Reading a whole file, of bounded size, without waiting for somebody who never comes.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::host::{FileError, FileErrorKind};

/// Reads `path`, at most `limit_bytes` of it; `None` if there is no such file. What a shell writes as `<(command)` is read
/// to its end.
///
/// # Errors
/// [`FileErrorKind::TooLarge`], or the kernel's refusal: unreadable is not missing. A named pipe that nobody has open for
/// writing is not waited for.
pub fn read(path: &Path, limit_bytes: u64) -> Result<Option<Vec<u8>>, FileError> {
    let failed = |source: io::Error| FileError::io("read", path, source);
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let found = file.metadata().map_err(failed)?;
    let expected = if found.is_file() { found.len() } else { 0 };
    // One more, so that the end is seen with the same call; what is said to be huge is not believed.
    let room = usize::try_from(expected.min(limit_bytes)).unwrap_or_default() + 1;
    let mut content = Vec::with_capacity(room);
    if found.file_type().is_fifo() {
        content.extend(first_of_pipe(&mut file).map_err(failed)?);
    }
    if !found.is_file() {
        wait_from_now_on(&file).map_err(failed)?;
    }
    let left = limit_bytes.saturating_add(1) - content.len() as u64;
    file.take(left).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > limit_bytes {
        let kind = FileErrorKind::TooLarge { limit_bytes };
        return Err(FileError::new("read", path, kind));
    }
    Ok(Some(content))
}

/// What a pipe has ready; nothing where its writer has written nothing yet.
fn first_of_pipe(pipe: &mut File) -> io::Result<Vec<u8>> {
    let mut first = vec![0; 4096];
    match pipe.read(&mut first) {
        Ok(0) => return Err(io::Error::other("it is a pipe that nobody writes to")),
        Ok(length) => first.truncate(length),
        Err(error) if error.kind() == ErrorKind::WouldBlock => first.clear(),
        Err(error) => return Err(error),
    }
    Ok(first)
}

fn wait_from_now_on(file: &File) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(file)?;
    Ok(rustix::fs::fcntl_setfl(file, flags - OFlags::NONBLOCK)?)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::mpsc;
    use std::thread;

    use rustix::fs::{CWD, FileType, Mode};

    use super::*;

    fn pipe() -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe");
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        (directory, path)
    }

    #[test]
    fn a_pipe_without_a_writer_is_not_waited_for() {
        let (_directory, path) = pipe();
        let error = read(&path, 100).unwrap_err();
        assert_eq!(error.kind.to_string(), "it is a pipe that nobody writes to");
    }

    #[test]
    fn a_pipe_is_read_to_its_end_however_slow_its_writer_is() {
        let (_directory, path) = pipe();
        // Open at both ends, so that neither waits for the other.
        let writer = OpenOptions::new().read(true).write(true).open(&path);
        let mut writer = writer.unwrap();
        let (asked, begun) = mpsc::channel();
        let reader = thread::spawn(move || {
            asked.send(()).unwrap();
            read(&path, 100)
        });
        begun.recv().unwrap();
        writer.write_all(b"one ").unwrap();
        thread::yield_now();
        writer.write_all(b"two").unwrap();
        // The end comes when the last writer goes; the reader may not have begun yet, and then finds nobody.
        let length = b"one two".len();
        while rustix::io::ioctl_fionread(&writer).unwrap() > 0 {
            thread::yield_now();
        }
        drop(writer);
        let content = reader.join().unwrap().unwrap().unwrap();
        assert_eq!(content.len(), length);
    }

    #[test]
    fn what_is_larger_than_the_limit_is_refused_and_what_is_as_large_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        File::create(&path).unwrap().write_all(b"seven..").unwrap();
        assert_eq!(read(&path, 7).unwrap().unwrap(), b"seven..");
        let error = read(&path, 6).unwrap_err();
        assert!(matches!(
            error.kind,
            FileErrorKind::TooLarge { limit_bytes: 6 }
        ));
        assert!(read(&directory.path().join("none"), 7).unwrap().is_none());
        assert!(read(directory.path(), 7).is_err());
    }
}
