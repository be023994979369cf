use std::collections::BTreeMap;

use pairmill_metrics::Moments;
use serde::Serialize;

/// The columns of a log, where they have other names than these:
///
/// | column | holds |
/// |---|---|
/// | `arm` | text or an integer |
/// | `user_id` | text or an integer; may be absent |
/// | `impressions`, `queries` | a whole number; 1 where absent |
/// | `clicks`, `clicked` | a whole number or a truth value; may be absent |
/// | `satisfaction` | any number, null where nobody answered; may be absent |
/// | `impression_id` | text or an integer that rows of one impression share; may be absent |
/// | `timestamp`, `time`, `ts`, `event_time` | when it was; may be absent |
///
/// A row is an event, or sums up several: then `satisfaction` is a mean and the columns
/// `satisfaction_count` and `satisfaction_sd` give the answers behind it and their sample standard
/// deviation.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LogColumns {
    /// Instead of `arm`.
    pub arm: Option<String>,
    /// Instead of `user_id`.
    pub user: Option<String>,
    /// Instead of `impressions` and `queries`.
    pub impressions: Option<String>,
    /// Instead of `clicks` and `clicked`.
    pub clicks: Option<String>,
    /// Instead of `satisfaction`.
    pub satisfaction: Option<String>,
    /// Instead of `impression_id`.
    pub impression_id: Option<String>,
    /// Instead of `timestamp`, `time`, `ts` and `event_time`.
    pub time: Option<String>,
}

/// Users who are named in a message.
pub(crate) const NAMED: usize = 3;

/// What a log says.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub rows: u64,
    /// By name.
    pub arms: BTreeMap<String, ArmLog>,
    /// Users that were seen in more than one arm, where there are users.
    pub users_in_several_arms: Option<u64>,
    /// The first of them, in order of id.
    pub crossers: Vec<String>,
    /// What was counted once though the log has it several times.
    pub repeats: Repeats,
    /// What the times say, where the log has them.
    pub order: Order,
}

/// What a log has several times and counts once.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    /// Rows of one impression with several clicks.
    pub rows: u64,
    /// The first of them with its clicks, counted from 1.
    pub first: Option<(u64, u64)>,
    /// Rows of an impression that an earlier row has the id of.
    pub impressions: u64,
    /// Users with more clicks than impressions, and the first of them with both.
    pub users: u64,
    pub first_user: Option<(String, u64, u64)>,
    /// Clicks that do not count.
    pub clicks: u64,
}

/// Whether rows stand in the order of their times.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// Rows with a time.
    pub rows: u64,
    /// Rows before the one above them.
    pub earlier: u64,
    /// Rows behind the one above them.
    pub later: u64,
    /// The first row before the one above it, counted from 1, with both times.
    pub first: Option<(u64, i64, i64)>,
    last: Option<i64>,
}

impl Order {
    /// Takes in the time of a row, counted from 1.
    pub fn take(&mut self, row: u64, time: i64) {
        self.rows += 1;
        if let Some(last) = self.last.replace(time) {
            self.earlier += u64::from(time < last);
            self.later += u64::from(time > last);
            if time < last {
                self.first.get_or_insert((row, time, last));
            }
        }
    }
}

/// What a log says about an arm.
#[derive(Debug, Default)]
pub(crate) struct ArmLog {
    pub impressions: u64,
    /// Where the log has clicks.
    pub clicks: Option<u64>,
    /// Where the log has answers.
    pub satisfaction: Option<Moments>,
    /// In order of id, where the log has users.
    pub users: Option<Vec<User>>,
    /// The first and the last time, in microseconds, where the log has times.
    pub times: Option<(i64, i64)>,
}

/// Sums over the events of a user in an arm.
#[derive(Debug, Default)]
pub(crate) struct User {
    pub id: String,
    /// Rows, and the first and the last time, in microseconds, where the log has times.
    pub rows: u64,
    pub times: Option<(i64, i64)>,
    pub impressions: f64,
    pub clicks: f64,
    pub satisfaction: f64,
    pub answers: f64,
}

/// Takes a time into a span.
pub(crate) fn widen(span: &mut Option<(i64, i64)>, time: i64) {
    let (first, last) = span.get_or_insert((time, time));
    *first = time.min(*first);
    *last = time.max(*last);
}
