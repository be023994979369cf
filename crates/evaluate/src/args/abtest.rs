use std::path::PathBuf;

use pairmill_cli::numbers::{not_zero, open_share, positive};
use pairmill_cli::{Common, UsageError, example};
use pairmill_experiment::{AbTest, Arms, Certainty, LogColumns, Measure, Plan};

use super::{Job, confidence};

/// The log has a row for each event, or rows that sum up several: arm, user_id (optional),
/// impressions or queries (1 where absent), clicks or clicked, satisfaction (null where nobody
/// answered), impression_id and timestamp (both optional). A row that sums up answers has their
/// mean there, and satisfaction_count and satisfaction_sd beside it
#[derive(Debug, clap::Args)]
#[command(before_help = example(
    "pairmill-evaluate abtest --log events.csv --output runs/try/abtest"
))]
pub struct AbTestArgs {
    /// Log of events in any format; `-` reads an Arrow IPC stream from standard input
    #[arg(long, value_name = "FILE", required_unless_present = "plan")]
    log: Option<String>,
    /// The arm to compare the others with
    #[arg(long, value_name = "ARM", default_value = "control")]
    control: String,
    /// Shares of the traffic that were planned, such as control=0.5,candidate=0.5 [default: equal]
    #[arg(long, value_name = "NAME=WEIGHT,…")]
    weights: Option<Arms>,
    /// Share of the intervals that hold the true figure
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, value_parser = confidence)]
    confidence: f64,
    /// Column of the arms [default: arm]
    #[arg(long, value_name = "NAME")]
    arm_column: Option<String>,
    /// Column of the user ids [default: user_id, if there]
    #[arg(long, value_name = "NAME")]
    user_column: Option<String>,
    /// Take every impression and answer as independent, though the log has users
    #[arg(long, conflicts_with = "user_column")]
    ignore_users: bool,
    /// Column of the impressions [default: impressions or queries, if there]
    #[arg(long, value_name = "NAME")]
    impressions_column: Option<String>,
    /// Column of the clicks [default: clicks or clicked, if there]
    #[arg(long, value_name = "NAME")]
    clicks_column: Option<String>,
    /// Column of the satisfaction; NAME_count and NAME_sd go with it [default: satisfaction, if
    /// there]
    #[arg(long, value_name = "NAME")]
    satisfaction_column: Option<String>,
    /// Column of ids that rows of one impression share, so that it counts once [default:
    /// impression_id, if there]
    #[arg(long, value_name = "NAME")]
    impression_id_column: Option<String>,
    /// Column of times [default: timestamp, time, ts or event_time, if there]
    #[arg(long, value_name = "NAME")]
    time_column: Option<String>,
    /// Folder for the figures and a report
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    plan: PlanArgs,
}

/// How large a test has to be.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Planning")]
struct PlanArgs {
    /// Say how many impressions or answers a test needs, instead of reading a log
    #[arg(long, conflicts_with_all = ["log", "output"])]
    plan: bool,
    /// Click-through of the control
    #[arg(long, value_name = "RATE", value_parser = open_share::<f64>, requires = "plan",
        conflicts_with = "sd")]
    baseline_rate: Option<f64>,
    /// Standard deviation of the answers, to plan for a mean
    #[arg(long, value_name = "SD", value_parser = positive::<f64>, requires = "plan")]
    sd: Option<f64>,
    /// Mean of the control, which --relative-effect is relative to
    #[arg(long, value_name = "MEAN", value_parser = positive::<f64>, requires = "sd")]
    baseline_mean: Option<f64>,
    /// The difference to be seen, such as 0.01
    #[arg(long, value_name = "DIFFERENCE", value_parser = not_zero::<f64>, allow_negative_numbers =
        true, requires = "plan", conflicts_with = "relative_effect")]
    effect: Option<f64>,
    /// The difference to be seen as a share of the control's figure, such as 0.05
    #[arg(long, value_name = "SHARE", value_parser = not_zero::<f64>, allow_negative_numbers = true,
        requires = "plan")]
    relative_effect: Option<f64>,
    /// The chance to see the difference where it is there
    #[arg(long, value_name = "SHARE", default_value_t = 0.8, value_parser = open_share::<f64>)]
    power: f64,
    /// The chance to see a difference where there is none; several arms share it out among their
    /// comparisons with the control (Bonferroni)
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = open_share::<f64>)]
    alpha: f64,
    /// Arms of equal size, the control among them
    #[arg(long, value_name = "N", default_value_t = 2, value_parser =
        clap::value_parser!(u64).range(2..))]
    arms: u64,
    /// Variance by user over that of independent impressions, as an earlier test gave it
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = positive::<f64>)]
    design_effect: f64,
    /// Impressions or answers in a day, all arms together
    #[arg(long, value_name = "N", value_parser = positive::<f64>, requires = "plan")]
    traffic_per_day: Option<f64>,
}

impl AbTestArgs {
    pub fn job(&self, common: &Common) -> Result<Job, UsageError> {
        let Some(log) = &self.log else {
            return self.plan.job();
        };
        Ok(Job::AbTest(AbTest {
            log: log.clone(),
            columns: LogColumns {
                arm: self.arm_column.clone(),
                user: self.user_column.clone(),
                impressions: self.impressions_column.clone(),
                clicks: self.clicks_column.clone(),
                satisfaction: self.satisfaction_column.clone(),
                impression_id: self.impression_id_column.clone(),
                time: self.time_column.clone(),
            },
            by_user: !self.ignore_users,
            control: self.control.clone(),
            weights: self.weights.clone(),
            confidence: self.confidence,
            output: self.output.clone(),
            seed: common.seed,
            threads: common.threads(),
            force: common.force,
        }))
    }
}

impl PlanArgs {
    fn job(&self) -> Result<Job, UsageError> {
        let usage = |text: &str| UsageError(text.to_owned());
        let (measure, control) = match (self.baseline_rate, self.sd) {
            (Some(rate), _) => (Measure::Rate(rate), Some(rate)),
            (None, Some(sd)) => (Measure::Mean(sd), self.baseline_mean),
            (None, None) => {
                return Err(usage(
                    "--plan needs --baseline-rate for click-through, or --sd for a mean",
                ));
            }
        };
        let effect = match (self.effect, self.relative_effect, control) {
            (Some(effect), _, _) => effect,
            (None, Some(relative), Some(control)) => relative * control,
            (None, Some(_), None) => {
                return Err(usage(
                    "--relative-effect of a mean needs --baseline-mean, which it is relative to",
                ));
            }
            (None, None, _) => {
                return Err(usage(
                    "--plan needs the difference to be seen: --effect or --relative-effect",
                ));
            }
        };
        let plan = Plan {
            measure,
            effect,
            certainty: Certainty {
                alpha: self.alpha,
                power: self.power,
            },
            arms: self.arms,
            design_effect: self.design_effect,
            traffic_per_day: self.traffic_per_day,
        };
        match plan.result() {
            Some(result) => Ok(Job::Plan(result)),
            None => Err(usage(
                "the wished effect would carry the rate below 0 or above 1; choose a smaller one",
            )),
        }
    }
}
