use super::*;

fn path(text: &str) -> Vec<String> {
    text.split('/').map(str::to_owned).collect()
}

fn set(text: &str, at: &str, value: &str) -> Result<String, EditError> {
    let tree = Tree::parse(text.as_bytes())?.with(&path(at), &NewValue::text(value))?;
    Ok(tree.text.to_string())
}

fn unset(text: &str, at: &str) -> Result<String, EditError> {
    let tree = Tree::parse(text.as_bytes())?.without(&path(at))?;
    Ok(tree.text.to_string())
}

#[test]
fn setting_changes_the_value_and_nothing_around_it() {
    for (text, at, value, expected) in [
        ("a: 1 # c\nb: 2\n", "a", "x", "a: x # c\nb: 2\n"),
        ("a: \"q\"\n", "a", "12", "a: '12'\n"),
        ("a: !!int 5\n", "a", "x", "a: x\n"),
        ("a: |\n  one\n  two\n\nb: 2\n", "a", "x", "a: x\n\nb: 2\n"),
        ("a: 1\nb: 2\n", "a", "x\ny\n", "a: |\n    x\n    y\nb: 2\n"),
        ("a: 1 # c\n", "a", "x\ny\n", "a: \"x\\ny\\n\" # c\n"),
        ("a:\nb: 2\n", "a", "x", "a: x\nb: 2\n"),
        ("a:\n  - x\n  -\n", "a/1", "z", "a:\n  - x\n  - z\n"),
        ("a: {b: 1}\n", "a/b", "x\ny", "a: {b: \"x\\ny\"}\n"),
        ("a: multi\n  line\nb: 2\n", "a", "x", "a: x\nb: 2\n"),
    ] {
        assert_eq!(set(text, at, value).unwrap(), expected, "{text}");
    }
}

#[test]
fn setting_makes_what_is_missing_on_the_way() {
    for (text, at, expected) in [
        ("a: 1\n", "b", "a: 1\nb: x\n"),
        ("a: 1", "b", "a: 1\nb: x"),
        (
            "a:\n  b: 1\n  # foot\nc: 2\n",
            "a/d",
            "a:\n  b: 1\n  d: x\n  # foot\nc: 2\n",
        ),
        ("a:\n  b: 1\n", "c/d", "a:\n  b: 1\nc:\n  d: x\n"),
        ("a: null\n", "a/b/c", "a:\n    b:\n        c: x\n"),
        ("a:\n", "a/b", "a:\n    b: x\n"),
        ("a: {b: 1}\n", "a/c/d", "a: {b: 1, c: {d: x}}\n"),
        ("a: {}\n", "a/c", "a:\n    c: x\n"),
        (
            "a: {} # why\nb: 1\n",
            "a/c/d",
            "a: # why\n    c:\n        d: x\nb: 1\n",
        ),
        ("l:\n  - {}\n  - 2\n", "l/0/c", "l:\n  - c: x\n  - 2\n"),
        ("a: {b: {}}\n", "a/b/c", "a: {b: {c: x}}\n"),
        ("a: &x {}\n", "a/c", "a: &x {c: x}\n"),
        ("{}\n", "a/b", "a:\n    b: x\n"),
        ("---\n", "a", "---\na: x\n"),
        ("a:\n- 1\n", "a/1", "a:\n- 1\n- x\n"),
        (
            "a: |\n  text\n\n# end\n",
            "b",
            "a: |\n  text\nb: x\n\n# end\n",
        ),
    ] {
        assert_eq!(set(text, at, "x").unwrap(), expected, "{text}");
    }
}

#[test]
fn setting_one_place_of_a_shared_value_leaves_the_others() {
    let changed = set("a: &x\n  k: 1\nb: *x\n", "b/k", "2x").unwrap();
    let tree = Tree::parse(changed.as_bytes()).unwrap();
    let text = |at: &str| {
        tree.scalar(tree.target(tree.find(&path(at)).unwrap()))
            .unwrap()
            .text
            .to_string()
    };
    assert_eq!(
        (text("a/k"), text("b/k")),
        ("1".to_owned(), "2x".to_owned())
    );
}

#[test]
fn what_cannot_be_set_is_refused() {
    for (text, at) in [
        ("a: {b: 1}\n", "a"),
        ("a: 1\n", "a/b"),
        ("a: [1]\n", "a/7"),
        ("a: 1\n", "sops"),
        ("a: 1\n", "sops/mac"),
    ] {
        assert!(set(text, at, "x").is_err(), "{text} {at}");
    }
    assert!(unset("a: 1\n", "b").is_err());
}

#[test]
fn what_is_set_into_a_map_whose_last_entry_went_is_a_block_again() {
    let emptied = unset("a:\n  b: 1\nc:\n  d: 2\n", "a/b").unwrap();
    assert_eq!(emptied, "a: {}\nc:\n  d: 2\n");
    let again = set(&emptied, "a/e", "x").unwrap();
    assert_eq!(again, "a:\n  e: x\nc:\n  d: 2\n");
}

#[test]
fn removing_takes_the_entrys_lines_and_keeps_the_collection() {
    for (text, at, expected) in [
        ("a: 1\nb: 2 # c\nc: 3\n", "b", "a: 1\nc: 3\n"),
        ("a: 1\nb:\n  c: 2\n  d: 3\n", "b", "a: 1\n"),
        ("a:\n  b: 1\nc: 2\n", "a/b", "a: {}\nc: 2\n"),
        ("a:\n- 1\n- 2\n", "a/0", "a:\n- 2\n"),
        ("a:\n- 1\n", "a/0", "a: []\n"),
        ("a:\n- k: 1\n  m: 2\n", "a/0/k", "a:\n- m: 2\n"),
        ("a:\n- k: 1\n", "a/0/k", "a:\n- {}\n"),
        ("a: {b: 1, c: 2}\n", "a/b", "a: {c: 2}\n"),
        ("a: {b: 1, c: 2}\n", "a/c", "a: {b: 1}\n"),
        ("a: {b: 1}\n", "a/b", "a: {}\n"),
        ("a: 1\n", "a", "{}\n"),
        ("a: |\n  x\n\nb: 2\n", "a", "\nb: 2\n"),
    ] {
        assert_eq!(unset(text, at).unwrap(), expected, "{text}");
    }
}
