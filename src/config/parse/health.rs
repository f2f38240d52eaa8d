//! `health`.

use super::HostParser;
use crate::config::reader::Fields;
use crate::config::vocabulary::{
    CHECK_COMMAND, CHECK_FILE, CHECK_HTTP, CHECK_TCP, CHECK_UNIT, Field,
};
use crate::config::yaml::{Entry, Node, Value};
use crate::health::{Check, Probe};

/// The probes, each with the keys it has; the first is the one that names it.
const PROBES: [&[Field]; 5] = [CHECK_UNIT, CHECK_HTTP, CHECK_TCP, CHECK_COMMAND, CHECK_FILE];

const EXAMPLE: &str = "begin it with `unit:`, `http:`, `tcp:`, `command:` or `file:`, as in `- { unit: nginx.service }`";

const DEFAULT_WITHIN_MS: u64 = 30_000;

impl HostParser<'_> {
    pub(super) fn health(&mut self, node: &Node) {
        for item in self.reader.list(node, "checks").unwrap_or_default() {
            if let Some(check) = self.check(item) {
                let check = self.reader.located(item.place, check);
                self.config.health.push(check);
            }
        }
    }

    fn check(&mut self, item: &Node) -> Option<Check> {
        let entries = self.reader.entries(item, "a check")?;
        let asked: Vec<(&Entry, &[Field])> = entries
            .iter()
            .filter_map(|entry| {
                let keys = PROBES.iter().find(|keys| keys[0].key == entry.key.text)?;
                Some((entry, *keys))
            })
            .collect();
        let (probe, keys) = match asked.as_slice() {
            [one] => *one,
            [] => {
                self.reader
                    .error(item.place, "a check says what it asks")
                    .fix = Some(EXAMPLE.to_owned());
                return None;
            }
            [(first, _), (second, _), ..] => {
                let mark = self.reader.mark(first.key.place);
                let error = self
                    .reader
                    .error(second.key.place, "a check asks one thing");
                error.related = Some((mark, "this is asked already".to_owned()));
                error.fix = Some("make two checks of it".to_owned());
                return None;
            }
        };
        let what = format!("a check by `{}`", probe.key.text);
        let fields = self.reader.fields(item, &what, keys)?;
        let within_ms = match fields.get("within") {
            Some(node) => self.duration(node),
            None => Some(DEFAULT_WITHIN_MS),
        };
        let required = match fields.get("required") {
            Some(node) => self.reader.boolean(node),
            None => Some(true),
        };
        let probe = self.probe(probe, fields);
        Some(Check {
            probe: probe?,
            within_ms: within_ms?,
            required: required?,
        })
    }

    fn probe(&mut self, entry: &Entry, fields: Fields<'_>) -> Option<Probe> {
        let node = &entry.value;
        match entry.key.text.as_str() {
            "unit" => Some(Probe::Unit {
                unit: self.reader.name(node)?,
            }),
            "http" => {
                let url = self.url(node);
                let status = match fields.get("status") {
                    Some(node) => self.status(node),
                    None => Some(200),
                };
                Some(Probe::Http {
                    url: url?,
                    status: status?,
                })
            }
            "tcp" => Some(Probe::Tcp {
                address: self.address(node)?,
            }),
            "command" => Some(Probe::Command {
                argv: self.argv(node)?,
            }),
            _ => {
                let path = self.reader.name(node);
                let mode = fields.get("mode").map(|node| self.reader.name(node));
                let contains = fields.get("contains").map(|node| self.reader.text(node));
                Some(Probe::File {
                    path: path?,
                    mode: mode.map_or(Some(None), |mode| mode.map(Some))?,
                    contains: contains
                        .map_or(Some(None), |text| text.map(|text| Some(text.to_owned())))?,
                })
            }
        }
    }

    fn url(&mut self, node: &Node) -> Option<String> {
        let text = self.reader.line(node)?;
        let rest = text
            .strip_prefix("http://")
            .or_else(|| text.strip_prefix("https://"));
        match rest {
            Some(rest) if !rest.is_empty() && !rest.starts_with('/') && !text.contains(' ') => {
                Some(text.to_owned())
            }
            _ => {
                self.reader
                    .wrong_type(node, "an address that begins with `http://` or `https://`");
                None
            }
        }
    }

    fn status(&mut self, node: &Node) -> Option<u16> {
        let number = self.reader.number(node, 599)?;
        match u16::try_from(number) {
            Ok(status) if status >= 100 => Some(status),
            _ => {
                self.reader
                    .wrong_type(node, "an HTTP status from 100 to 599");
                None
            }
        }
    }

    /// `host:port`, `[v6 address]:port`.
    pub(super) fn address(&mut self, node: &Node) -> Option<String> {
        let text = self.reader.line(node)?;
        let split = text.rsplit_once(':');
        let good = split.is_some_and(|(host, port)| {
            let bracketed = host.starts_with('[') && host.ends_with(']') && host.len() > 2;
            let plain = !host.is_empty() && !host.contains([':', '[', ']', '/', ' ']);
            (bracketed || plain) && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
        if good {
            return Some(text.to_owned());
        }
        self.reader
            .wrong_type(node, "an address `host:port` such as `127.0.0.1:8080`");
        None
    }

    pub(super) fn argv(&mut self, node: &Node) -> Option<Vec<String>> {
        if let Value::Scalar(scalar) = &node.value
            && scalar.text().contains(' ')
        {
            let words: Vec<&str> = scalar.text().split_whitespace().collect();
            let error = self
                .reader
                .wrong_type(node, "a list of the program and its arguments");
            error.cause = Some("no shell cuts a command into words".to_owned());
            error.fix = Some(format!("write `[{}]`", words.join(", ")));
            return None;
        }
        let items = self.reader.list(node, "the program and its arguments")?;
        let words: Vec<Option<&str>> = items.iter().map(|item| self.reader.text(item)).collect();
        let argv: Vec<String> = words
            .into_iter()
            .map(|word| word.map(str::to_owned))
            .collect::<Option<_>>()?;
        if argv.first().is_none_or(String::is_empty) {
            self.reader.error(node.place, "a command needs a program");
            return None;
        }
        Some(argv)
    }
}
