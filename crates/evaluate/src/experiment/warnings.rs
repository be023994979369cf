use pairmill_metrics::Proportion;

use super::effect::LEAST_EXPECTED;
use super::log::{ArmLog, Log, User};
use super::result::SampleRatio;
use crate::evaluation::chance;

/// With fewer users a sum over them is hardly normally distributed.
const FEW_USERS: usize = 30;

/// What speaks against believing the figures.
pub(super) fn warnings(log: &Log, control: &str, ratio: &SampleRatio) -> Vec<String> {
    let mut warnings = Vec::new();
    warnings.extend(mismatch(ratio));
    match log.users_in_several_arms {
        None => warnings.push(
            "the log has no users, so every impression and answer counts as independent of the others, which is too sure where users come back".to_owned(),
        ),
        Some(0) => {}
        Some(users) => warnings.push(format!(
            "{users} users were seen in more than one arm; they count in each of them, which blurs the difference"
        )),
    }
    warnings.extend(absent(log, ratio));
    warnings.extend(empty(log, "impressions", "click-through", |arm| {
        arm.clicks.map(|_| arm.impressions)
    }));
    warnings.extend(empty(log, "answers", "satisfaction", |arm| {
        arm.satisfaction.map(|answers| answers.count())
    }));
    warnings.extend(few_clicks(log, control));
    if log.arms.values().any(|arm| arm.clicks.is_some()) {
        warnings.extend(few_users(log, "impressions", |user| user.impressions));
    }
    if log.arms.values().any(|arm| arm.satisfaction.is_some()) {
        warnings.extend(few_users(log, "answers", |user| user.answers));
    }
    warnings
}

fn mismatch(ratio: &SampleRatio) -> Option<String> {
    let counts = ratio.observed.iter().map(|(arm, count)| {
        let expected = ratio.expected.get(arm).copied().unwrap_or(0.0);
        format!("{arm} {count} instead of {expected:.0}")
    });
    ratio.mismatch.then(|| {
        format!(
            "SAMPLE RATIO MISMATCH: the {} were not split as planned ({}; p {}): do not believe the figures before you know why",
            ratio.of,
            counts.collect::<Vec<_>>().join(", "),
            ratio.p_value.map(chance).unwrap_or_default()
        )
    })
}

/// Arms that were planned and are not there.
fn absent(log: &Log, ratio: &SampleRatio) -> Option<String> {
    let planned = ratio.observed.keys();
    let absent: Vec<&str> = planned
        .filter(|arm| !log.arms.contains_key(*arm))
        .map(String::as_str)
        .collect();
    (!absent.is_empty()).then(|| {
        format!(
            "{} of {} planned arms have no row in the log: {}",
            absent.len(),
            ratio.observed.len(),
            absent.join(", ")
        )
    })
}

/// Arms of which a figure cannot be given, because there is none of what `count` counts.
fn empty(
    log: &Log,
    counted: &str,
    measure: &str,
    count: impl Fn(&ArmLog) -> Option<u64>,
) -> Option<String> {
    let arms = log.arms.iter();
    let empty: Vec<&str> = arms
        .filter(|(_, arm)| count(arm) == Some(0))
        .map(|(name, _)| name.as_str())
        .collect();
    (!empty.is_empty()).then(|| {
        format!(
            "{} of {} arms have no {counted}, so there is no {measure} of theirs to compare: {}",
            empty.len(),
            log.arms.len(),
            empty.join(", ")
        )
    })
}

/// Arms with too few clicks, or impressions without one, for the normal distribution.
fn few_clicks(log: &Log, control: &str) -> Option<String> {
    let rate = |arm: &ArmLog| Proportion::new(arm.clicks?, arm.impressions);
    let base = rate(log.arms.get(control)?)?;
    let arms = log.arms.iter().filter(|(name, _)| *name != control);
    let few: Vec<String> = arms
        .filter_map(|(name, arm)| {
            let expected = rate(arm)?.least_expected(base);
            (expected < LEAST_EXPECTED).then(|| format!("{name} {expected:.1}"))
        })
        .collect();
    let by_user = match log.users_in_several_arms {
        Some(_) => "; tests by user rest on the normal distribution all the same",
        None => "",
    };
    (!few.is_empty()).then(|| {
        format!(
            "{} of {} arms have so few clicks, or impressions without one, that fewer than {LEAST_EXPECTED} are to be expected there or in {control} if both are alike, and are tested by Fisher's exact test instead of the z test{by_user}: {}",
            few.len(),
            log.arms.len() - 1,
            few.join(", ")
        )
    })
}

/// Arms with too few users for the normal distribution.
fn few_users(log: &Log, counted: &str, count: impl Fn(&User) -> f64) -> Option<String> {
    let arms = log.arms.iter();
    let few: Vec<String> = arms
        .filter_map(|(name, arm)| {
            let users = arm.users.as_ref()?.iter();
            let users = users.filter(|user| count(user) > 0.0).count();
            (users < FEW_USERS).then(|| format!("{name} {users}"))
        })
        .collect();
    (!few.is_empty()).then(|| {
        format!(
            "{} of {} arms have fewer than {FEW_USERS} users with {counted}, too few to rely on tests by user, which rest on the normal distribution: {}",
            few.len(),
            log.arms.len(),
            few.join(", ")
        )
    })
}
