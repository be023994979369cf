use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::DateTime;

/// What builds set that are to give equal bytes on any day: <https://reproducible-builds.org>.
const VARIABLE: &str = "SOURCE_DATE_EPOCH";

/// Returns the day in UTC, such as `30 November 2026`: that of `SOURCE_DATE_EPOCH`, seconds since
/// 1970, where that is set, so that a page can be made again to the same bytes, else today's.
pub fn today() -> String {
    let set = env::var(VARIABLE).ok();
    let day = set.as_deref().and_then(|text| day_of(text.parse().ok()?));
    if let (Some(text), None) = (&set, &day) {
        tracing::warn!(
            "{VARIABLE} is `{text}`, which is no number of seconds since 1970; the page gets \
             today's date"
        );
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let today = || day_of(now.ok()?.as_secs().try_into().ok()?);
    day.or_else(today).unwrap_or_default()
}

fn day_of(seconds: i64) -> Option<String> {
    let time = DateTime::from_timestamp(seconds, 0)?;
    Some(time.format("%-d %B %Y").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_people_do() {
        assert_eq!(day_of(0).unwrap(), "1 January 1970");
        assert_eq!(day_of(1_709_251_199).unwrap(), "29 February 2024");
        assert_eq!(day_of(i64::MAX), None);
        assert!(today().len() >= "1 May 2026".len());
    }
}
