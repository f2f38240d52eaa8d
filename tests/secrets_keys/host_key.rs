//! `secrets host-key`.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::world::{ALICE, World, stderr, stdout};

const PUBLIC: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBOCdSWjIMfzszdPo7IKIjJSHWCqqJzCc1q6X8BSXLQc";
const SECOND: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDytOFQ3LZoucxud6q/igGkYlsVFTk+aQbIJ8vw0/Zi9";

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/ssh-to-age")
}

fn keygen(world: &World, name: &str, kind: &str, passphrase: &str) -> PathBuf {
    let path = world.at(name);
    world
        .command(Path::new("ssh-keygen"))
        .args([
            "-q",
            "-t",
            kind,
            "-N",
            passphrase,
            "-C",
            "root@chicago",
            "-f",
        ])
        .arg(&path)
        .assert()
        .success();
    path
}

#[test]
fn every_key_of_known_hosts_is_printed_and_the_others_are_named() {
    let world = World::new(&[]);
    let rsa = keygen(&world, "rsa", "rsa", "");
    let rsa = std::fs::read_to_string(rsa.with_extension("pub")).unwrap();
    let lines = format!("chicago {PUBLIC}\nchicago {rsa}dallas,10.0.0.2 {SECOND}\n");
    let file = world.write("known_hosts", &lines);
    let file = file.to_str().unwrap();
    let printed = world
        .secrets(&["host-key", "--file", file])
        .assert()
        .success();
    insta::assert_snapshot!(stdout(&printed), @r"
    name        chicago
    age         age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga
    ssh         ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBOCdSWjIMfzszdPo7IKIjJSHWCqqJzCc1q6X8BSXLQc
    fingerprint SHA256:vFeo7Itv7i9r7JgdDSJ21k6yeygQ4vZLwSBSe1FLwfA

    name        dallas,10.0.0.2
    age         age1wngts0hzghfwf90yt6fcaegx3qy7frfka7c4ath89x6ufe4n0p7sunzey0
    ssh         ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDytOFQ3LZoucxud6q/igGkYlsVFTk+aQbIJ8vw0/Zi9
    fingerprint SHA256:QRTiXZyPpM8qgexqVBW/HNPu0FiNaC2XLoLMMPJYDPE
    ");
    assert_eq!(
        stderr(&printed),
        "line 2 is skipped: it has a key of type ssh-rsa, and only ed25519 keys can be converted\n"
    );
    let only = ["host-key", "--file", file, "--only", "age"];
    let only = stdout(&world.secrets(&only).assert().success());
    assert_eq!(only.lines().next(), Some(ALICE[0]));
    assert_eq!(only.lines().count(), 2);
}

#[test]
fn keys_of_other_types_are_refused_with_a_way_on() {
    let world = World::new(&[]);
    for (kind, passphrase) in [("rsa", ""), ("rsa", "x1234567"), ("ecdsa", "")] {
        let key = keygen(
            &world,
            &format!("{kind}{}", passphrase.len()),
            kind,
            passphrase,
        );
        for file in [key.clone(), key.with_extension("pub")] {
            let file = file.to_str().unwrap();
            let refused = world
                .secrets(&["host-key", "--file", file])
                .assert()
                .code(1);
            let said = stderr(&refused);
            assert!(said.contains(kind) && said.contains("ed25519"), "{said}");
            assert!(said.contains("fix:"), "{said}");
        }
    }
}

#[test]
fn a_private_key_is_shown_only_when_that_is_said() {
    let world = World::new(&[]);
    let file = vectors().join("vector1");
    let file = file.to_str().unwrap();
    let public = world
        .secrets(&["host-key", "--file", file])
        .assert()
        .success();
    assert!(!stdout(&public).contains("SECRET"));
    let args = ["host-key", "--file", file, "--private-key"];
    let private = world.secrets(&args).assert().success();
    assert_eq!(stdout(&private), format!("{}\n", ALICE[1]));
    assert_eq!(stderr(&private), "");
    let public = vectors().join("vector1.pub");
    let args = [
        "host-key",
        "--private-key",
        "--file",
        public.to_str().unwrap(),
    ];
    let refused = world.secrets(&args).assert().code(1);
    assert!(stderr(&refused).contains("is a public key, not a private one"));
}

#[test]
fn a_protected_key_shows_its_public_forms_without_the_passphrase_and_its_private_one_with() {
    let world = World::new(&[]);
    let key = keygen(&world, "key", "ed25519", "correct horse");
    let file = key.to_str().unwrap();
    let forms = |file: &str| {
        let args = ["host-key", "--only", "age", "--file", file];
        stdout(&world.secrets(&args).assert().success())
    };
    let public = key.with_extension("pub");
    assert_eq!(forms(file), forms(public.to_str().unwrap()));

    let args = ["host-key", "--private-key", "--file", file];
    let refused = world.unattended(&args).assert().code(1);
    let said = stderr(&refused);
    assert!(
        said.contains("needs a passphrase, and there is no terminal"),
        "{said}"
    );
    assert!(said.contains("SSH_TO_AGE_PASSPHRASE"), "{said}");
    for (passphrase, code) in [("wrong", 1), ("correct horse", 0)] {
        let private = world
            .secrets(&args)
            .env("SSH_TO_AGE_PASSPHRASE", passphrase)
            .assert()
            .code(code);
        assert_eq!(stdout(&private).starts_with("AGE-SECRET-KEY-1"), code == 0);
        assert!(!stderr(&private).contains(passphrase));
    }
}

/// A real sshd on the loopback; ends when dropped.
struct Sshd {
    process: Child,
    port: u16,
}

impl Sshd {
    /// `None` where there is no sshd.
    fn start(world: &World, key: &Path) -> Option<Self> {
        const SSHD: &str = "/usr/sbin/sshd";
        let separation = Path::new("/run/sshd");
        let can_separate = separation.exists() || std::fs::create_dir(separation).is_ok();
        if !Path::new(SSHD).exists() || !can_separate {
            println!("SKIP keyscan: no sshd");
            return None;
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let config = world.write(
            "sshd_config",
            &format!(
                "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nUsePAM no\nStrictModes no\n",
                key.display()
            ),
        );
        #[expect(clippy::disallowed_methods, reason = "a server that outlives the call")]
        let process = std::process::Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, port };
        for _ in 0..200 {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
                let mut banner = [0; 4];
                if stream.read_exact(&mut banner).is_ok() && &banner == b"SSH-" {
                    return Some(server);
                }
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("sshd does not answer");
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_host_is_asked_for_its_key_and_its_fingerprint_is_that_of_ssh_keygen() {
    let world = World::new(&[]);
    let key = keygen(&world, "host", "ed25519", "");
    let Some(server) = Sshd::start(&world, &key) else {
        return;
    };
    let place = format!("127.0.0.1:{}", server.port);
    let scanned = world
        .secrets(&["host-key", "--ssh-keyscan", &place])
        .assert()
        .success();
    let listed = world
        .command(Path::new("ssh-keygen"))
        .arg("-lf")
        .arg(key.with_extension("pub"))
        .assert()
        .success();
    let listed = stdout(&listed);
    let fingerprint = listed.split(' ').nth(1).unwrap();
    assert!(fingerprint.starts_with("SHA256:"));
    let said = stdout(&scanned);
    assert!(
        said.contains(&format!("fingerprint {fingerprint}\n")),
        "{said}"
    );
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let public = public.trim().trim_end_matches(" root@chicago");
    assert!(said.contains(&format!("ssh         {public}\n")), "{said}");
}

#[test]
fn a_host_with_another_key_only_is_told_from_one_that_does_not_answer() {
    let world = World::new(&[]);
    let key = keygen(&world, "host", "rsa", "");
    let Some(server) = Sshd::start(&world, &key) else {
        return;
    };
    let place = format!("127.0.0.1:{}", server.port);
    let refused = world
        .secrets(&["host-key", "--ssh-keyscan", &place])
        .assert()
        .code(1);
    let said = stderr(&refused);
    assert!(
        said.contains("only ssh-rsa") && said.contains("ssh-keygen -A"),
        "{said}"
    );
    drop(server);
    let refused = world
        .secrets(&["host-key", "--ssh-keyscan", &place])
        .assert()
        .code(1);
    assert!(stderr(&refused).contains(&format!("{place} gives no host key")));
    let refused = world
        .secrets(&["host-key", "--ssh-keyscan", "-x"])
        .assert()
        .code(2);
    assert!(stderr(&refused).contains("error:"));
}
