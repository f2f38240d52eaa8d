//! Errors as text: `error: … / cause: … / fix: …`.

use crate::report::Problem;

/// Prints `problem` on stderr.
pub fn print_problem(problem: &Problem) {
    let mut text = format!("error: {}\n", problem.what);
    for cause in &problem.causes {
        text.push_str(&format!("  cause: {cause}\n"));
    }
    if let Some(fix) = &problem.fix {
        text.push_str(&format!("  fix:   {fix}\n"));
    }
    for excerpt in &problem.excerpts {
        text.push_str(excerpt);
        text.push('\n');
    }
    anstream::eprint!("{text}");
}
