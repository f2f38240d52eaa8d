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
