//! New things in a config repository: a whole one, made from the example fleet, and new hosts in one.
//!
//! `example` is `repo-example/` as it was when the program was built; `new_repository` turns it into that of a person, with
//! `new_secrets` of its own; `git` makes the first commit. `new_host` writes the files of a host that joins, with the
//! `facts` that the machine tells over ssh.

mod example;
mod facts;
mod git;
mod new_host;
mod new_repository;
mod new_secrets;

pub use facts::{Facts, FactsError, SshTarget, SshTargetError, ask_facts};
pub use git::{Author, GitError, author, first_commit};
pub use new_host::{NewHost, NewHostError, Origin, new_host, prove};
pub use new_repository::{
    Founder, NewRepository, NewRepositoryError, example_hosts, new_repository,
};
