//! Hints that something managed changed: inotify on the directories that managed paths lie in.
//!
//! A hint only makes a look come sooner. What the kernel does not tell of is found by the next look all the same: writes
//! through a memory map or through a hard link elsewhere, changes on the server of a network file system, and what lies in
//! directories beyond [`MOST_DIRECTORIES`].

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::fs::inotify::{
    CreateFlags, Event, ReadFlags, Reader, WatchFlags, add_watch, init, remove_watch,
};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;
use tracing::{debug, warn};

use super::{Host, HostPath};

/// Most directories that are watched; each takes about a kilobyte of the kernel.
const MOST_DIRECTORIES: usize = 8192;

const CHANGES: WatchFlags = WatchFlags::MODIFY
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::CREATE)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR)
    .union(WatchFlags::EXCL_UNLINK);

/// What is to be watched: directories, and which names in them matter.
#[derive(Debug, Clone, Default)]
pub struct WatchList {
    directories: Vec<HostPath>,
    /// Hashes of paths: ten thousand of them are to cost next to nothing. A hash that two paths share costs a look.
    names: HashSet<u64>,
}

impl WatchList {
    /// Changes of `paths`, and of the directories above them: those may be replaced as a whole.
    #[must_use]
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a HostPath>) -> Self {
        let mut list = Self::default();
        let mut directories: HashSet<HostPath> = HashSet::new();
        for path in paths {
            list.names.insert(hash_of(path));
            for above in path.ancestors() {
                list.names.insert(hash_of(&above));
                if !directories.insert(above) {
                    break;
                }
            }
        }
        list.directories = directories.into_iter().collect();
        list.directories.sort();
        list.directories.truncate(MOST_DIRECTORIES);
        list.names.shrink_to_fit();
        list
    }
}

/// The watches that stand.
#[derive(Debug)]
pub struct FileWatch {
    inotify: Option<AsyncFd<OwnedFd>>,
    list: WatchList,
    /// The directory of each watch.
    standing: HashMap<i32, HostPath>,
}

impl FileWatch {
    /// Watches nothing yet. Where the kernel gives no watches at all, nothing is ever noticed. Needs a tokio runtime.
    #[must_use]
    pub fn new() -> Self {
        #[expect(
            deprecated,
            reason = "its successor is unsafe; an `OwnedFd` stays the same open descriptor, which is all it asks for"
        )]
        let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)
            .map_err(std::io::Error::from)
            .and_then(AsyncFd::new);
        let inotify = inotify
            .inspect_err(|error| warn!(%error, "managed files are not watched; they are scanned"))
            .ok();
        Self {
            inotify,
            list: WatchList::default(),
            standing: HashMap::new(),
        }
    }

    /// Watches what `list` says from now on.
    pub fn follow(&mut self, host: &Host, list: WatchList) {
        self.list = list;
        self.renew(host);
    }

    /// Sets the watches again: a directory that was replaced is another one by now.
    pub fn renew(&mut self, host: &Host) {
        let Some(inotify) = &self.inotify else { return };
        let mut standing = HashMap::new();
        for directory in &self.list.directories {
            // By handle, so that no link on the way is followed.
            let Ok(handle) = host.root.open(directory, OFlags::PATH | OFlags::DIRECTORY) else {
                // It is not there; the one above tells when it comes.
                continue;
            };
            let by_handle = format!("/proc/self/fd/{}", handle.as_raw_fd());
            match add_watch(inotify.get_ref(), by_handle.as_str(), CHANGES) {
                Ok(watch) => {
                    standing.insert(watch, directory.clone());
                }
                Err(errno) => {
                    warn!(%directory, error = %errno, "the directory is not watched; it is scanned");
                    if errno == Errno::NOSPC {
                        break;
                    }
                }
            }
        }
        for watch in self.standing.keys() {
            if !standing.contains_key(watch) {
                // The kernel takes the watch of a removed directory away by itself.
                let _ = remove_watch(inotify.get_ref(), *watch);
            }
        }
        debug!(directories = standing.len(), "managed files are watched");
        self.standing = standing;
    }

    /// Waits until something that matters changed.
    pub async fn changed(&mut self) {
        loop {
            let Some(inotify) = &self.inotify else {
                return std::future::pending().await;
            };
            let Ok(mut ready) = inotify.readable().await else {
                return std::future::pending().await;
            };
            let seen = self.drain(ready.get_inner());
            ready.clear_ready();
            if seen {
                return;
            }
        }
    }

    /// Takes what the kernel has to tell; whether any of it matters.
    fn drain(&self, inotify: &OwnedFd) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(inotify, &mut buffer);
        let mut matters = false;
        // Ends with the kernel's WOULDBLOCK, when everything is read.
        while let Ok(event) = reader.next() {
            matters = matters || self.matters(&event);
        }
        matters
    }

    fn matters(&self, event: &Event<'_>) -> bool {
        let flags = event.events();
        if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            return true;
        }
        let Some(directory) = self.standing.get(&event.wd()) else {
            return false;
        };
        match event.file_name() {
            Some(name) => self.list.names.contains(&hash(directory, name.to_bytes())),
            // The directory itself: its owner and mode are told by the one above.
            None => {
                flags.intersects(ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::UNMOUNT)
            }
        }
    }
}

impl Default for FileWatch {
    fn default() -> Self {
        Self::new()
    }
}

fn hash_of(path: &HostPath) -> u64 {
    match path.parent() {
        Some(parent) => hash(&parent, path.file_name().as_bytes()),
        None => 0,
    }
}

fn hash(directory: &HostPath, name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    directory.as_str().hash(&mut hasher);
    name.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
