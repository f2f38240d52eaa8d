//! Real peers for this room's tests: git, ssh-keygen, sshd and `git http-backend`, in temporary folders.

mod git;
mod http_server;
mod scripted_server;
mod ssh_server;

pub(super) use git::{NOW, Signing, TestRepo, command, keygen, run};
pub(super) use http_server::{HttpServer, make_ca};
pub(super) use scripted_server::{Script, packet};
pub(super) use ssh_server::{AcceptEnv, SshServer};
