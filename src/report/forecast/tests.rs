use super::*;
use crate::config::resolve;
use crate::generation::build;
use crate::source::{RepoPath, Snapshot};

fn host() -> HostName {
    HostName::new("web").unwrap()
}

fn built(text: &str) -> Built {
    let path = RepoPath::new("hosts/web/host.yml").unwrap();
    let snapshot = Snapshot::in_memory([(path, text.as_bytes().to_vec())].into());
    let config = resolve(&snapshot, &host()).unwrap();
    build(&config, &snapshot).unwrap()
}

const UNIT: &str = "text: \"[Service]\\nExecStart=/bin/sleep 1\\n\", start: true";

fn before() -> String {
    format!(
        "files:\n  /etc/app.conf: {{ text: \"a\\nb\\n\", units: {{ reload: [app.service] }} }}\n  /etc/gone: {{ text: \"x\\n\" }}\nunits:\n  app.service: {{ {UNIT} }}\n  other.service: {{ {UNIT} }}\n"
    )
}

#[test]
fn a_forecast_has_differences_units_with_reasons_and_lines() {
    let after = before()
        .replace("a\\nb\\n", "a\\nc\\n")
        .replace("  /etc/gone: { text: \"x\\n\" }\n", "")
        .replace(
            "other.service: { text: \"[Service]\\nExecStart=/bin/sleep 1",
            "other.service: { text: \"[Service]\\nExecStart=/bin/sleep 2",
        );
    let forecast = Forecast::between(&host(), Some(&built(&before())), Some(&built(&after)));
    let units: Vec<String> = forecast.units.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(units.join("\n"), @r"
    stop other.service (/etc/systemd/system/other.service changes)
    reload app.service (/etc/app.conf changes)
    start other.service (/etc/systemd/system/other.service changes)
    ");
    let texts: Vec<&str> = forecast
        .texts
        .iter()
        .filter_map(|text| text.diff.as_deref())
        .collect();
    insta::assert_snapshot!(texts.join(""), @r"
    --- /etc/app.conf
    +++ /etc/app.conf
    @@ -1,2 +1,2 @@
     a
    -b
    +c
    --- /etc/gone
    +++ /dev/null
    @@ -1 +0,0 @@
    -x
    --- /etc/systemd/system/other.service
    +++ /etc/systemd/system/other.service
    @@ -1,2 +1,2 @@
     [Service]
    -ExecStart=/bin/sleep 1
    +ExecStart=/bin/sleep 2
    ");
}

#[test]
fn the_same_is_nothing_and_a_new_host_has_no_lines() {
    let one = built(&before());
    let same = Forecast::between(&host(), Some(&one), Some(&one));
    assert!(same.is_empty() && same.units.is_empty() && same.texts.is_empty());
    let new = Forecast::between(&host(), None, Some(&one));
    assert!(!new.is_empty() && new.texts.is_empty());
    assert_eq!(new.units.len(), 2, "{:?}", new.units);
}

#[test]
fn what_is_no_text_says_so() {
    let large = "y".repeat(300_000);
    let of = |text: &str| built(&format!("files: {{ /etc/a: {{ text: \"{text}\" }} }}\n"));
    for (old, new, reason) in [
        ("a", "b\\0", "binary"),
        ("a", large.as_str(), "too large to show"),
    ] {
        let forecast = Forecast::between(&host(), Some(&of(old)), Some(&of(new)));
        assert_eq!(forecast.texts[0].left_out.as_deref(), Some(reason));
        assert_eq!(forecast.texts[0].diff, None);
    }
}
