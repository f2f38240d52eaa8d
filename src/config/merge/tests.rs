use super::*;
use crate::config::files::FileTable;
use crate::config::yaml::{FileId, load};
use crate::source::RepoPath;

/// Merges texts in their order; the result as JSON would have it, and the messages.
fn merged(texts: &[(Rank, &str)]) -> (String, Vec<String>) {
    let mut files = FileTable::default();
    let said = texts
        .iter()
        .map(|(rank, text)| {
            let file = files.add(RepoPath::new(format!("{rank:?}.yml")).unwrap());
            let node = load(file, text.as_bytes()).root.unwrap();
            Said { rank: *rank, node }
        })
        .collect();
    let mut reader = Reader::new(files);
    let node = Merger::new(What::Resources, &mut reader).merge(said);
    let messages = reader
        .into_errors()
        .into_iter()
        .map(|error| error.message)
        .collect();
    (
        node.map_or("nothing".to_owned(), |node| print(&node)),
        messages,
    )
}

fn print(node: &Node) -> String {
    match &node.value {
        Value::Scalar(scalar) => scalar.text().to_owned(),
        Value::List(items) => format!(
            "[{}]",
            items.iter().map(print).collect::<Vec<_>>().join(",")
        ),
        Value::Map(entries) => {
            let entries = entries
                .iter()
                .map(|entry| format!("{}:{}", entry.key.text, print(&entry.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn maps_merge_lists_append_and_the_highest_rank_wins() {
    use Rank::{Host, Module, Profile};
    for (texts, result) in [
        (
            vec![(Module, "{a: 1, b: {c: 2}}"), (Host, "{b: {d: 3}}")],
            "{a:1,b:{c:2,d:3}}",
        ),
        (
            vec![(Host, "[3]"), (Module, "[1, 2]"), (Profile, "[2, x]")],
            "[1,2,x,3]",
        ),
        (vec![(Module, "[1, 1]")], "[1,1]"),
        (vec![(Host, "{a: 2}"), (Module, "{a: 1}")], "{a:2}"),
        (vec![(Module, "{a: 1}"), (Module, "{a: 1}")], "{a:1}"),
        (vec![(Module, "{a: }"), (Host, "{a: {b: 1}}")], "{a:{b:1}}"),
        (vec![(Module, "{a: {b: 1}}"), (Host, "{a: }")], "{a:{b:1}}"),
        (vec![(Module, "[1]"), (Host, "!override [2]")], "[2]"),
        (
            vec![(Module, "!override [1]"), (Module, "[2]"), (Host, "[3]")],
            "[1,3]",
        ),
        (
            vec![(Module, "{a: !default 1}"), (Module, "{a: 2}")],
            "{a:2}",
        ),
        (vec![(Host, "{a: !default 1}"), (Module, "{a: 2}")], "{a:2}"),
        (
            vec![(Module, "{a: !override 1}"), (Module, "{a: 2}")],
            "{a:1}",
        ),
        (
            vec![(Module, "{text: a, mode: 1}"), (Host, "{file: b}")],
            "{mode:1,file:b}",
        ),
        (vec![], "nothing"),
    ] {
        assert_eq!(merged(&texts), (result.to_owned(), vec![]), "{texts:?}");
    }
}

#[test]
fn what_cannot_be_merged_is_said() {
    for (texts, said) in [
        (
            [(Rank::Module, "{a: 1}"), (Rank::Module, "{a: 2}")],
            "`a` is given two different values",
        ),
        (
            [(Rank::Host, "{a: [1]}"), (Rank::Module, "{a: 2}")],
            "`a` is a list here, and a single value elsewhere",
        ),
        (
            [
                (Rank::Host, "{a: !override 1}"),
                (Rank::Host, "{a: !override 2}"),
            ],
            "`a` is given two different values",
        ),
    ] {
        let (_, messages) = merged(&texts);
        assert!(
            messages.len() == 1 && messages[0].contains(said),
            "{texts:?}: {messages:?}"
        );
    }
}

#[test]
fn a_value_keeps_the_place_of_who_said_it() {
    let file = FileId(7);
    let node = load(file, b"{a: 1}").root.unwrap();
    let other = load(FileId(8), b"{b: 1}").root.unwrap();
    let said = vec![
        Said {
            rank: Rank::Module,
            node,
        },
        Said {
            rank: Rank::Host,
            node: other,
        },
    ];
    let mut reader = Reader::new(FileTable::default());
    let merged = Merger::new(What::Resources, &mut reader)
        .merge(said)
        .unwrap();
    assert_eq!(merged.get("a").unwrap().place.file, file);
    assert_eq!(merged.get("b").unwrap().place.file, FileId(8));
}

mod associative {
    //! At one rank, it does not matter which files are merged first: what `a` and `b` say together with `c` is what `a`
    //! says together with `b` and `c`.

    use proptest::prelude::*;

    use super::*;
    use crate::config::yaml::{Entry, Key, Place, Scalar};

    const PLACE: Place = Place {
        file: FileId(0),
        line: 1,
        column: 1,
        length: 1,
    };

    fn scalar(text: &str) -> Node {
        Node::new(PLACE, Value::Scalar(Scalar::quoted(text)))
    }

    fn map(entries: impl IntoIterator<Item = (String, Node)>) -> Node {
        let entries = entries.into_iter().map(|(text, value)| Entry {
            key: Key { text, place: PLACE },
            value,
        });
        Node::new(PLACE, Value::Map(entries.collect()))
    }

    /// Values that never contradict each other: what a key holds is told from its name.
    fn tree() -> impl Strategy<Value = Node> {
        let word = proptest::sample::select(vec!["x", "y", "z"]);
        let list = proptest::collection::vec(word, 0..4).prop_map(|words| {
            Node::new(PLACE, Value::List(words.into_iter().map(scalar).collect()))
        });
        let leaf = prop_oneof![
            proptest::sample::select(vec!["s1", "s2"])
                .prop_map(|key| (key.to_owned(), scalar(key))),
            (proptest::sample::select(vec!["l1", "l2"]), list)
                .prop_map(|(key, list)| (key.to_owned(), list)),
        ];
        let level = |below: BoxedStrategy<(String, Node)>| {
            let entries = || {
                proptest::collection::btree_map(
                    proptest::sample::select(vec!["m1", "m2"]),
                    Just(()),
                    0..2,
                )
            };
            (entries(), proptest::collection::vec(below, 0..5))
                .prop_map(|(maps, entries)| {
                    let own = map(unique(entries));
                    (maps.into_keys().next().unwrap_or("m3").to_owned(), own)
                })
                .boxed()
        };
        let inner = level(leaf.boxed());
        let outer = level(prop_oneof![inner.clone(), inner].boxed());
        proptest::collection::vec(outer, 0..3).prop_map(|entries| map(unique(entries)))
    }

    fn unique(entries: Vec<(String, Node)>) -> Vec<(String, Node)> {
        let mut seen = std::collections::BTreeSet::new();
        entries
            .into_iter()
            .filter(|(key, _)| seen.insert(key.clone()))
            .collect()
    }

    fn together(nodes: &[&Node]) -> Node {
        let said = nodes.iter().map(|node| Said {
            rank: Rank::Module,
            node: (*node).clone(),
        });
        let mut files = FileTable::default();
        files.add(RepoPath::new("all.yml").unwrap());
        let mut reader = Reader::new(files);
        let merged = Merger::new(What::Resources, &mut reader).merge(said.collect());
        assert!(reader.into_errors().is_empty());
        merged.unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn files_of_one_rank_can_be_grouped_in_any_way((a, b, c) in (tree(), tree(), tree())) {
            let left = together(&[&together(&[&a, &b]), &c]);
            let right = together(&[&a, &together(&[&b, &c])]);
            let flat = together(&[&a, &b, &c]);
            prop_assert_eq!(print(&left), print(&flat));
            prop_assert_eq!(print(&right), print(&flat));
        }

        #[test]
        fn what_is_said_twice_is_said_once(a in tree()) {
            let once = together(&[&a]);
            // A list may have its own items twice; those of another file come once.
            prop_assert_eq!(print(&together(&[&once, &a])), print(&once));
        }
    }
}
