//! The engine: minijinja with a budget.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};

use super::failure::Failure;
use super::secret_text;
use super::syntax::{Shape, names, shape};

/// Steps of one expression or text; a step also pays for 64 bytes of data.
const STEPS_EACH: u64 = 100_000;
/// Steps of all expressions of one host together.
const STEPS_ALL: u64 = 5_000_000;
/// The longest text that comes of one expression or file.
const LONGEST_TEXT_BYTES: usize = 1024 * 1024;
/// How deep calls and nested blocks may go.
const RECURSION: usize = 100;

/// The filters there are; what grows without bound, prints internals or escapes HTML is left out.
const FILTERS: [&str; 42] = [
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
];
const MORE_FILTERS: [&str; 2] = ["upper", "zip"];

/// Evaluates the expressions of one host, within one budget.
pub(in crate::config) struct Engine {
    /// For values: what is printed is kept as it is.
    values: Environment<'static>,
    /// For texts.
    texts: Environment<'static>,
    /// For texts with secrets in them.
    secrets: Environment<'static>,
    /// What is known of texts that were seen before.
    seen: HashMap<String, Seen>,
    steps_left: u64,
}

/// What is known of a text without evaluating it.
#[derive(Clone)]
struct Seen {
    shape: Shape,
    names: Names,
}

/// The names that a text asks for.
pub(in crate::config) type Names = Arc<BTreeSet<String>>;

/// Texts up to this length are kept compiled. Longer ones are files, which are seldom evaluated more than once.
const KEPT_BYTES: usize = 2048;
/// How many texts are kept before all are forgotten.
const KEPT_TEXTS: usize = 5_000;

/// The value that was printed.
struct Printed(Value);

impl Engine {
    pub(in crate::config) fn new() -> Self {
        let base = environment();
        let mut values = base.clone();
        values.set_formatter(|_, state, value| {
            keep(state, value);
            Ok(())
        });
        let mut texts = base;
        texts.set_formatter(print);
        let mut secrets = texts.clone();
        secrets.add_function("secret", |name: &str| secret_text::placeholder(name));
        Self {
            values,
            texts,
            secrets,
            seen: HashMap::new(),
            steps_left: STEPS_ALL,
        }
    }

    /// Begins the budget of another host.
    pub(super) fn refill(&mut self) {
        self.steps_left = STEPS_ALL;
    }

    /// What kind of text it is.
    pub(in crate::config) fn shape(&mut self, text: &str) -> Shape {
        if !text.contains("{{") && !text.contains("{%") {
            return Shape::Plain;
        }
        self.look(text).shape
    }

    /// The names that a text asks for; see [`names`].
    pub(in crate::config) fn names(&mut self, text: &str) -> Names {
        self.look(text).names
    }

    fn look(&mut self, text: &str) -> Seen {
        if let Some(seen) = self.seen.get(text) {
            return seen.clone();
        }
        let seen = Seen {
            shape: shape(&self.texts, text),
            names: Arc::new(names(&self.texts, text)),
        };
        if text.len() <= KEPT_BYTES {
            if self.seen.len() >= KEPT_TEXTS {
                self.seen.clear();
                for environment in [&mut self.values, &mut self.texts, &mut self.secrets] {
                    environment.clear_templates();
                }
            }
            self.seen.insert(text.to_owned(), seen.clone());
        }
        seen
    }

