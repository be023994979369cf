use pairmill_metrics::Proportion;
use pairmill_report::format::chance;
use pairmill_schema::{agreeing, counted};

use crate::effect::LEAST_EXPECTED;
use crate::log::{ArmLog, Log, User};
use crate::sample_ratio::SampleRatio;
use crate::suspects::Suspects;

/// With fewer users a sum over them is hardly normally distributed.
const FEW_USERS: usize = 30;

/// What speaks against believing the figures.
pub(crate) fn warnings(
    log: &Log,
    control: &str,
    ratio: &SampleRatio,
    confidence: f64,
) -> Vec<String> {
    let mut warnings = Vec::new();
    warnings.extend(mismatch(ratio));
    match log.users_in_several_arms {
        None => warnings.push(
            "the log has no users, so every impression and answer counts as independent of the \
             others, which is too sure where users come back"
                .to_owned(),
        ),
        Some(0) => {}
        Some(users) => warnings.push(format!(
            "{} seen in more than one arm ({}), and counted in each of them as another user, which \
             blurs the difference",
            counted(users, "user was", "users were"),
            named(&log.crossers, users)
        )),
    }
    warnings.extend(repeats(log));
    warnings.extend(order(log));
    warnings.extend(spans(log, control));
    warnings.extend(robots(log, control, confidence));
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

/// What the answers rest on.
pub(crate) fn rests_on(log: &Log) -> String {
    if log.users_in_several_arms.is_none() {
        return "the tests by impression and by answer, since the log has no users".to_owned();
    }
    let users = log.arms.values().flat_map(|arm| arm.users.iter().flatten());
    let (mut all, mut several) = (0u64, 0u64);
    for user in users {
        all += 1;
        several += u64::from(user.impressions.max(user.answers) > 1.0);
    }
    format!(
        "the tests by user: {}, {several} of them with several impressions or answers, which are \
         not independent of each other",
        counted(all, "user", "users")
    )
}

fn named(ids: &[String], all: u64) -> String {
    let ids: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
    match all > ids.len() as u64 {
        true => format!("{}, …", ids.join(", ")),
        false => ids.join(", "),
    }
}

/// What the log has several times and counts once.
fn repeats(log: &Log) -> Vec<String> {
    let mut said = Vec::new();
    let repeats = &log.repeats;
    if let Some((row, clicks)) = repeats.first {
        said.push(format!(
            "{} of {} {} more clicks than one impression can have (the first: row {row}, {clicks} \
             clicks); such an impression counts as clicked once. If rows sum up several \
             impressions, name their column with --impressions-column",
            repeats.rows,
            counted(log.rows, "row", "rows"),
            agreeing(repeats.rows, "has", "have")
        ));
    }
    if repeats.impressions > 0 {
        said.push(format!(
            "{} of {} {} of an impression that an earlier row has; it counts once, and its click \
             too",
            repeats.impressions,
            counted(log.rows, "row", "rows"),
            agreeing(repeats.impressions, "is", "are")
        ));
    }
    if let Some((user, clicks, impressions)) = &repeats.first_user {
        said.push(format!(
            "{} more clicks than impressions (the first: `{user}`, {clicks} clicks on \
             {impressions}); as many clicks as impressions count",
            counted(repeats.users, "user has", "users have")
        ));
    }
    said
}

/// Rows that do not stand in the order of their times, unless all of them are turned round.
fn order(log: &Log) -> Option<String> {
    let order = &log.order;
    let (row, time, above) = order.first?;
    (order.later > 0).then(|| {
        format!(
            "{} of {} with a time {} before the row above (the first: row {row}, {} below {}); the figures do not depend on the order, but clocks or files may be mixed \
             up",
            order.earlier,
            counted(order.rows, "row", "rows"),
            agreeing(order.earlier, "lies", "lie"),
            when(time),
            when(above)
        )
    })
}

/// Arms that ran at other times than the control.
fn spans(log: &Log, control: &str) -> Vec<String> {
    let Some(base) = log.arms.get(control).and_then(|arm| arm.times) else {
        return Vec::new();
    };
    let arms = log.arms.iter().filter(|(name, _)| *name != control);
    arms.filter_map(|(name, arm)| {
        let (first, last) = arm.times?;
        let common = last.min(base.1) - first.max(base.0);
        let longest = (last - first).max(base.1 - base.0);
        // Half of the time, so that a start some hours later does not count.
        (longest > 0 && 2 * common.max(0) < longest).then(|| {
            format!(
                "{name} was seen from {} to {} and {control} from {} to {}, so what differs may be \
                 the time and not the arm",
                when(first),
                when(last),
                when(base.0),
                when(base.1)
            )
        })
    })
    .collect()
}

fn when(micros: i64) -> String {
    match arrow::temporal_conversions::timestamp_us_to_datetime(micros) {
        Some(time) => time.format("%Y-%m-%d %H:%M:%S").to_string(),
        None => micros.to_string(),
    }
}

/// Users who are hardly people, and what the test says without them.
fn robots(log: &Log, control: &str, confidence: f64) -> Vec<String> {
    let mut said = Vec::new();
    let of_arms: Vec<(&String, Suspects<'_>)> = (log.arms.iter())
        .map(|(name, arm)| (name, Suspects::of(arm)))
        .collect();
    let base = of_arms.iter().find(|(name, _)| *name == control);
    for (name, suspects) in &of_arms {
        said.extend(suspects.sentences(name));
    }
    if let Some((_, base)) = base {
        let others = of_arms.iter().filter(|(name, _)| *name != control);
        let touched = others.filter(|(_, one)| !one.is_empty() || !base.is_empty());
        said.extend(touched.filter_map(|(name, one)| one.without(name, base, confidence)));
    }
    said
}

fn mismatch(ratio: &SampleRatio) -> Option<String> {
    let counts = ratio.observed.iter().map(|(arm, count)| {
        let expected = ratio.expected.get(arm).copied().unwrap_or(0.0);
        format!("{arm} {count} instead of {expected:.0}")
    });
    ratio.mismatch.then(|| {
        format!(
            "SAMPLE RATIO MISMATCH: the {} were not split as planned ({}; p {}): do not believe \
             the figures before you know why",
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
            "{} of {} {} no row in the log: {}",
            absent.len(),
            counted(ratio.observed.len(), "planned arm", "planned arms"),
            agreeing(absent.len(), "has", "have"),
            absent.join(", ")
        )
    })
}

/// Arms of which a figure cannot be given, because there is none of what `count` counts.
fn empty(
    log: &Log,
    what: &str,
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
            "{} of {} {} no {what}, and so no {measure} to compare: {}",
            empty.len(),
            counted(log.arms.len(), "arm", "arms"),
            agreeing(empty.len(), "has", "have"),
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
            "{} of {} {} so few clicks, or impressions without one, that fewer than \
             {LEAST_EXPECTED} are to be expected there or in {control} if both are alike; Fisher's \
             exact test stands for the z test there{by_user}: {}",
            few.len(),
            counted(log.arms.len() - 1, "arm", "arms"),
            agreeing(few.len(), "has", "have"),
            few.join(", ")
        )
    })
}

/// Arms with too few users for the normal distribution.
fn few_users(log: &Log, what: &str, count: impl Fn(&User) -> f64) -> Option<String> {
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
            "{} of {} {} fewer than {FEW_USERS} users with {what}, too few to rely on tests by \
             user, which rest on the normal distribution: {}",
            few.len(),
            counted(log.arms.len(), "arm", "arms"),
            agreeing(few.len(), "has", "have"),
            few.join(", ")
        )
    })
}
