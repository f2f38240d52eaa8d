use super::*;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";

fn key() -> KeyData {
    PublicKey::from_openssh(KEY).unwrap().key_data().clone()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn judged(line: &str, when: &str) -> Verdict {
    AllowedSigners::parse(line).judge(&key(), at(when))
}

fn allowed(principal: &str) -> Verdict {
    Verdict::Allowed {
        principal: principal.to_owned(),
    }
}

#[test]
fn a_plain_line_allows_its_key() {
    let text = format!("# people\n\nanna@example.org,anna@work {KEY} a comment\n");
    assert_eq!(
        judged(&text, "2026-01-01T00:00:00Z"),
        allowed("anna@example.org")
    );
    let text = format!("\"anna of example\" {KEY}");
    assert_eq!(
        judged(&text, "2026-01-01T00:00:00Z"),
        allowed("anna of example")
    );
}

#[test]
fn a_line_can_be_bound_to_namespaces() {
    let when = "2026-01-01T00:00:00Z";
    assert_eq!(
        judged(&format!("a namespaces=\"file,git\" {KEY}"), when),
        allowed("a")
    );
    assert_eq!(
        judged(&format!("a Namespaces=\"g*\" {KEY}"), when),
        allowed("a")
    );
    let Verdict::NotAllowed { detail, .. } = judged(&format!("a namespaces=\"file\" {KEY}"), when)
    else {
        panic!("must not be allowed")
    };
    assert_eq!(detail, "it is for `file`, not for `git`");
}

#[test]
fn a_line_can_be_bound_to_times() {
    let line = format!("a valid-after=\"20260101Z\",valid-before=\"202612312359Z\" {KEY}");
    assert_eq!(judged(&line, "2026-06-01T00:00:00Z"), allowed("a"));
    assert_eq!(judged(&line, "2026-01-01T00:00:00Z"), allowed("a"));
    assert!(matches!(
        judged(&line, "2025-12-31T23:59:59Z"),
        Verdict::NotAllowed { .. }
    ));
    let Verdict::NotAllowed { detail, .. } = judged(&line, "2027-01-01T00:00:00Z") else {
        panic!("must not be allowed")
    };
    assert_eq!(detail, "it is not valid after 2026-12-31T23:59:00Z");
}

#[test]
fn one_of_several_lines_for_a_key_is_enough() {
    let text = format!("old valid-before=\"20200101Z\" {KEY}\nnew {KEY}\n");
    assert_eq!(judged(&text, "2026-01-01T00:00:00Z"), allowed("new"));
}

#[test]
fn lines_that_cannot_be_used_are_skipped_with_a_reason() {
    let text = format!(
        "ca cert-authority {KEY}\nb {}\nc valid-after=\"soon\" {KEY}\nd verify-required {KEY}\nlonely\n\"open {KEY}\n",
        &KEY[..40]
    );
    let signers = AllowedSigners::parse(&text);
    assert_eq!(
        signers.judge(&key(), at("2026-01-01T00:00:00Z")),
        Verdict::Stranger
    );
    let skipped = signers.skipped();
    assert_eq!(skipped.len(), 6, "{skipped:?}");
    assert_eq!(
        skipped[0],
        "line 1: certificate authorities are not supported"
    );
    assert!(skipped[2].contains("`soon` is not a time"), "{skipped:?}");
    assert!(skipped[3].contains("`verify-required`"), "{skipped:?}");
}

#[test]
fn times_are_read_in_three_lengths_and_nothing_else() {
    assert_eq!(parse_time("20260131Z").unwrap(), at("2026-01-31T00:00:00Z"));
    assert_eq!(
        parse_time("202601312359Z").unwrap(),
        at("2026-01-31T23:59:00Z")
    );
    assert_eq!(
        parse_time("20260131235958Z").unwrap(),
        at("2026-01-31T23:59:58Z")
    );
    for wrong in [
        "",
        "Z",
        "2026",
        "20261301Z",
        "20260230Z",
        "2026013125Z",
        "202601312460Z",
        "+2026011Z",
    ] {
        assert!(parse_time(wrong).is_err(), "{wrong}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_trusting_a_key_that_is_not_in_it(text in "[ -~\n\"]{0,120}") {
        let signers = AllowedSigners::parse(&text);
        proptest::prop_assert_eq!(signers.judge(&key(), Timestamp::UNIX_EPOCH), Verdict::Stranger);
    }
}
