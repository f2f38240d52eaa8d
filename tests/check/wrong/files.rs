//! Files of the repository: names, places, what is not there.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use steadfast::source::Snapshot;

use super::{shown, wrong};
use crate::world::said;

const KEY: &[u8] =
    b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIvRj2f8PQWNdMcWeQl5ZVqdMuO5bAmiGnDUOMRJqSyD root@web\n";

wrong! {
    a_host_folder_without_its_file: ["hosts/web/host.yml": b"{}\n", "hosts/db/notes.txt": b"to do\n"];
    a_host_file_with_another_ending: ["hosts/web/host.yaml": b"packages: [curl]\n"];
    a_host_name_that_is_none: ["hosts/web/host.yml": b"{}\n", "hosts/Web_1/host.yml": b"{}\n"];
    a_module_file_with_another_name: ["hosts/web/host.yml": b"modules: { base: }\n", "modules/base/base.yml": b"{}\n"];
    a_module_name_that_is_none: ["hosts/web/host.yml": b"{}\n", "modules/My_Module/module.yml": b"{}\n"];
    a_person_with_another_ending: ["hosts/web/host.yml": b"users: [anna]\n", "users/anna.yaml": b"uid: 1500\n"];
    a_file_that_is_not_there: ["hosts/web/host.yml": b"files:\n  /etc/app.conf: { file: app.cnf }\n", "hosts/web/app.conf": b"a\n"];
    a_file_that_lies_at_the_root: ["hosts/web/host.yml": b"files:\n  /etc/app.conf: { file: shared/app.conf }\n", "shared/app.conf": b"a\n"];
    a_file_outside_of_the_repository: ["hosts/web/host.yml": b"files:\n  /etc/app.conf: { file: ../../../etc/passwd }\n"];
    a_folder_in_place_of_a_file: ["hosts/web/host.yml": b"files:\n  /etc/app.conf: { file: conf }\n", "hosts/web/conf/app.conf": b"a\n"];
    two_hosts_with_one_key: ["hosts/web/host.yml": b"{}\n", "hosts/db/host.yml": b"{}\n", "hosts/web/ssh_host_ed25519_key.pub": KEY, "hosts/db/ssh_host_ed25519_key.pub": KEY];
    rules_for_secrets_with_another_ending: ["hosts/web/host.yml": b"{}\n", ".sops.yml": b"creation_rules: []\n"];
}

/// Repositories in a folder, where there are links and sizes.
fn said_in_folder(host: &[u8], fill: impl FnOnce(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let web = folder.path().join("hosts/web");
    std::fs::create_dir_all(&web).unwrap();
    File::create(web.join("host.yml"))
        .unwrap()
        .write_all(host)
        .unwrap();
    fill(&web);
    said(&Snapshot::of_folder(folder.path()).unwrap())
}

#[test]
fn a_link_out_of_the_repository() {
    let host = b"files:\n  /etc/copy: { file: shadow }\n";
    let said = said_in_folder(host, |web| {
        symlink("/etc/shadow", web.join("shadow")).unwrap();
    });
    shown!("a_link_out_of_the_repository", said);
}

#[test]
fn a_host_file_that_is_a_link() {
    let host = b"{}\n";
    let said = said_in_folder(host, |web| {
        let other = web.with_file_name("db");
        std::fs::create_dir(&other).unwrap();
        symlink("../web/host.yml", other.join("host.yml")).unwrap();
    });
    shown!("a_host_file_that_is_a_link", said);
}

#[test]
fn a_file_of_two_megabytes() {
    let host = b"files:\n  /etc/app.conf: { file: app.conf }\n";
    let said = said_in_folder(host, |web| {
        let mut file = File::create(web.join("app.conf")).unwrap();
        file.write_all(&vec![b'x'; 2 * 1024 * 1024]).unwrap();
    });
    shown!("a_file_of_two_megabytes", said);
}
