//! A real sshd on the loopback, run by the test's own user.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::git::command;
use super::{keygen, run};
use crate::source::{Limits, Remote, SshAccess, Transport};

/// sshd with one host key and one authorized client key; ends when dropped.
pub(in crate::source) struct SshServer {
    folder: TempDir,
    process: Child,
    port: u16,
    user: String,
}

/// Whether the server takes `GIT_PROTOCOL` from the client, which decides the protocol's version.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::source) enum AcceptEnv {
    Protocol,
    Nothing,
}

impl SshServer {
    /// Starts it; `None` where there is no sshd.
    pub(in crate::source) fn start(accept: AcceptEnv) -> Option<Self> {
        const SSHD: &str = "/usr/sbin/sshd";
        let privilege_separation = Path::new("/run/sshd");
        // Debian's ssh.service makes it; where it never ran and nobody may, there is no sshd to test with.
        let can_separate =
            privilege_separation.exists() || std::fs::create_dir(privilege_separation).is_ok();
        if !Path::new(SSHD).exists() || !can_separate {
            return None;
        }
        let folder = TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        keygen(folder.path(), "server", "ed25519");
        let client = keygen(folder.path(), "client", "ed25519");
        std::fs::copy(client.with_extension("pub"), at("authorized_keys")).unwrap();
        let port = free_port();
        let mut config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
             StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
             SetEnv GIT_CONFIG_GLOBAL=/dev/null\n",
            at("server").display(),
            at("authorized_keys").display()
        );
        if accept == AcceptEnv::Protocol {
            config.push_str("AcceptEnv GIT_PROTOCOL\n");
        }
        write(&at("sshd_config"), &config);
        let process = command(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(at("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(at("log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self {
            user: run(command("id").arg("-un"), b""),
            folder,
            process,
            port,
        };
        server.pin(&server.known_hosts(), "server.pub");
        server.wait();
        Some(server)
    }

    fn wait(&self) {
        for _ in 0..200 {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                let mut banner = [0_u8; 4];
                if stream.read_exact(&mut banner).is_ok() && &banner == b"SSH-" {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("sshd does not answer: {log}");
    }

    pub(in crate::source) fn known_hosts(&self) -> PathBuf {
        self.folder.path().join("known_hosts")
    }

    /// Writes `file` so that it pins the public key in `public_key` for this server.
    pub(in crate::source) fn pin(&self, file: &Path, public_key: &str) {
        let key = std::fs::read_to_string(self.folder.path().join(public_key)).unwrap();
        write(file, &format!("[127.0.0.1]:{} {key}", self.port));
    }

    pub(in crate::source) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(in crate::source) fn remote(&self, path: &Path) -> Remote {
        let text = format!(
            "ssh://{}@127.0.0.1:{}{}",
            self.user,
            self.port,
            path.display()
        );
        Remote::parse(&text).unwrap()
    }

    /// A transport with the authorized key and the pinned server.
    pub(in crate::source) fn transport(&self) -> Transport {
        Transport {
            ssh: SshAccess {
                key: Some(self.folder.path().join("client")),
                known_hosts: vec![self.known_hosts()],
                connect_timeout: Duration::from_secs(10),
            },
            limits: Limits::default(),
        }
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn write(path: &Path, text: &str) {
    std::fs::File::create(path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
}
