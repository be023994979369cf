//! Numbers on the command line, each with what is expected in its place.

use std::str::FromStr;

/// Reads a number.
///
/// # Errors
/// If it is none.
pub fn number<T: FromStr + Into<f64> + Copy>(text: &str) -> Result<T, String> {
    read(text, |_| true, "a number")
}

/// Reads a number above 0.
///
/// # Errors
/// If it is none.
pub fn positive<T: FromStr + Into<f64> + Copy>(text: &str) -> Result<T, String> {
    read(text, |number| number > 0.0, "a number above 0")
}

/// Reads a number of 0 or more.
///
/// # Errors
/// If it is none.
pub fn not_negative<T: FromStr + Into<f64> + Copy>(text: &str) -> Result<T, String> {
    read(text, |number| number >= 0.0, "a number of 0 or more")
}

/// Reads a number other than 0.
///
/// # Errors
/// If it is none.
pub fn not_zero<T: FromStr + Into<f64> + Copy>(text: &str) -> Result<T, String> {
    read(text, |number| number != 0.0, "a number other than 0")
}

/// Reads a share, both ends included.
///
/// # Errors
/// If it is none.
pub fn share<T: FromStr + Into<f64> + Copy>(text: &str) -> Result<T, String> {
    let is_share = |number| (0.0..=1.0).contains(&number);
    read(text, is_share, "a number from 0 to 1")
}

/// Reads a similarity that something is to reach, or not to exceed.
///
/// # Errors
/// If it is none.
pub fn similarity<T: FromStr + Into<f64> + Copy>(text: &str) -> Result<T, String> {
    let is_one = |number| number > 0.0 && number <= 1.0;
    read(text, is_one, "a number above 0 and up to 1")
}

/// Reads a share that is neither nothing nor all.
///
/// # Errors
/// If it is none.
pub fn open_share<T: FromStr + Into<f64> + Copy>(text: &str) -> Result<T, String> {
    let is_share = |number| number > 0.0 && number < 1.0;
    read(text, is_share, "a share above 0 and below 1, such as 0.1")
}

/// Reads a whole number above 0.
///
/// # Errors
/// If it is none.
pub fn positive_whole(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|&number| number > 0);
    number.ok_or_else(|| "expected a whole number above 0".to_owned())
}

/// Reads a finite number of which `holds` is true.
///
/// # Errors
/// If it is none; the message says what was expected.
pub fn read<T: FromStr + Into<f64> + Copy>(
    text: &str,
    holds: impl Fn(f64) -> bool,
    expected: &str,
) -> Result<T, String> {
    let is_one = |number: &T| {
        let number: f64 = (*number).into();
        number.is_finite() && holds(number)
    };
    let number = text.parse().ok().filter(is_one);
    number.ok_or_else(|| format!("expected {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_such_number_is_said_with_what_is_expected() {
        assert_eq!(number("-1.5"), Ok(-1.5));
        assert_eq!(share("1"), Ok(1f32));
        assert_eq!(positive_whole("3"), Ok(3));
        for wrong in ["", "x", "NaN", "inf"] {
            assert_eq!(number::<f64>(wrong).unwrap_err(), "expected a number");
        }
        let errors = [
            positive::<f64>("0"),
            not_negative("-1"),
            not_zero("0"),
            share("1.1"),
            open_share("1"),
        ];
        assert_eq!(
            errors.map(Result::unwrap_err),
            [
                "expected a number above 0",
                "expected a number of 0 or more",
                "expected a number other than 0",
                "expected a number from 0 to 1",
                "expected a share above 0 and below 1, such as 0.1"
            ]
        );
        assert_eq!(
            positive_whole("0").unwrap_err(),
            "expected a whole number above 0"
        );
    }
}
