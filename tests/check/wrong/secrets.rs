//! Secrets: not there, not encrypted, not for the host.

use super::wrong;

const HOST: &[u8] = b"description: web server\nsecrets:\n  web/session_key: { mode: 0400 }\n";
/// The files of the demo, whose keys are no secret.
const RULES: &[u8] = include_bytes!("../../../.sops.yaml");
const SEALED: &[u8] = include_bytes!("../../../secrets/default.yml");
const DEMO: &[u8] = include_bytes!("../../../hosts/demo/ssh_host_ed25519_key.pub");
const OTHER: &[u8] =
    b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPMtHTwjtSPtVtpfe6W6GDZLUF21Keo4ysQaCyn25LQa root@web\n";

wrong! {
    a_secret_file_that_is_not_there: ["hosts/demo/host.yml": HOST];
    a_secret_file_that_is_not_encrypted: ["hosts/demo/host.yml": HOST, "secrets/default.yml": b"web:\n  session_key: hunter2\n", "hosts/demo/ssh_host_ed25519_key.pub": DEMO];
    a_secret_that_is_not_in_its_file: ["hosts/demo/host.yml": b"secrets:\n  web/sesion_key:\n", ".sops.yaml": RULES, "secrets/default.yml": SEALED, "hosts/demo/ssh_host_ed25519_key.pub": DEMO];
    a_secret_that_the_host_cannot_open: ["hosts/web/host.yml": HOST, ".sops.yaml": RULES, "secrets/default.yml": SEALED, "hosts/web/ssh_host_ed25519_key.pub": OTHER];
    a_host_without_a_key_that_uses_a_secret: ["hosts/web/host.yml": HOST, ".sops.yaml": RULES, "secrets/default.yml": SEALED];
    rules_that_are_none: ["hosts/demo/host.yml": HOST, ".sops.yaml": b"creation_rules:\n  - path_regex: secrets/.*\n    age: [\n", "secrets/default.yml": SEALED, "hosts/demo/ssh_host_ed25519_key.pub": DEMO];
    a_template_with_a_secret_that_is_not_declared: ["hosts/demo/host.yml": b"templates:\n  app.env: { text: \"PASSWORD={{ secret('db/password') }}\\n\" }\n"];
    a_template_with_a_secret_without_quotes: ["hosts/demo/host.yml": b"templates:\n  app.env: { text: \"PASSWORD={{ secret(db) }}\\n\" }\n"];
    a_secret_whose_name_is_a_path: ["hosts/demo/host.yml": b"secrets:\n  ../shadow: {}\n"];
    a_password_from_a_secret_that_is_not_declared: ["hosts/web/host.yml": b"users:\n  anna: { password_secret: users/anna }\n"];
}
