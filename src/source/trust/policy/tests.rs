use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::source::testing::{NOW, Signing, TestRepo, keygen};

/// Anna may sign, the stranger may not.
struct People {
    folder: TempDir,
    anna: PathBuf,
    stranger: PathBuf,
}

const LATER: i64 = NOW + 86_400;

impl People {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let anna = keygen(folder.path(), "anna", "ed25519");
        let stranger = keygen(folder.path(), "stranger", "ed25519");
        let people = Self {
            folder,
            anna,
            stranger,
        };
        people.allow(&format!(
            "anna@example.org namespaces=\"git\" {}",
            public(&people.anna)
        ));
        people
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("allowed_signers")
    }

    fn allow(&self, text: &str) {
        let mut file = std::fs::File::create(self.file()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.set_permissions(PermissionsExt::from_mode(0o644))
            .unwrap();
    }

    fn policy(&self, mode: TrustMode) -> TrustPolicy {
        TrustPolicy {
            mode,
            allowed_signers: self.file(),
        }
    }

    fn anna(&self) -> Signing<'_> {
        Signing::With(&self.anna)
    }
}

fn public(key: &Path) -> String {
    std::fs::read_to_string(key.with_extension("pub")).unwrap()
}

fn opened(repo: &TestRepo) -> Mirror {
    Mirror::of_clone(repo.path()).unwrap()
}

fn head(repo: &TestRepo, people: &People) -> Result<TrustedRevision, Refusal> {
    check(
        &opened(repo),
        &repo.id("HEAD"),
        None,
        &people.policy(TrustMode::Head),
        LATER,
    )
}

#[test]
fn a_commit_signed_by_git_with_an_allowed_key_is_trusted() {
    let people = People::new();
    let repo = TestRepo::empty();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = keygen(people.folder.path(), kind, kind);
        people.allow(&format!("{kind}@example.org {}", public(&key)));
        let commit = repo.commit("a", kind, Signing::With(&key));
        let trusted = head(&repo, &people).unwrap();
        assert_eq!(trusted.revision().commit, commit);
        let signer = trusted.signer().unwrap();
        assert_eq!(signer.principal, format!("{kind}@example.org"));
        assert!(signer.fingerprint.starts_with("SHA256:"));
    }
}

#[test]
fn mode_off_asks_for_no_signature_and_reads_no_file() {
    let repo = TestRepo::empty();
    let commit = repo.commit("a", "1", Signing::Not);
    let policy = TrustPolicy {
        mode: TrustMode::Off,
        allowed_signers: "/nonexistent".into(),
    };
    let trusted = check(&opened(&repo), &commit, None, &policy, LATER).unwrap();
    assert_eq!(trusted.signer(), None);
}

#[test]
fn an_unsigned_tip_is_refused() {
    let people = People::new();
    let repo = TestRepo::empty();
    let commit = repo.commit("a", "1", Signing::Not);
    let refusal = head(&repo, &people).unwrap_err();
    assert_eq!(
        refusal,
        Refusal {
            commit,
            kind: RefusalKind::Unsigned
        }
    );
}

#[test]
fn a_strangers_signature_is_refused_and_the_fix_is_a_line_for_the_file() {
    let people = People::new();
    let repo = TestRepo::empty();
    repo.commit("a", "1", Signing::With(&people.stranger));
    let refusal = head(&repo, &people).unwrap_err();
    assert!(
        matches!(refusal.kind, RefusalKind::Stranger { .. }),
        "{refusal:?}"
    );
    let line = public(&people.stranger);
    let key = line.rsplit_once(' ').unwrap().0;
    assert!(refusal.fix().contains(key), "{}", refusal.fix());
}

