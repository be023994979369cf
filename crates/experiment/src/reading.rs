//! From the rows of a log to what it says of each arm and user.

use std::collections::{BTreeMap, HashMap};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use pairmill_metrics::Moments;
use pairmill_tables::TableReader;

use crate::columns::{Column, find};
use crate::error::{ExperimentError, Result};
use crate::log::{ArmLog, Log, LogColumns, NAMED, Order, Repeats, User, widen};

/// Past this, the column of arms is likely to be another.
const MOST_ARMS: usize = 100;
const DEVIATION: &str = "a standard deviation from 0 to 1e100";

/// Names that a column of times may have.
const TIMES: [&str; 4] = ["timestamp", "time", "ts", "event_time"];
/// Clicks on one impression that no user makes: past this, a row sums up several impressions.
const MOST_CLICKS: u64 = 20;
impl Log {
    pub fn read(path: &str, columns: &LogColumns, by_user: bool, threads: usize) -> Result<Self> {
        let mut reading = Reading::default();
        TableReader::new(threads)?.fold_any(
            path,
            |schema| Places::find(path, schema, columns, by_user),
            |places, batch| reading.take(path, places, batch),
        )?;
        Ok(reading.finish())
    }
}

/// Where in a row is what.
struct Places {
    arm: usize,
    user: Option<usize>,
    impressions: Option<usize>,
    clicks: Option<usize>,
    satisfaction: Option<usize>,
    impression_id: Option<usize>,
    time: Option<usize>,
    count: Option<usize>,
    deviation: Option<usize>,
    /// The names of the columns of counts and of standard deviations, for messages.
    count_name: String,
    deviation_name: String,
}

impl Places {
    fn find(path: &str, schema: &Schema, columns: &LogColumns, by_user: bool) -> Result<Self> {
        let of = |named: &Option<String>, known: &[&str], flag| match named {
            Some(name) => find(path, schema, name, flag).map(Some),
            None => Ok(known.iter().find_map(|name| schema.index_of(name).ok())),
        };
        let arm = columns.arm.as_deref().unwrap_or("arm");
        let satisfaction_name = columns.satisfaction.as_deref().unwrap_or("satisfaction");
        let count_name = format!("{satisfaction_name}_count");
        let deviation_name = format!("{satisfaction_name}_sd");
        let places = Self {
            arm: find(path, schema, arm, "--arm-column")?,
            user: match by_user {
                true => of(&columns.user, &["user_id"], "--user-column")?,
                false => None,
            },
            impressions: of(
                &columns.impressions,
                &["impressions", "queries"],
                "--impressions-column",
            )?,
            clicks: of(&columns.clicks, &["clicks", "clicked"], "--clicks-column")?,
            satisfaction: of(
                &columns.satisfaction,
                &["satisfaction"],
                "--satisfaction-column",
            )?,
            impression_id: of(
                &columns.impression_id,
                &["impression_id"],
                "--impression-id-column",
            )?,
            time: of(&columns.time, &TIMES, "--time-column")?,
            count: schema.index_of(&count_name).ok(),
            deviation: schema.index_of(&deviation_name).ok(),
            count_name,
            deviation_name,
        };
        if places.clicks.is_none() && places.satisfaction.is_none() {
            let names: Vec<_> = schema.fields().iter().map(|f| f.name().as_str()).collect();
            return Err(ExperimentError::NothingMeasured {
                path: path.to_owned(),
                found: names.join(", "),
            });
        }
        Ok(places)
    }
}

#[derive(Default)]
struct Reading {
    rows: u64,
    arms: BTreeMap<String, Arm>,
    repeats: Repeats,
    order: Order,
    /// The impressions of known ids, by a hash of arm and id, and whether they were clicked.
    impressions: HashMap<[u8; 16], bool>,
}

#[derive(Default)]
struct Arm {
    log: ArmLog,
    users: Option<HashMap<String, User>>,
}

