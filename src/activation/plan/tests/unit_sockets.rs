//! What a change asks of services and their sockets.

use super::yard::{Yard, text};
use crate::host::ActiveState;

const SOCKET: &str = "[Socket];ListenStream=/run/a";
const SERVICE: &str = "[Service];ExecStart=/bin/a";

#[test]
fn a_service_and_its_sockets_move_together() {
    for (name, more, socket, expected) in [
        (
            "a.service",
            "",
            "a.socket",
            "stop a.socket, stop a.service, start a.socket",
        ),
        (
            "a.service",
            ";Sockets=b.socket c.socket",
            "b.socket",
            "stop b.socket, stop a.service, start b.socket",
        ),
        (
            "a.service",
            ";X-NotSocketActivated=true",
            "a.socket",
            "stop a.socket, stop a.service, start a.socket, start a.service",
        ),
        (
            "a.service",
            "",
            "other.socket",
            "stop a.service, start a.service",
        ),
    ] {
        let (old, socket_text) = (text(&format!("{SERVICE}{more}"), ""), text(SOCKET, ""));
        let new = old.replace("/bin/a", "/bin/b");
        let mut yard = Yard::with(&[(name, &old), (socket, &socket_text)]);
        assert_eq!(
            yard.asks(&[(name, &new), (socket, &socket_text)]),
            expected,
            "{more} {socket}"
        );
    }
}

#[test]
fn services_of_connections_have_a_socket_without_the_at() {
    let (socket, old) = (text(&format!("{SOCKET};Accept=yes"), ""), text(SERVICE, ""));
    let new = old.replace("/bin/a", "/bin/b");
    let mut yard = Yard::with(&[("a.socket", &socket), ("a@.service", &old)]);
    yard.0.run("a@7.service", ActiveState::Active);
    assert_eq!(
        yard.asks(&[("a.socket", &socket), ("a@.service", &new)]),
        "stop a.socket, stop a@7.service, start a.socket"
    );
    yard.0.run("a@8.service", ActiveState::Active);
    let other = socket.replace("/run/a", "/run/b");
    assert_eq!(
        yard.asks(&[("a.socket", &other), ("a@.service", &new)]),
        "restart a.socket",
        "connections that are there go on"
    );
}

#[test]
fn a_changed_socket_moves_its_running_service_around_itself() {
    let (old, new) = (text(SOCKET, ""), text("[Socket];ListenStream=/run/b", ""));
    let service = text(SERVICE, "");
    let mut yard = Yard::with(&[("a.socket", &old), ("a.service", &service)]);
    assert_eq!(
        yard.asks(&[("a.socket", &new), ("a.service", &service)]),
        "stop a.socket, stop a.service, start a.socket, start a.service"
    );
    yard.0.run("a.service", ActiveState::Inactive);
    assert_eq!(
        yard.asks(&[("a.socket", &old), ("a.service", &service)]),
        "restart a.socket"
    );
    let kept = text(&format!("{SERVICE};X-RestartIfChanged=false"), "");
    let mut yard = Yard::with(&[("a.socket", &old), ("a.service", &kept)]);
    assert_eq!(
        yard.asks(&[("a.socket", &new), ("a.service", &kept)]),
        "(a.socket: is not started anew: a.service holds it, and is not to be restarted)"
    );
}

#[test]
fn a_service_becomes_socket_activated_and_ceases_to_be() {
    let (service, socket) = (text(SERVICE, ""), text(SOCKET, ", start: true"));
    let started = text(SERVICE, ", start: true");
    let mut yard = Yard::with(&[("a.service", &started)]);
    assert_eq!(
        yard.asks(&[("a.service", &service), ("a.socket", &socket)]),
        "stop a.service, start a.socket"
    );
    assert_eq!(
        yard.asks(&[("a.service", &started)]),
        "stop a.socket, start a.service"
    );
}

#[test]
fn a_socket_of_what_is_never_restarted_stays_as_it_is() {
    let drop_in =
        |n: u8| format!("{{ drop_ins: {{ a.conf: {{ text: \"[Socket]\\nBacklog={n}\\n\" }} }} }}");
    let mut yard = Yard::with(&[("systemd-journald.socket", &drop_in(1))]);
    yard.0.run("systemd-journald.service", ActiveState::Active);
    assert_eq!(
        yard.asks(&[("systemd-journald.socket", &drop_in(2))]),
        "(systemd-journald.socket: is not started anew: systemd-journald.service holds it, and is not to be restarted)"
    );
}
