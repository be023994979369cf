//! Users who are hardly people, and what an arm is without them.

use pairmill_metrics::ratio_of_sums;
use pairmill_report::format::chance;

use crate::effect::{Effect, by_user};
use crate::log::{ArmLog, NAMED, User};

/// Times the impressions of the middle user that are a lot,
const HEAVY: f64 = 10.0;
/// where they are this share of the arm's, or of its clicks.
const SHARE: f64 = 0.05;
/// Impressions from which on a user who clicks all of them is none.
const ALL_CLICKED: f64 = 20.0;
/// Events from which on a rate is one,
const EVENTS: u64 = 20;
/// and events a second that no user keeps up.
const EVENTS_A_SECOND: f64 = 1.0;

/// Why a user is suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A large share of what the arm has.
    Share,
    /// Clicks on everything.
    Clicks,
    /// More events a second than people make.
    Rate,
}

/// The suspect users of an arm.
pub(crate) struct Suspects<'a> {
    arm: &'a ArmLog,
    users: Vec<(&'a User, Reason)>,
}

impl<'a> Suspects<'a> {
    pub fn of(arm: &'a ArmLog) -> Self {
        let all = arm.users.as_deref().unwrap_or_default();
        let mut impressions: Vec<f64> = all.iter().map(|user| user.impressions).collect();
        impressions.sort_unstable_by(f64::total_cmp);
        let middle = impressions.get(impressions.len() / 2).copied();
        let middle = middle.unwrap_or(0.0).max(1.0);
        let shown = arm.impressions as f64;
        let clicks = arm.clicks.unwrap_or(0) as f64;
        // A mean of users, which no single one of them turns: where all click on everything, it is
        // the page and no robot.
        let rates = all.iter().filter(|user| user.impressions > 0.0);
        let rates: Vec<f64> = rates.map(|user| user.clicks / user.impressions).collect();
        let rate = rates.iter().sum::<f64>() / rates.len() as f64;
        let reason = |user: &User| {
            let share = (user.impressions / shown).max(user.clicks / clicks.max(1.0));
            let is_all = user.impressions >= ALL_CLICKED && user.clicks >= user.impressions;
            if user.impressions > HEAVY * middle && share > SHARE {
                Some(Reason::Share)
            } else if is_all && rate < 0.5 {
                Some(Reason::Clicks)
            } else {
                is_too_fast(user).then_some(Reason::Rate)
            }
        };
        let users = all.iter().filter_map(|user| Some((user, reason(user)?)));
        let mut users: Vec<(&User, Reason)> = users.collect();
        users.sort_by(|a, b| b.0.impressions.total_cmp(&a.0.impressions));
        Self { arm, users }
    }

    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Returns one sentence for each reason, with the first users by name.
    pub fn sentences(&self, name: &str) -> Vec<String> {
        let reasons = [Reason::Share, Reason::Clicks, Reason::Rate];
        reasons
            .into_iter()
            .filter_map(|reason| self.sentence(name, reason))
            .collect()
    }

    fn sentence(&self, name: &str, reason: Reason) -> Option<String> {
        let users: Vec<&User> = self
            .users
            .iter()
            .filter(|(_, why)| *why == reason)
            .map(|(user, _)| *user)
            .collect();
        let ids: Vec<String> = users
            .iter()
            .take(NAMED)
            .map(|user| format!("`{}`", user.id))
            .collect();
        let ids = match users.len() > NAMED {
            true => format!("{}, …", ids.join(", ")),
            false => ids.join(", "),
        };
        let one = match users.len() {
            0 => return None,
            1 => format!("one user of {name} ({ids}) has"),
            many => format!("{many} users of {name} ({ids}) have"),
        };
        let sum = |part: fn(&User) -> f64| users.iter().map(|user| part(user)).sum::<f64>();
        let (impressions, clicks) = (sum(|user| user.impressions), sum(|user| user.clicks));
        let share = 100.0 * impressions / self.arm.impressions as f64;
        let of_arm = format!(
            "{impressions:.0} of its {} impressions ({share:.0} %) and {clicks:.0} of its {} \
             clicks",
            self.arm.impressions,
            self.arm.clicks.unwrap_or(0)
        );
        Some(match reason {
            Reason::Share => format!("{one} {of_arm}, as a robot would"),
            Reason::Clicks => format!("{one} clicked every impression: {of_arm}, as a robot would"),
            Reason::Rate => {
                format!(
                    "{one} more than {EVENTS_A_SECOND} event a second: {of_arm}, as a robot would"
                )
            }
        })
    }

    /// Clicks and impressions of each other user who was shown anything.
    fn others(&self) -> Vec<(f64, f64)> {
        let users = self.arm.users.iter().flatten();
        let others = users.filter(|user| {
            let is_suspect = self.users.iter().any(|(other, _)| other.id == user.id);
            user.impressions > 0.0 && !is_suspect
        });
        others.map(|user| (user.clicks, user.impressions)).collect()
    }

    /// Returns what the test by user says of click-through without the suspects of both arms.
    pub fn without(&self, name: &str, control: &Self, confidence: f64) -> Option<String> {
        let ranged = |of: &Self| {
            let users = of.others();
            let estimate = ratio_of_sums(&users)?;
            Some(by_user(estimate, users.len(), true, confidence))
        };
        let (ours, theirs) = (ranged(self)?, ranged(control)?);
        let effect = Effect::of_users(ours, theirs, confidence);
        let p = effect.p_value.map(chance)?;
        Some(format!(
            "without such users the click-through of {name} is {:.5} against {:.5} (p {p} by user)",
            ours.value, theirs.value
        ))
    }
}

fn is_too_fast(user: &User) -> bool {
    let Some((first, last)) = user.times else {
        return false;
    };
    let seconds = (last - first) as f64 / 1e6;
    user.rows >= EVENTS && (user.rows - 1) as f64 > EVENTS_A_SECOND * seconds
}
