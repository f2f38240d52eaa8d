use minijinja::context;

use super::*;
use crate::config::yaml::{FileId, ScalarKind, load};

fn text(source: &str) -> Result<String, String> {
    let variables = context! { name => "web", on => true, off => false, n => 3, nothing => (), list => vec![1, 2] };
    Engine::new()
        .text(source, &variables)
        .map_err(|failure| failure.message)
}

#[test]
fn text_is_filled_in_and_keeps_its_line_breaks() {
    for (source, result) in [
        (
            "{{ name }}: {{ on }} {{ off }} {{ n }}\n",
            "web: true false 3\n",
        ),
        (
            "{% for x in list %}\nx={{ x }}\n{% endfor %}\nend\n",
            "x=1\nx=2\nend\n",
        ),
        ("a\n  {% if on %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc\n"),
        ("${#array[@]} {{ list|join('-') }}", "${#array[@]} 1-2"),
        (
            "{% raw %}{{ .Names }}{% endraw %} {{ '{{' }}",
            "{{ .Names }} {{",
        ),
        ("<a href='&'>{{ '<' }}", "<a href='&'><"),
    ] {
        assert_eq!(text(source), Ok(result.to_owned()), "{source}");
    }
}

#[test]
fn what_cannot_be_filled_in_says_why() {
    for (source, said) in [
        ("{{ nme }}", "not defined"),
        ("{{ name.x.y }}", "not defined"),
        ("{{ nothing }}", "nothing (null)"),
        ("{{ list }}", "a list cannot stand"),
        ("{{ name|uper }}", "no filter `uper`"),
        ("{{ fetch() }}", "no function `fetch`"),
        ("{{ secret('a') }}", "no secret"),
        ("{{ name is strange }}", "no test `strange`"),
        ("{{ .Names }}", "not an expression"),
        ("{{ name", "an expression is not closed"),
        ("{% include 'x' %}", "no statement `include`"),
        ("{% macro x() %}{% endmacro %}", "no statement `macro`"),
        ("{{ debug() }}", "no function `debug`"),
        ("{{ 1 + 'a' }}", "fails"),
        ("{{ 1 // 0 }}", "fails"),
    ] {
        let message = text(source).expect_err(source);
        assert!(message.contains(said), "{source}: {message}");
    }
}

#[test]
fn nothing_runs_or_grows_without_bound() {
    for source in [
        "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
        "{{ 'x' * 1000000000 }}",
        "{{ ('x' * 100000) * 100000 }}",
        "{{ [1] * 100000000 | sort }}",
        "{{ range(100000000) | list | length }}",
        "{% set a = 'xxxxxxxxxx' %}{% for i in range(40) %}{% set a = a ~ a %}{% endfor %}{{ ('x' ~ a) * 10000000 }}",
        "{% for y in [name * 1000] %}{% for z in [y * 1000] %}{{ z * 1000 }}{% endfor %}{% endfor %}",
        "{{ name | replace('w', name * 100000) | replace('e', name * 100000) }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{{ loop([1]) }}{% endfor %}",
    ] {
        let message = text(source).expect_err(source);
        assert!(!message.is_empty(), "{source}");
    }
    let nested = format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000));
    assert!(text(&nested).is_err());
}

#[test]
fn all_expressions_of_a_host_share_one_budget() {
    let mut engine = Engine::new();
    let busy = "{% for a in range(90000) %}{{ a }}{% endfor %}";
    let failure = (0..10_000).find_map(|_| {
        engine
            .text(busy, &context! {})
            .err()
            .filter(|failure| failure.kind == FailureKind::Exhausted)
    });
    assert!(failure.is_some());
    assert_eq!(
        engine.text("{{ 1 }}", &context! {}).unwrap_err().kind,
        FailureKind::Exhausted
    );
}

