use super::*;

fn tree(text: &str) -> Node {
    let loaded = load(FileId(0), text.as_bytes());
    assert_eq!(loaded.errors, [], "{text:?}");
    loaded.root.unwrap()
}

fn only_error(text: &str) -> YamlError {
    let mut errors = load(FileId(0), text.as_bytes()).errors;
    assert_eq!(errors.len(), 1, "{text:?}: {errors:?}");
    errors.remove(0)
}

fn map(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Map(entries) => entries,
        other => panic!("{other:?} is no map"),
    }
}

fn scalar(node: &Node) -> &Scalar {
    match &node.value {
        Value::Scalar(scalar) => scalar,
        other => panic!("{other:?} is no scalar"),
    }
}

#[test]
fn scalars_follow_the_core_schema_and_keep_their_spelling() {
    for (text, kind) in [
        ("true", ScalarKind::Boolean(true)),
        ("false", ScalarKind::Boolean(false)),
        ("True", ScalarKind::Text),
        ("yes", ScalarKind::Text),
        ("on", ScalarKind::Text),
        ("~", ScalarKind::Null),
        ("null", ScalarKind::Null),
        ("0644", ScalarKind::Integer),
        ("0o17", ScalarKind::Integer),
        ("-12", ScalarKind::Integer),
        ("1.10", ScalarKind::Float),
        ("6e3", ScalarKind::Float),
        (".inf", ScalarKind::Float),
        ("1.2.3", ScalarKind::Text),
        ("12:30", ScalarKind::Text),
        ("e3", ScalarKind::Text),
        ("'true'", ScalarKind::Text),
        ("\"1\"", ScalarKind::Text),
        ("!!str 5", ScalarKind::Text),
    ] {
        let root = tree(&format!("key: {text}\n"));
        assert_eq!(scalar(&map(&root)[0].value).kind(), kind, "{text}");
    }
    let root = tree("a: 0644\nb: 1.10\nc: 123456789012345678901234567890\n");
    let spelled: Vec<_> = map(&root).iter().map(|e| scalar(&e.value).text()).collect();
    assert_eq!(spelled, ["0644", "1.10", "123456789012345678901234567890"]);
}

#[test]
fn every_key_and_value_knows_its_place() {
    let root = tree("top:\n  - one\n  - \"zwö\": |\n      lines\n");
    let Value::List(items) = &map(&root)[0].value.value else {
        panic!()
    };
    let place = |line, column, length| Place {
        file: FileId(0),
        line,
        column,
        length,
    };
    assert_eq!(map(&root)[0].key.place, place(1, 1, 3));
    assert_eq!(items[0].place, place(2, 5, 3));
    assert_eq!(map(&items[1])[0].key.place, place(3, 5, 5));
}

#[test]
fn a_key_that_is_there_twice_names_both_places_and_reading_goes_on() {
    let loaded = load(FileId(0), b"a: 1\nb: 2\na: 3\nb: 4\n");
    let places: Vec<_> = loaded
        .errors
        .iter()
        .map(|e| (e.place.line, e.related.unwrap().0.line))
        .collect();
    assert_eq!(places, [(3, 1), (4, 2)]);
    assert_eq!(map(&loaded.root.unwrap()).len(), 2);
}

#[test]
fn an_alias_is_its_value_with_the_place_it_was_written_at() {
    let root = tree("a: &x { deep: [1, 2] }\nb: *x\n");
    assert_eq!(map(&root)[0].value, map(&root)[1].value);
}

#[test]
fn aliases_cannot_blow_up() {
    let nine: Vec<String> = (1..9)
        .map(|level| {
            let below = format!("*a{}", level - 1);
            format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(", "))
        })
        .collect();
    let bomb = format!("a0: &a0 [{}]\n{}", ["x"; 10].join(", "), nine.concat());
    assert!(
        only_error(&bomb)
            .message
            .contains("more than 100000 values")
    );

    let rungs: Vec<String> = (1..80)
        .map(|level| format!("a{level}: &a{level} [*a{}]\n", level - 1))
        .collect();
    let ladder = format!("a0: &a0 [x]\n{}", rungs.concat());
    assert!(only_error(&ladder).message.contains("64 levels"));

    let itself = only_error("a: &a [*a]\n");
    assert!(
        itself.message.contains("inside the value it names"),
        "{itself:?}"
    );
}

#[test]
fn nesting_has_a_bound() {
    let deep = format!("{}x{}", "[".repeat(70), "]".repeat(70));
    assert!(only_error(&deep).message.contains("64 levels"));
}

#[test]
fn what_is_not_one_plain_document_is_refused_where_it_goes_wrong() {
    for (text, line, said) in [
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a:\n\tb: 1\n", 2, "a tab cannot stand here"),
        ("a:\n  b: 1\n c: 2\n", 3, "indented otherwise"),
        ("a: [1, 2\n", 1, "`[` is not closed"),
        ("a: *nothing\n", 1, "no anchor `&nothing`"),
        ("a: !ruby/object {}\n", 1, "tag"),
        ("? [a]\n: 1\n", 1, "key must be text"),
        ("<<: {a: 1}\n", 1, "merge keys"),
        ("%YAML 1.1\n---\na: 1\n", 1, "not YAML"),
    ] {
        let error = only_error(text);
        assert!(error.message.contains(said), "{text:?}: {error:?}");
        assert_eq!(error.place.line, line, "{text:?}: {error:?}");
    }
    assert!(only_error("a:\n\tb: 1\n").fix.unwrap().contains("spaces"));
    assert!(load(FileId(0), &vec![b'#'; MAX_BYTES + 1]).root.is_none());
    let binary = load(FileId(0), b"a: 1\nb: \xff\n");
    assert_eq!(
        (binary.errors[0].place.line, binary.errors[0].place.column),
        (2, 4)
    );
}

#[test]
fn an_empty_text_is_an_empty_map() {
    for text in ["", "\n", "# nothing\n", "---\n"] {
        let root = load(FileId(0), text.as_bytes()).root.unwrap();
        assert!(
            matches!(&root.value, Value::Map(entries) if entries.is_empty())
                || matches!(&root.value, Value::Scalar(s) if s.kind() == ScalarKind::Null),
            "{text:?}"
        );
    }
}