impl Reading {
    fn take(&mut self, path: &str, places: &Places, batch: &RecordBatch) -> Result<()> {
        let before = self.rows;
        let column = |index| Column::read(path, batch, index, before);
        let counts = |place: Option<usize>| place.map(|place| column(place)?.counts()).transpose();
        let arm_column = column(places.arm)?;
        let arms = arm_column.ids("the name of an arm")?;
        let users = places
            .user
            .map(|place| column(place)?.ids("an id; or give --ignore-users"))
            .transpose()?;
        let impressions = counts(places.impressions)?;
        let clicks = counts(places.clicks)?;
        let answers = places
            .satisfaction
            .map(|place| self.answers(path, places, batch, place))
            .transpose()?;
        let impression_ids = places
            .impression_id
            .map(|place| column(place)?.ids("an id of the impression"))
            .transpose()?;
        let times = places
            .time
            .map(|place| column(place)?.times())
            .transpose()?;
        for row in 0..batch.num_rows() {
            let name = arms.value(row);
            if !self.arms.contains_key(name) {
                if self.arms.len() == MOST_ARMS {
                    return Err(ExperimentError::TooManyArms {
                        path: path.to_owned(),
                        column: batch.schema().field(places.arm).name().clone(),
                        most: MOST_ARMS,
                    });
                }
                self.arms.insert(name.to_owned(), Arm::default());
            }
            let Some(arm) = self.arms.get_mut(name) else {
                continue;
            };
            let mut shown = impressions.as_ref().map_or(1, |counts| counts[row]);
            let mut clicked = clicks.as_ref().map(|counts| counts[row]);
            let number = before + row as u64 + 1;
            if let Some(clicks) = &mut clicked {
                let is_one = shown == 1 && (impressions.is_some() || *clicks <= MOST_CLICKS);
                match *clicks > shown && shown > 0 {
                    true if is_one => {
                        self.repeats.rows += 1;
                        self.repeats.first.get_or_insert((number, *clicks));
                        self.repeats.clicks += *clicks - 1;
                        *clicks = 1;
                    }
                    true => {
                        return Err(ExperimentError::ClicksOfRow {
                            path: path.to_owned(),
                            row: number,
                            clicks: *clicks,
                            impressions: shown,
                        });
                    }
                    false => {}
                }
            }
            if let Some(ids) = &impression_ids {
                let key = impression_key(name, ids.value(row));
                let known = self.impressions.get(&key).copied();
                let has_click = clicked.is_some_and(|clicks| clicks > 0);
                if let Some(was_clicked) = known {
                    self.repeats.impressions += 1;
                    shown = 0;
                    if was_clicked && has_click {
                        self.repeats.clicks += clicked.unwrap_or(0);
                        clicked = Some(0);
                    }
                }
                self.impressions
                    .insert(key, known.unwrap_or(false) || has_click);
            }
            let time = times.as_ref().and_then(|times| times[row]);
            if let Some(time) = time {
                self.order.take(number, time);
            }
            let answer = answers.as_ref().map(|answers| answers[row]);
            let log = &mut arm.log;
            if let Some(time) = time {
                widen(&mut log.times, time);
            }
            log.impressions = log.impressions.saturating_add(shown);
            if let Some(clicked) = clicked {
                log.clicks = Some(log.clicks.unwrap_or(0).saturating_add(clicked));
            }
            if let Some(answer) = &answer {
                log.satisfaction.get_or_insert_default().merge(answer);
            }
            if let Some(users) = &users {
                let of_arm = arm.users.get_or_insert_default();
                let id = users.value(row);
                let user = match of_arm.get_mut(id) {
                    Some(user) => user,
                    None => of_arm.entry(id.to_owned()).or_default(),
                };
                user.rows += 1;
                if let Some(time) = time {
                    widen(&mut user.times, time);
                }
                user.impressions += shown as f64;
                user.clicks += clicked.unwrap_or(0) as f64;
                if let Some(answer) = &answer {
                    user.answers += answer.count() as f64;
                    user.satisfaction += answer.mean() * answer.count() as f64;
                }
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// The answers behind each row.
    fn answers(
        &self,
        path: &str,
        places: &Places,
        batch: &RecordBatch,
        place: usize,
    ) -> Result<Vec<Moments>> {
        let column = |index| Column::read(path, batch, index, self.rows);
        let means = column(place)?.numbers("a number from -1e100 to 1e100")?;
        let Some(count) = places.count else {
            let answer = |mean: Option<f64>| {
                Moments::of(u64::from(mean.is_some()), mean.unwrap_or(0.0), 0.0)
            };
            return Ok(means.into_iter().map(answer).collect());
        };
        let counts = column(count)?.counts()?;
        let deviations = match places.deviation {
            Some(place) => column(place)?.numbers(DEVIATION)?,
            None => vec![None; counts.len()],
        };
        let rows = means.into_iter().zip(counts).zip(deviations).enumerate();
        rows.map(
            |(row, ((mean, count), deviation))| match (mean, deviation) {
                _ if count == 0 => Ok(Moments::default()),
                (None, _) => Err(column(place)?.wrong(row, "the mean of the answers counted")),
                (Some(mean), _) if count == 1 => Ok(Moments::of(1, mean, 0.0)),
                (Some(mean), Some(deviation)) if deviation >= 0.0 => {
                    Ok(Moments::of(count, mean, deviation))
                }
                (Some(_), Some(_)) => {
                    Err(column(places.deviation.unwrap_or(place))?.wrong(row, DEVIATION))
                }
                (Some(_), None) => Err(ExperimentError::NoDeviation {
                    path: path.to_owned(),
                    row: self.rows + row as u64 + 1,
                    answers: count,
                    missing: match places.deviation {
                        Some(_) => format!("`{}` is null", places.deviation_name),
                        None => format!("there is no column `{}`", places.deviation_name),
                    },
                    count: places.count_name.clone(),
                }),
            },
        )
        .collect()
    }

    fn finish(self) -> Log {
        let mut arms_of_user: HashMap<&str, u64> = HashMap::new();
        let users = self.arms.values().filter_map(|arm| arm.users.as_ref());
        for id in users.flat_map(HashMap::keys) {
            *arms_of_user.entry(id).or_default() += 1;
        }
        let has_users = self.arms.values().any(|arm| arm.users.is_some());
        let several = arms_of_user.iter().filter(|&(_, &arms)| arms > 1);
        let mut crossers: Vec<String> = several.map(|(id, _)| (*id).to_owned()).collect();
        crossers.sort_unstable();
        let several = crossers.len() as u64;
        crossers.truncate(NAMED);
        let mut repeats = self.repeats;
        let arms = self.arms.into_iter();
        Log {
            rows: self.rows,
            users_in_several_arms: has_users.then_some(several),
            crossers,
            arms: arms
                .map(|(name, arm)| (name, arm.finish(&mut repeats)))
                .collect(),
            repeats,
            order: self.order,
        }
    }
}

fn impression_key(arm: &str, id: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(arm.len() as u64).to_le_bytes());
    hasher.update(arm.as_bytes());
    hasher.update(id.as_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    key
}

impl Arm {
    fn finish(self, repeats: &mut Repeats) -> ArmLog {
        let mut clicks = self.log.clicks;
        // Sums over users come out the same whatever the order of the table in memory.
        let users = self.users.map(|users| {
            let users = users.into_iter().map(|(id, user)| User { id, ..user });
            let mut users: Vec<User> = users.collect();
            users.sort_unstable_by(|a, b| a.id.cmp(&b.id));
            // Clicks in rows of their own, more of them than there was to click.
            let has_more =
                |user: &&mut User| user.impressions > 0.0 && user.clicks > user.impressions;
            for user in users.iter_mut().filter(has_more) {
                let first = (user.id.clone(), user.clicks as u64, user.impressions as u64);
                repeats.users += 1;
                repeats.first_user.get_or_insert(first);
                let more = (user.clicks - user.impressions) as u64;
                repeats.clicks += more;
                clicks = clicks.map(|clicks| clicks.saturating_sub(more));
                user.clicks = user.impressions;
            }
            users
        });
        ArmLog {
            users,
            clicks,
            ..self.log
        }
    }
}