#[test]
fn one_expression_alone_keeps_its_type() {
    let root = load(
        FileId(0),
        b"{a: [1, x], b: {c: true}, m: 0640, t: '5', e: 1.5}",
    )
    .root
    .unwrap();
    let variables = value_of(&root);
    let mut engine = Engine::new();
    for (source, kind) in [
        ("{{ b.c }}", ScalarKind::Boolean(true)),
        ("{{ a[0] + 1 }}", ScalarKind::Integer),
        ("{{ e }}", ScalarKind::Float),
        ("{{ m }}", ScalarKind::Text),
        ("{{ t }}", ScalarKind::Text),
        ("{{ a[1] }}", ScalarKind::Text),
        ("{{ 1 if b.c == false }}", ScalarKind::Null),
    ] {
        assert_eq!(engine.shape(source), Shape::Value, "{source}");
        let value = engine.value(source, &variables).unwrap();
        let node = node_of(&value, root.place, &mut 100).unwrap();
        assert_eq!(node.scalar().unwrap().kind(), kind, "{source}");
    }
    let value = engine
        .value("{{ {'x': a, 'y': none} }}", &variables)
        .unwrap();
    let node = node_of(&value, root.place, &mut 100).unwrap();
    assert!(node.get("x").unwrap().says_the_same(root.get("a").unwrap()));
    assert_eq!(node_of(&value, root.place, &mut 3), Err(TooMuch::Values));
}

#[test]
fn a_text_is_plain_one_expression_or_a_mixture() {
    let mut engine = Engine::new();
    for (text, expected) in [
        ("plain { text }", Shape::Plain),
        ("{{ a }}", Shape::Value),
        ("{{ '}}' }}", Shape::Value),
        ("{{ a }}-{{ b }}", Shape::Text),
        ("{{ a }} ", Shape::Text),
        ("{% if a %}b{% endif %}", Shape::Text),
    ] {
        assert_eq!(engine.shape(text), expected, "{text}");
    }
    let asked = names(
        engine.environment(),
        "{{ cfg.a.b }} {% for x in cfg.list %}{{ x.y + host.name }}{% endfor %}",
    );
    assert_eq!(
        asked.into_iter().collect::<Vec<_>>(),
        ["cfg.a.b", "cfg.list", "host.name"]
    );
}

#[test]
fn loops_name_what_they_go_through() {
    let names = |text: &str| Loop::parse(text).map(|head| (head.names.join("+"), head.over));
    let some = |names: &str, over: &str| Some((names.to_owned(), over.to_owned()));
    for (text, head) in [
        ("x in cfg.list", some("x", "cfg.list")),
        ("k, v in cfg.map", some("k+v", "cfg.map")),
        ("x in [1, 2] if x in y", some("x", "[1, 2] if x in y")),
        ("cfg.list", None),
        ("cfg in host", None),
        ("a, b, c in d", None),
        ("1x in y", None),
        ("x in ", None),
    ] {
        assert_eq!(names(text), head, "{text}");
    }
}

#[test]
fn templates_are_evaluated_but_for_their_secrets() {
    let variables = context! { url => "{{ secret(\"other\") }} {% x %}", user => "{" };
    let mut engine = Engine::new();
    let mut stored = |text: &str| {
        engine
            .secret_text(text, &variables)
            .map_err(|failure| failure.message)
    };
    assert_eq!(
        stored("a={{ secret(\"db/password\") }}\n"),
        Ok("a={{ secret(\"db/password\") }}\n".to_owned())
    );
    assert_eq!(
        stored("{{ user }}{{ secret('a') }}"),
        Ok("{{ \"{\" }}{{ secret(\"a\") }}".to_owned())
    );
    assert_eq!(
        stored("{{ url }}"),
        Ok("{{ \"{{\" }} secret(\"other\") }} {% x %}".to_owned())
    );
    assert!(
        stored("{{ secret('../x') }}")
            .unwrap_err()
            .contains("secret name")
    );
    assert!(stored("\u{F0001}").is_err());
}
