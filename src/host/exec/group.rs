//! One child and everything it starts: waited for without being reaped, ended as a whole.

use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How long a program may take to go after SIGTERM before SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// Blocks until the child ended; it stays unreaped, so that its id cannot be given to another process meanwhile.
pub(super) fn await_end(pid: Pid) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(waitid(WaitId::Pid(pid), options), Err(Errno::INTR)) {}
}

/// Tells when the child has ended.
pub(super) fn end_of(pid: Pid) -> Receiver<()> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        await_end(pid);
        // Nobody listens any more when the program was given up.
        let _ = sender.send(());
    });
    receiver
}

/// Sends SIGKILL to every process of the child's group. The child must not be reaped yet.
pub(super) fn kill(pid: Pid) {
    // ESRCH: all of them ended by themselves.
    let _ = kill_process_group(pid, Signal::KILL);
}

/// Asks the group to end, then makes it. The child must not be reaped yet; it is afterwards.
pub(super) fn terminate(child: &mut Child) {
    let pid = Pid::from_child(child);
    // ESRCH: all of them ended by themselves.
    let _ = kill_process_group(pid, Signal::TERM);
    // SIGTERM does not reach a stopped process until it goes on.
    let _ = kill_process_group(pid, Signal::CONT);
    let _ = end_of(pid).recv_timeout(GRACE);
    kill(pid);
    // Its exit status says nothing more: it was killed.
    let _ = child.wait();
}