#[test]
fn a_commit_changed_after_it_was_signed_is_refused() {
    let people = People::new();
    let repo = TestRepo::empty();
    repo.commit("a", "1", people.anna());
    let raw = repo.git(&["cat-file", "commit", "HEAD"]) + "\n";
    for (changed, kind) in [
        (raw.replace("change a", "change b"), "BadSignature"),
        (
            raw.replace(
                "gpgsig -----BEGIN SSH SIGNATURE-----",
                "gpgsig -----BEGIN PGP SIGNATURE-----",
            ),
            "UnsupportedSignature",
        ),
        (raw.replace("gpgsig ", "gpgsig-sha256 "), "BadSignature"),
        (
            raw.replacen("gpgsig ", "gpgsig x\ngpgsig ", 1),
            "BadSignature",
        ),
        (
            raw.replace("-----END SSH SIGNATURE-----", ""),
            "BadSignature",
        ),
    ] {
        let id = repo.git_with(
            &[
                "hash-object",
                "-t",
                "commit",
                "-w",
                "--literally",
                "--stdin",
            ],
            changed.as_bytes(),
        );
        let commit = CommitId::new(id).unwrap();
        let refusal = check(
            &opened(&repo),
            &commit,
            None,
            &people.policy(TrustMode::Head),
            LATER,
        )
        .unwrap_err();
        assert!(
            format!("{:?}", refusal.kind).starts_with(kind),
            "{kind}: {refusal:?}"
        );
        assert_eq!(refusal.commit, commit);
    }
}

#[test]
fn a_signature_for_another_purpose_is_refused() {
    let people = People::new();
    let repo = TestRepo::empty();
    let unsigned = repo.commit("a", "1", Signing::Not);
    let raw = repo.git(&["cat-file", "commit", unsigned.as_str()]) + "\n";
    let mut sign = crate::source::testing::command("ssh-keygen");
    sign.args(["-q", "-Y", "sign", "-n", "file", "-f"])
        .arg(&people.anna);
    let armor = crate::source::testing::run(&mut sign, raw.as_bytes());
    let header = format!("gpgsig {}", armor.replace('\n', "\n "));
    let signed = raw.replacen("\n\n", &format!("\n{header}\n\n"), 1);
    let id = repo.git_with(
        &["hash-object", "-t", "commit", "-w", "--stdin"],
        signed.as_bytes(),
    );
    let commit = CommitId::new(id).unwrap();
    let refusal = check(
        &opened(&repo),
        &commit,
        None,
        &people.policy(TrustMode::Head),
        LATER,
    )
    .unwrap_err();
    assert!(
        refusal
            .kind
            .to_string()
            .contains("it was made for `file`, not for `git`"),
        "{refusal:?}"
    );
}

#[test]
fn a_key_outside_its_times_is_refused() {
    let people = People::new();
    let repo = TestRepo::empty();
    repo.commit("a", "1", people.anna());
    let key = public(&people.anna);
    for line in [
        "valid-before=\"20200101Z\"",
        "valid-after=\"20990101Z\"",
        "namespaces=\"file\"",
    ] {
        people.allow(&format!("anna@example.org {line} {key}"));
        let refusal = head(&repo, &people).unwrap_err();
        assert!(
            matches!(refusal.kind, RefusalKind::NotAllowed { .. }),
            "{line}: {refusal:?}"
        );
    }
}

#[test]
fn an_expired_key_cannot_sign_new_commits_with_an_old_date() {
    let people = People::new();
    let repo = TestRepo::empty();
    let repo_was_at = repo.commit("a", "1", people.anna());
    // The key ended between the second commit and the third; the third claims to be as old as the first.
    let anchor = {
        repo.commit("a", "2", people.anna());
        repo.commit("a", "3", Signing::Not)
    };
    let ends = Timestamp::from_second(NOW + 150)
        .unwrap()
        .strftime("%Y%m%d%H%M%SZ")
        .to_string();
    people.allow(&format!(
        "anna valid-before=\"{ends}\" {}",
        public(&people.anna)
    ));
    repo.rewind_clock();
    let backdated = repo.commit("a", "4", people.anna());
    let policy = people.policy(TrustMode::Head);
    assert!(check(&opened(&repo), &repo_was_at, None, &policy, LATER).is_ok());
    let refusal = check(&opened(&repo), &backdated, Some(&anchor), &policy, LATER).unwrap_err();
    assert!(
        matches!(refusal.kind, RefusalKind::NotAllowed { .. }),
        "{refusal:?}"
    );
}

#[test]
fn only_descendants_of_the_accepted_commit_are_accepted() {
    let people = People::new();
    let repo = TestRepo::empty();
    let first = repo.commit("a", "1", people.anna());
    let second = repo.commit("a", "2", people.anna());
    let mirror = opened(&repo);
    for mode in [TrustMode::Off, TrustMode::Head, TrustMode::History] {
        let policy = people.policy(mode);
        assert!(check(&mirror, &second, Some(&first), &policy, LATER).is_ok());
        assert!(
            check(&mirror, &second, Some(&second), &policy, LATER).is_ok(),
            "equal is fine"
        );
        let refusal = check(&mirror, &first, Some(&second), &policy, LATER).unwrap_err();
        let anchor = second.clone();
        assert_eq!(
            refusal,
            Refusal {
                commit: first.clone(),
                kind: RefusalKind::NotADescendant { anchor }
            }
        );
        let lost = CommitId::new("1".repeat(40)).unwrap();
        assert!(
            check(&mirror, &second, Some(&lost), &policy, LATER).is_err(),
            "a lost anchor is below nothing"
        );
    }
}

