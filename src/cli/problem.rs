//! Errors as text: `error: … / cause: … / fix: …`, then the lines of the repository that they are about.

use crate::cli::render::Page;
use crate::cli::style::{BAD, FAINT, LABEL, WARN, paint};
use crate::report::Problem;

/// Prints `problem` on stderr.
pub(super) fn print_problem(problem: &Problem) {
    let page = Page::of_stderr();
    super::answer::say(render(problem, page).trim_end());
}

/// Prints `problem` on stderr as something that the command gets by without.
pub(super) fn warn(problem: &Problem) {
    let label = paint(WARN, "warning:");
    super::answer::say(labelled(&label, problem, Page::of_stderr()).trim_end());
}

/// `problem` as text, with colours.
fn render(problem: &Problem, page: Page) -> String {
    labelled(&paint(BAD, "error:"), problem, page)
}

fn labelled(label: &str, problem: &Problem, page: Page) -> String {
    let paragraph = |label: &str, indent, text: &str| paragraph(label, indent, text, page);
    let mut text = paragraph(label, 7, &problem.what);
    let mut said = &problem.what;
    // Excerpts say the causes, each at its place.
    let causes = if problem.excerpts.is_empty() {
        problem.causes.as_slice()
    } else {
        &[]
    };
    for cause in causes {
        // Errors of other crates tend to repeat what they are caused by.
        if !said.ends_with(cause.as_str()) {
            text.push_str(&paragraph(
                &format!("  {}", paint(FAINT, "cause:")),
                9,
                cause,
            ));
        }
        said = cause;
    }
    if let Some(fix) = &problem.fix {
        text.push_str(&paragraph(&format!("  {}", paint(LABEL, "fix:")), 9, fix));
    }
    for excerpt in &problem.excerpts {
        text.push('\n');
        text.push_str(excerpt.trim_end());
        text.push('\n');
    }
    text
}

/// `label` and `text`, whose further lines are indented to `indent`.
fn paragraph(label: &str, indent: usize, text: &str, page: Page) -> String {
    let used = anstream::adapter::strip_str(label).to_string().len();
    let pad = indent.saturating_sub(used).max(1);
    let first = format!("{label}{:pad$}", "");
    let later = " ".repeat(indent);
    let mut lines = Vec::new();
    for (number, line) in text.trim_end().lines().enumerate() {
        let before = if number == 0 { &first } else { &later };
        let line = page.broken_behind(indent, line);
        lines.push(format!("{before}{line}\n"));
    }
    lines.concat()
}

#[cfg(test)]
mod tests;
