use std::time::Duration;

use super::*;

struct Bed {
    directory: tempfile::TempDir,
    host: Host,
    watch: FileWatch,
}

impl Bed {
    fn new(paths: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::below(directory.path()).unwrap();
        let mut bed = Self {
            directory,
            host,
            watch: FileWatch::new(),
        };
        for path in paths {
            bed.write(path, "first");
        }
        let paths: Vec<HostPath> = paths
            .iter()
            .map(|path| HostPath::new(*path).unwrap())
            .collect();
        bed.watch.follow(&bed.host, WatchList::of(&paths));
        bed
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        self.directory.path().join(&path[1..])
    }

    #[expect(clippy::disallowed_methods, reason = "a test's own temporary file")]
    fn write(&self, path: &str, text: &str) {
        std::fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        std::fs::write(self.at(path), text).unwrap();
    }

    /// Whether something was noticed; the kernel tells before the call that changed something returns.
    async fn noticed(&mut self) -> bool {
        let patience = Duration::from_millis(400);
        let noticed = tokio::time::timeout(patience, self.watch.changed())
            .await
            .is_ok();
        self.watch.renew(&self.host);
        noticed
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future)
}

#[test]
fn changes_of_what_is_managed_are_noticed_and_others_are_not() {
    block_on(async {
        let mut bed = Bed::new(&["/etc/app/a.conf", "/etc/app/b.conf"]);
        assert!(!bed.noticed().await);
        bed.write("/etc/app/a.conf", "edited");
        assert!(bed.noticed().await, "content");
        bed.write("/etc/app/c.conf", "not ours");
        bed.write("/etc/other", "not ours");
        assert!(!bed.noticed().await, "what is not managed");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(bed.at("/etc/app/b.conf"), mode).unwrap();
        assert!(bed.noticed().await, "mode");
        bed.write("/etc/app/new", "beside");
        std::fs::rename(bed.at("/etc/app/new"), bed.at("/etc/app/a.conf")).unwrap();
        assert!(bed.noticed().await, "a rename over it");
        std::fs::remove_file(bed.at("/etc/app/a.conf")).unwrap();
        assert!(bed.noticed().await, "removal");
        assert!(!bed.noticed().await);
    });
}

#[test]
fn a_directory_that_is_replaced_as_a_whole_is_noticed_and_watched_again() {
    block_on(async {
        let mut bed = Bed::new(&["/etc/app/conf.d/a.conf"]);
        std::fs::rename(bed.at("/etc/app"), bed.at("/etc/old")).unwrap();
        assert!(bed.noticed().await, "a directory further up is gone");
        bed.write("/etc/app/conf.d/a.conf", "another");
        assert!(bed.noticed().await, "and there again");
        bed.write("/etc/app/conf.d/a.conf", "edited");
        assert!(bed.noticed().await, "an edit in the new one");
        bed.write("/etc/old/conf.d/a.conf", "edited");
        assert!(!bed.noticed().await, "an edit in the old one");
    });
}

#[test]
fn an_overflow_counts_as_a_change() {
    block_on(async {
        let mut bed = Bed::new(&["/etc/a"]);
        let most = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
        let most: usize = most.trim().parse().unwrap();
        let mut files = ["/etc/b", "/etc/c"].map(|path| {
            bed.write(path, "");
            std::fs::File::create(bed.at(path)).unwrap()
        });
        // Two files in turn: the same event twice in a row is told once.
        for _ in 0..=most / 2 {
            for file in &mut files {
                std::io::Write::write_all(file, b"x").unwrap();
            }
        }
        assert!(bed.noticed().await);
    });
}
