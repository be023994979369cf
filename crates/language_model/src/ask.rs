use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pairmill_cli::Progress;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::endpoint::Failure;
use crate::kept_answers::KeptAnswers;
use crate::pace::Pace;
use crate::{Answer, Endpoint, LanguageModelError, Prompt, Result};

/// Prompts without an answer in a row, each after its retries, after which no more is asked.
const GIVE_UP_AFTER: u32 = 5;
/// The wait before the first retry, doubled for each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How prompts are asked.
#[derive(Debug, Clone)]
pub struct AskOptions {
    /// The file that keeps the answers.
    pub answers: PathBuf,
    /// Requests at the same time.
    pub concurrency: usize,
    /// Requests to send in this run at most, those that fail included.
    pub max_requests: Option<u64>,
    /// Requests to begin in a minute at most.
    pub requests_per_minute: Option<u32>,
    /// Further tries of a request that fails in a way that may pass.
    pub retries: u32,
}

/// What came of asking.
#[derive(Debug)]
pub struct Answers {
    /// Those to the prompts, in their order; `None` where there is none.
    pub answers: Vec<Option<Answer>>,
    /// What was asked and spent.
    pub counts: Counts,
}

/// What was asked and spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Prompts that the file had the answer to.
    pub kept: u64,
    /// Prompts answered in this run.
    pub answered: u64,
    /// Prompts that the endpoint has no answer to.
    pub failed: u64,
    /// Prompts that were not asked, because the greatest number of requests was reached.
    pub not_asked: u64,
    /// Requests sent, those that failed included.
    pub requests: u64,
    /// Tokens of the prompts answered in this run, as the endpoint counts them.
    pub prompt_tokens: u64,
    /// Tokens of their answers.
    pub completion_tokens: u64,
}

/// Asks what the file has no answer to, and keeps each answer as it comes.
///
/// # Errors
/// If the endpoint cannot be reached or refuses the key, or if it fails again and again. What was
/// answered until then is kept.
pub fn ask(endpoint: &Endpoint, prompts: &[Prompt], options: &AskOptions) -> Result<Answers> {
    let kept = KeptAnswers::open(&options.answers)?;
    let open: Vec<&Prompt> = prompts
        .iter()
        .filter(|one| kept.get(one).is_none())
        .collect();
    let from_before = (prompts.len() - open.len()) as u64;
    keep_when_interrupted(&options.answers);
    let label = format!("asking {}", endpoint.url);
    let asking = Asking {
        endpoint,
        options,
        pace: Pace::new(options.requests_per_minute),
        kept: Mutex::new(kept),
        progress: Progress::new(label, "prompts", Some(open.len() as u64)),
        counts: Mutex::new(Counts {
            kept: from_before,
            ..Counts::default()
        }),
        requests: AtomicU64::new(0),
        failed_in_a_row: AtomicU32::new(0),
        is_over: AtomicBool::new(false),
        end: Mutex::new(None),
    };
    let next = AtomicUsize::new(0);
    thread::scope(|threads| {
        for _ in 0..options.concurrency.clamp(1, open.len().max(1)) {
            threads.spawn(|| {
                while let Some(prompt) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                    asking.answer(prompt);
                }
            });
        }
    });
    asking.end(prompts)
}

fn keep_when_interrupted(answers: &Path) {
    let what_for = "the same command asks for the answers that it does not hold yet";
    pairmill_tables::keep_when_interrupted(answers, what_for);
}

/// What the threads share.
struct Asking<'a> {
    endpoint: &'a Endpoint,
    options: &'a AskOptions,
    pace: Pace,
    kept: Mutex<KeptAnswers>,
    progress: Progress,
    counts: Mutex<Counts>,
    requests: AtomicU64,
    failed_in_a_row: AtomicU32,
    is_over: AtomicBool,
    /// Why the run cannot go on.
    end: Mutex<Option<LanguageModelError>>,
}

/// What became of a prompt.
enum Outcome {
    Answered(Answer),
    Failed(String),
    NotAsked,
}

impl Asking<'_> {
    fn answer(&self, prompt: &Prompt) {
        let outcome = match self.try_again_and_again(prompt) {
            Ok(outcome) => outcome,
            Err(error) => return self.stop(error),
        };
        let mut counts = locked(&self.counts);
        match outcome {
            Outcome::NotAsked => counts.not_asked += 1,
            Outcome::Answered(answer) => {
                self.failed_in_a_row.store(0, Ordering::Relaxed);
                counts.answered += 1;
                counts.prompt_tokens += answer.prompt_tokens;
                counts.completion_tokens += answer.completion_tokens;
                drop(counts);
                if let Err(error) = locked(&self.kept).add(prompt, answer) {
                    self.stop(error);
                }
            }
            Outcome::Failed(detail) => {
                if counts.failed == 0 {
                    warn!("{}: a prompt has no answer: {detail}", self.endpoint.url);
                }
                counts.failed += 1;
                drop(counts);
                let failed = self.failed_in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
                if failed >= GIVE_UP_AFTER {
                    self.stop(LanguageModelError::GaveUp {
                        url: self.endpoint.url.clone(),
                        failed,
                        detail,
                        answered: locked(&self.kept).len(),
                        answers: self.options.answers.clone(),
                    });
                }
            }
        }
        self.progress.inc(1);
    }

    /// Notes why the run cannot go on; the first reason counts.
    fn stop(&self, error: LanguageModelError) {
        self.is_over.store(true, Ordering::Relaxed);
        locked(&self.end).get_or_insert(error);
    }

    fn try_again_and_again(&self, prompt: &Prompt) -> Result<Outcome> {
        let mut wait = FIRST_WAIT;
        let mut tries = 0;
        loop {
            self.pace.wait();
            if self.is_over.load(Ordering::Relaxed) || !self.may_send() {
                return Ok(Outcome::NotAsked);
            }
            tries += 1;
            let is_last = tries > self.options.retries;
            match self.endpoint.ask(prompt) {
                Ok(answer) => return Ok(Outcome::Answered(answer)),
                Err(Failure::Fatal(error)) => return Err(error),
                Err(Failure::OfPrompt(detail)) => return Ok(Outcome::Failed(detail)),
                Err(Failure::Unreachable(detail)) if is_last => {
                    return Err(LanguageModelError::Unreachable {
                        url: self.endpoint.url.clone(),
                        detail,
                    });
                }
                Err(Failure::Passing(detail, _)) if is_last => {
                    return Ok(Outcome::Failed(detail));
                }
                Err(Failure::Passing(_, Some(wanted))) => {
                    self.pace.pause(wanted.min(LONGEST_WAIT));
                }
                Err(Failure::Passing(_, None) | Failure::Unreachable(_)) => {
                    thread::sleep(wait);
                    wait = (2 * wait).min(LONGEST_WAIT);
                }
            }
        }
    }

    /// Counts a request, if one more is allowed.
    fn may_send(&self) -> bool {
        let most = self.options.max_requests.unwrap_or(u64::MAX);
        let count = |sent: u64| (sent < most).then_some(sent + 1);
        let order = Ordering::Relaxed;
        self.requests.fetch_update(order, order, count).is_ok()
    }

    fn end(self, prompts: &[Prompt]) -> Result<Answers> {
        let kept = locked(&self.kept);
        if let Some(error) = locked(&self.end).take() {
            kept.remove_if_empty();
            return Err(error);
        }
        let answers = prompts.iter().map(|prompt| kept.get(prompt).cloned());
        Ok(Answers {
            answers: answers.collect(),
            counts: Counts {
                requests: self.requests.load(Ordering::Relaxed),
                ..*locked(&self.counts)
            },
        })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
