//! Where log lines go: stderr for a person, the journal under systemd.

use tracing::Metadata;
use tracing_subscriber::filter::{EnvFilter, FilterFn, ParseError, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry};

use super::events::TARGET;

/// The variable that sets what is logged.
pub const LOG_VARIABLE: &str = "STEADFAST_LOG";

/// Who reads the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Somebody at a terminal, who is told what happens and how it ended anyway: nothing.
    Person,
    /// Nobody right now: everything that changed the host.
    Service,
}

/// Whether state changes are told to the journal when stderr is not the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announce {
    /// They are, where there is a journal.
    ToJournal,
    /// They are not: nothing outside a `--root` is touched.
    Nowhere,
}

/// Logging cannot begin.
#[derive(Debug, thiserror::Error)]
#[error("{LOG_VARIABLE} is `{value}`, which is not a log filter")]
pub struct LogError {
    value: String,
    #[source]
    cause: ParseError,
}

impl LogError {
    /// How to fix it.
    #[must_use]
    pub fn fix(&self) -> String {
        format!("unset it, or set it to something like `{LOG_VARIABLE}=debug`")
    }
}

/// Begins to log, for the rest of the process.
///
/// # Errors
/// [`LogError`] if `STEADFAST_LOG` is set to something that is not a filter.
pub fn start_log(audience: Audience, announce: Announce) -> Result<(), LogError> {
    let wanted = std::env::var(LOG_VARIABLE).ok();
    let under_systemd = stderr_is_journal();
    let is_unwanted = wanted.as_deref().is_none_or(str::is_empty);
    if audience == Audience::Person
        && announce == Announce::Nowhere
        && is_unwanted
        && !under_systemd
    {
        // Nobody listens, so nobody has to be told.
        return Ok(());
    }
    let filter = filter(audience, wanted)?;
    let announcing = under_systemd || announce == Announce::ToJournal;
    // A host without journald, such as a container, has stderr only: that is not an error.
    let journal = |prefix: Option<&str>| {
        let layer = tracing_journald::layer().ok()?;
        Some(layer.with_field_prefix(prefix.map(str::to_owned)))
    };
    // MESSAGE_ID must not get a prefix, so state changes have a layer of their own.
    let events = announcing.then(|| journal(None)).flatten();
    let told = events.is_some();
    let lines = under_systemd.then(|| journal(Some("STEADFAST"))).flatten();
    let stderr = lines.is_none().then(|| {
        tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(
                anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never,
            )
            .without_time()
            .with_target(false)
    });
    let on_stderr = !told && audience == Audience::Service;
    Registry::default()
        .with(events.map(|layer| layer.with_filter(filter_fn(is_event))))
        .with(
            lines
                .map(|layer| layer.with_filter(FilterFn::new(|line| !is_event(line))))
                .with_filter(filter.clone()),
        )
        .with(
            stderr
                .map(|layer| {
                    layer.with_filter(FilterFn::new(move |line| on_stderr || !is_event(line)))
                })
                .with_filter(filter),
        )
        .init();
    Ok(())
}

fn is_event(line: &Metadata<'_>) -> bool {
    line.target() == TARGET
}

fn filter(audience: Audience, wanted: Option<String>) -> Result<EnvFilter, LogError> {
    let value = match (wanted, audience) {
        (Some(wanted), _) if !wanted.is_empty() => wanted,
        (_, Audience::Person) => "off".to_owned(),
        (_, Audience::Service) => "info".to_owned(),
    };
    EnvFilter::builder()
        .parse(&value)
        .map_err(|cause| LogError { value, cause })
}

/// Whether stderr is connected to the journal; `JOURNAL_STREAM` alone is inherited by shells whose stderr is not.
fn stderr_is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    let Ok(stat) = rustix::fs::fstat(std::io::stderr()) else {
        return false;
    };
    stream == format!("{}:{}", stat.st_dev, stat.st_ino)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_with_a_typo_is_an_error() {
        let error = filter(Audience::Person, Some("steadfast=lots".into())).unwrap_err();
        insta::assert_snapshot!(error, @"STEADFAST_LOG is `steadfast=lots`, which is not a log filter");
        for (audience, wanted, filter_text) in [
            (Audience::Person, None, "off"),
            (Audience::Service, None, "info"),
            (Audience::Service, Some("debug"), "debug"),
            (Audience::Person, Some(""), "off"),
        ] {
            let found = filter(audience, wanted.map(str::to_owned)).unwrap();
            assert_eq!(found.to_string(), filter_text);
        }
    }
}
