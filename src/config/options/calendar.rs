//! Calendar expressions of systemd (`systemd.time(7)`), checked without systemd.

/// What stands for a whole expression.
const WORDS: [&str; 9] = [
    "minutely",
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "semiannually",
    "yearly",
    "annually",
];

const DAYS: [&str; 14] = [
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// Says what is wrong with `text`.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut parts: Vec<&str> = text.split_whitespace().collect();
    if parts.is_empty() {
        return Err("it is empty".to_owned());
    }
    if parts.len() > 1 && parts.last().is_some_and(|last| is_zone(last)) {
        parts.pop();
    }
    if let [word] = parts.as_slice()
        && WORDS.contains(&word.to_ascii_lowercase().as_str())
    {
        return Ok(());
    }
    let mut parts = parts.into_iter().peekable();
    if let Some(days) = parts.next_if(|part| part.starts_with(|c: char| c.is_ascii_alphabetic())) {
        weekdays(days)?;
    }
    if let Some(date) = parts.next_if(|part| part.contains('-') || part.contains('~')) {
        date_part(date)?;
    }
    if let Some(time) = parts.next_if(|part| part.contains(':')) {
        time_part(time)?;
    }
    match parts.next() {
        None => Ok(()),
        Some(rest) => Err(format!(
            "`{rest}` is neither a weekday, a date, a time nor a time zone"
        )),
    }
}

fn is_zone(text: &str) -> bool {
    text == "UTC" || (text.contains('/') && text.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// `Mon`, `Mon..Fri`, `Mon,Wed`
fn weekdays(text: &str) -> Result<(), String> {
    for day in text.split(',').flat_map(|range| range.split("..")) {
        if !DAYS.contains(&day.to_ascii_lowercase().as_str()) {
            return Err(format!("`{day}` is not a weekday"));
        }
    }
    Ok(())
}

/// `*-*-*`, `2026-01-02`, `*-*~01`, `01-02`
fn date_part(text: &str) -> Result<(), String> {
    let parts: Vec<&str> = text.split(['-', '~']).collect();
    let bounds: &[(u32, u32)] = match parts.len() {
        2 => &[(1, 12), (1, 31)],
        3 => &[(1970, 2199), (1, 12), (1, 31)],
        _ => return Err(format!("`{text}` is not a date")),
    };
    for (part, bounds) in parts.iter().zip(bounds) {
        component(part, *bounds)?;
    }
    Ok(())
}

/// `02:00`, `*:0/15`, `02:00:30.5`
fn time_part(text: &str) -> Result<(), String> {
    let parts: Vec<&str> = text.split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return Err(format!("`{text}` is not a time"));
    }
    for (part, most) in parts.iter().zip([23, 59, 59]) {
        component(part, (0, most))?;
    }
    Ok(())
}

/// `*`, `5`, `1..5`, `0/15`, `1,2,3`
fn component(text: &str, (least, most): (u32, u32)) -> Result<(), String> {
    for item in text.split(',') {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        if let Some(step) = step
            && whole(step).is_none_or(|step| step == 0)
        {
            return Err(format!("`{step}` is not a repetition"));
        }
        if range == "*" {
            continue;
        }
        for number in range.split("..") {
            match whole(number) {
                Some(number) if (least..=most).contains(&number) => {}
                _ => return Err(format!("`{number}` is not a number from {least} to {most}")),
            }
        }
    }
    Ok(())
}

/// The whole part of a number; seconds may have a fraction.
fn whole(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (digits(whole) && digits(fraction)).then(|| whole.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn calendar_expressions_are_what_systemd_takes() {
        for good in [
            "02:00",
            "daily",
            "Mon *-*-* 03:00:00",
            "Mon..Fri 08:30",
            "Sat,Sun 10:00",
            "*-*-01 00:00:00",
            "*:0/15",
            "*-*-* 04:00:00 Europe/Berlin",
            "2026-01-02 03:04:05.5 UTC",
            "*-*~01",
            "10-15",
            "weekly UTC",
            "Wed",
            "*-1,7-1 0:0",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, said) in [
            ("", "empty"),
            ("25:00", "`25`"),
            ("2am", "neither"),
            ("every day", "not a weekday"),
            ("Mon 02:61", "`61`"),
            ("2026-13-01", "`13`"),
            ("*:0/0", "repetition"),
            ("1:2:3:4", "not a time"),
            ("02:00 sometimes", "neither"),
        ] {
            let why = check(bad).expect_err(bad);
            assert!(why.contains(said), "{bad}: {why}");
        }
    }
}
