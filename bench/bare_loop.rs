//! The least that writing files durably costs: temp, write, fsync, rename for each, one fsync of the directory at the end.
//!
//! `bare_loop FROM TO` writes every file of the directory FROM into the directory TO, which it makes.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, from, to] = arguments.as_slice() else { panic!("usage: bare_loop FROM TO") };
    let to = Path::new(to);
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let content = fs::read(entry.path())?;
        let temporary = to.join(".temporary");
        let mut file = File::create(&temporary)?;
        file.write_all(&content)?;
        file.sync_all()?;
        fs::rename(&temporary, to.join(entry.file_name()))?;
    }
    File::open(to)?.sync_all()
}