    /// The environment, for looking at expressions without evaluating them.
    pub(in crate::config) fn environment(&self) -> &Environment<'static> {
        &self.texts
    }

    /// What is wrong with an expression that is written without braces, as far as can be seen without evaluating it.
    pub(in crate::config) fn check(&self, text: &str) -> Option<Failure> {
        let error = self
            .values
            .compile_expression_owned(text.to_owned())
            .err()?;
        let mut failure = Failure::of(&error, &[]);
        failure.fix = Some(
            "write one expression, without braces: `cfg.gui and host.name != \"web\"`".to_owned(),
        );
        Some(failure)
    }

    /// The value of a text that is one `{{ … }}`.
    pub(in crate::config) fn value(
        &mut self,
        text: &str,
        variables: &Value,
    ) -> Result<Value, Failure> {
        let limit = self.limit()?;
        self.values.set_fuel(Some(limit));
        let (printed, steps) = run(&mut self.values, text, variables, |captured, _| {
            captured
                .get_extension::<Printed>()
                .map(|kept| kept.0.clone())
        })
        .map_err(|error| self.failed(&error, limit))?;
        self.steps_left = self.steps_left.saturating_sub(steps);
        Ok(printed.unwrap_or_else(|| Value::from(())))
    }

    /// A text with its expressions evaluated.
    pub(in crate::config) fn text(
        &mut self,
        text: &str,
        variables: &Value,
    ) -> Result<String, Failure> {
        let limit = self.limit()?;
        self.texts.set_fuel(Some(limit));
        let (text, steps) = run(&mut self.texts, text, variables, |_, output| output)
            .map_err(|error| self.failed(&error, limit))?;
        self.steps_left = self.steps_left.saturating_sub(steps);
        short_enough(text)
    }

    /// A text with its expressions evaluated and its secrets still named, as `templates` are stored.
    pub(in crate::config) fn secret_text(
        &mut self,
        text: &str,
        variables: &Value,
    ) -> Result<String, Failure> {
        secret_text::check(text)?;
        let limit = self.limit()?;
        self.secrets.set_fuel(Some(limit));
        let (text, steps) = run(&mut self.secrets, text, variables, |_, output| output)
            .map_err(|error| self.failed(&error, limit))?;
        self.steps_left = self.steps_left.saturating_sub(steps);
        short_enough(secret_text::store(&text))
    }

    fn limit(&self) -> Result<u64, Failure> {
        match self.steps_left.min(STEPS_EACH) {
            0 => Err(Failure::exhausted()),
            limit => Ok(limit),
        }
    }

    fn failed(&mut self, error: &Error, limit: u64) -> Failure {
        if error.kind() == ErrorKind::OutOfFuel {
            self.steps_left = self.steps_left.saturating_sub(limit);
        }
        let filters: Vec<&str> = FILTERS.into_iter().chain(MORE_FILTERS).collect();
        Failure::of(error, &filters)
    }
}

/// Renders `text`; what comes of it, and the steps it took.
fn run<T>(
    environment: &mut Environment<'static>,
    text: &str,
    variables: &Value,
    take: impl FnOnce(&State<'_, '_>, String) -> T,
) -> Result<(T, u64), Error> {
    let kept = text.len() <= KEPT_BYTES;
    if kept && environment.get_template(text).is_err() {
        environment.add_template_owned(text.to_owned(), text.to_owned())?;
    }
    let environment = &*environment;
    let template = if kept {
        environment.get_template(text)?
    } else {
        environment.template_from_str(text)?
    };
    let captured = template.render_captured(variables.clone())?;
    let state = captured.state();
    let steps = state.fuel_levels().map_or(0, |(used, _)| used);
    let taken = take(state, captured.output().to_owned());
    // Even the shortest one costs something.
    Ok((taken, steps + 1))
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_recursion_limit(RECURSION);
    environment.set_debug(true);
    let syntax = SyntaxConfig::builder()
        // `{#` stands in shell scripts: `${#array[@]}`.
        .comment_delimiters("{#%", "%#}")
        .keep_trailing_newline(true)
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    if let Ok(syntax) = syntax {
        environment.set_syntax(syntax);
    }
    for filter in ["safe", "escape", "e", "pprint"] {
        environment.remove_filter(filter);
    }
    for global in ["debug", "namespace"] {
        environment.remove_global(global);
    }
    environment
}

/// Keeps what is printed instead of printing it.
fn keep(state: &mut State<'_, '_>, value: &Value) {
    *state.get_or_insert_extension(Printed(Value::from(()))) = Printed(value.clone());
}

/// Prints text, numbers and booleans; a list in the middle of a text is a mistake.
fn print(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let refused = |what: &str, fix: &str| {
        Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("{what} cannot stand in a text; {fix}"),
        ))
    };
    let written = match value.kind() {
        ValueKind::Bool => out.write_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number | ValueKind::String => write!(out, "{value}"),
        ValueKind::Undefined => Ok(()),
        ValueKind::None => {
            return refused(
                "nothing (null)",
                "say what to write with `|default(\"…\", true)`",
            );
        }
        ValueKind::Seq | ValueKind::Iterable => {
            return refused("a list", "join it with `|join(\", \")`");
        }
        ValueKind::Map => return refused("a map", "name one of its values, or use `|tojson`"),
        _ => return refused("this", "name a text, a number or a boolean"),
    };
    written.map_err(Error::from)
}

fn short_enough(text: String) -> Result<String, Failure> {
    if text.len() > LONGEST_TEXT_BYTES {
        return Err(Failure::wrong(format!(
            "this gives a text of {} bytes; at most {LONGEST_TEXT_BYTES} are allowed",
            text.len()
        )));
    }
    Ok(text)
}
