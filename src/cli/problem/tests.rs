use anstream::adapter::strip_str;

use super::*;

#[test]
fn a_problem_says_what_why_and_how_to_fix_it() {
    let mut problem = Problem::new("cannot open secret `db/password` in secrets/default.yml")
        .with_fix("add age1q7…9wz to .sops.yaml, then run\n`steadfast secrets rekey` where the file can be opened");
    problem.causes = vec![
        "none of the file's 3 recipients is this host's key".into(),
        "the second line\nof a cause is indented".into(),
    ];
    insta::assert_snapshot!(strip_str(&render(&problem, Page::ENDLESS)).to_string());
}

#[test]
fn excerpts_say_the_causes_at_their_places() {
    let excerpt = "error: unknown key `fiels`\n --> hosts/chicago/host.yml:3:1\n";
    let mut problem = Problem::new("`chicago` cannot be built").with_excerpts([excerpt.to_owned()]);
    problem.causes = vec!["hosts/chicago/host.yml:3:1: unknown key `fiels`".into()];
    let text = strip_str(&render(&problem, Page::ENDLESS)).to_string();
    assert_eq!(
        text,
        format!("error: `chicago` cannot be built\n\n{excerpt}")
    );
}

#[test]
fn a_cause_that_the_message_ends_with_is_not_said_twice() {
    let mut problem = Problem::new("cannot read x: no such file");
    problem.causes = vec!["no such file".into(), "os error 2".into()];
    let text = strip_str(&render(&problem, Page::ENDLESS)).to_string();
    assert_eq!(
        text,
        "error: cannot read x: no such file\n  cause: os error 2\n"
    );
}