#[test]
fn history_refuses_an_unsigned_commit_in_the_middle_and_head_does_not() {
    let people = People::new();
    let repo = TestRepo::empty();
    let anchor = repo.commit("a", "1", people.anna());
    let middle = repo.commit("a", "2", Signing::Not);
    let tip = repo.commit("a", "3", people.anna());
    let mirror = opened(&repo);
    assert!(
        check(
            &mirror,
            &tip,
            Some(&anchor),
            &people.policy(TrustMode::Head),
            LATER
        )
        .is_ok()
    );
    let history = people.policy(TrustMode::History);
    let refusal = check(&mirror, &tip, Some(&anchor), &history, LATER).unwrap_err();
    assert_eq!(
        refusal,
        Refusal {
            commit: middle.clone(),
            kind: RefusalKind::Unsigned
        }
    );
    assert!(
        check(&mirror, &tip, Some(&middle), &history, LATER).is_ok(),
        "what is below the anchor was decided"
    );
    assert!(
        check(&mirror, &tip, None, &history, LATER).is_ok(),
        "without an anchor the tip decides"
    );
}

#[test]
fn history_looks_at_both_sides_of_a_merge() {
    let people = People::new();
    let repo = TestRepo::empty();
    let anchor = repo.commit("a", "1", people.anna());
    repo.git(&["checkout", "-q", "-b", "side"]);
    let side = repo.commit("b", "1", Signing::With(&people.stranger));
    repo.git(&["checkout", "-q", "main"]);
    repo.commit("a", "2", people.anna());
    repo.git(&["merge", "-q", "--no-commit", "--no-ff", "side"]);
    let tip = repo.commit_staged("merge", people.anna());
    let refusal = check(
        &opened(&repo),
        &tip,
        Some(&anchor),
        &people.policy(TrustMode::History),
        LATER,
    )
    .unwrap_err();
    assert_eq!(refusal.commit, side);
    assert!(
        matches!(refusal.kind, RefusalKind::Stranger { .. }),
        "{refusal:?}"
    );
}

#[test]
fn an_openpgp_signature_is_named_as_not_supported() {
    let people = People::new();
    let repo = TestRepo::empty();
    let unsigned = repo.commit("a", "1", Signing::Not);
    let raw = repo.git(&["cat-file", "commit", unsigned.as_str()]) + "\n";
    let header = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQEz\n -----END PGP SIGNATURE-----";
    let signed = raw.replacen("\n\n", &format!("\n{header}\n\n"), 1);
    let id = repo.git_with(
        &["hash-object", "-t", "commit", "-w", "--stdin"],
        signed.as_bytes(),
    );
    let commit = CommitId::new(id).unwrap();
    let refusal = check(
        &opened(&repo),
        &commit,
        None,
        &people.policy(TrustMode::Head),
        LATER,
    )
    .unwrap_err();
    assert_eq!(
        refusal.kind,
        RefusalKind::UnsupportedSignature { what: "an OpenPGP" }
    );
    assert!(refusal.fix().contains("gpg.format ssh"));
}

#[test]
fn a_signers_file_that_is_missing_empty_or_writable_by_others_refuses_everything() {
    let people = People::new();
    let repo = TestRepo::empty();
    repo.commit("a", "1", people.anna());
    let refused = |expected: &str| {
        let refusal = head(&repo, &people).unwrap_err();
        assert!(
            matches!(refusal.kind, RefusalKind::NoSigners { .. }),
            "{refusal:?}"
        );
        assert!(
            refusal.kind.to_string().contains(expected),
            "{}",
            refusal.kind
        );
    };
    std::fs::set_permissions(people.file(), PermissionsExt::from_mode(0o666)).unwrap();
    refused("others can write it (mode 0666)");
    people.allow("# nobody yet\n");
    refused("it names nobody");
    people.allow("anna nonsense\n");
    refused("no usable line: line 1");
    std::fs::remove_file(people.file()).unwrap();
    refused("No such file");
}
