use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pairmill_schema::{excerpt, identical};
use serde::Deserialize;
use serde_json::Value;
use ureq::Agent;
use ureq::http::Response;

use crate::{Answer, LanguageModelError, Prompt, Result};

/// The environment variable that other clients of this form read the key from.
const KEY_VARIABLE: &str = "OPENAI_API_KEY";
/// Letters of what an endpoint says about an error.
const DETAIL: usize = 200;
/// What OpenAI's newer models call the greatest length of an answer, and take alone.
const NEWER_LENGTH: &str = "max_completion_tokens";

/// Where a model is, and how it is reached.
#[derive(Clone)]
pub struct EndpointOptions {
    /// The address, with or without `/v1` and `/chat/completions`.
    pub url: String,
    /// What lets one in; without one, the variable `OPENAI_API_KEY` is looked at.
    pub key: Option<String>,
    /// Time for a whole answer.
    pub timeout: Duration,
}

impl fmt::Debug for EndpointOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the key.
        let mut shown = f.debug_struct("EndpointOptions");
        shown
            .field("url", &self.url)
            .field("timeout", &self.timeout);
        shown.finish_non_exhaustive()
    }
}

/// An endpoint that can be asked.
pub struct Endpoint {
    agent: Agent,
    /// As messages name it.
    pub(crate) url: String,
    completions: String,
    models: String,
    key: Option<String>,
    /// Whether the greatest length has its newer name here.
    has_newer_length: AtomicBool,
}

/// Why a request has no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It makes no sense to ask anything there.
    Fatal(LanguageModelError),
    /// Nobody is there, or not yet.
    Unreachable(String),
    /// A later try may do; after that time, where the endpoint names one.
    Passing(String, Option<Duration>),
    /// This prompt is refused, and would be again.
    OfPrompt(String),
}

impl Endpoint {
    /// Makes an endpoint; nothing is sent yet.
    ///
    /// # Errors
    /// If the address is none.
    pub fn new(options: EndpointOptions) -> Result<Self> {
        let given = options.url.trim().trim_end_matches('/');
        let bad = |url: &str, detail: &str| LanguageModelError::Address {
            url: url.to_owned(),
            detail: detail.to_owned(),
        };
        let Some((scheme, rest)) = given.split_once("://") else {
            return Err(bad(given, "it has no `http://` or `https://`"));
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !["http", "https"].contains(&scheme.to_lowercase().as_str()) {
            return Err(bad(given, "only http and https are possible"));
        }
        if let Some((_, host)) = host.rsplit_once('@') {
            return Err(bad(
                &format!("{scheme}://…@{host}"),
                "a key or password in an address would be logged; name a file with --api-key-file",
            ));
        }
        if host.is_empty() {
            return Err(bad(given, "it names no host"));
        }
        let base = given.strip_suffix("/chat/completions").unwrap_or(given);
        let base = match path {
            "" => format!("{base}/v1"),
            _ => base.to_owned(),
        };
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(options.timeout))
            .user_agent(concat!("pairmill/", env!("CARGO_PKG_VERSION")))
            .build();
        let key = options.key.or_else(|| std::env::var(KEY_VARIABLE).ok());
        Ok(Self {
            agent: agent.into(),
            completions: format!("{base}/chat/completions"),
            models: format!("{base}/models"),
            url: base,
            key: key
                .map(|key| key.trim().to_owned())
                .filter(|key| !key.is_empty()),
            has_newer_length: AtomicBool::new(false),
        })
    }

    /// Asks once, and once more where the endpoint names the greatest length otherwise.
    pub(crate) fn ask(&self, prompt: &Prompt) -> Result<Answer, Failure> {
        let had_newer_length = self.has_newer_length.load(Ordering::Relaxed);
        match self.send(prompt, had_newer_length) {
            Err(Failure::OfPrompt(detail))
                if !had_newer_length && detail.contains(NEWER_LENGTH) =>
            {
                self.has_newer_length.store(true, Ordering::Relaxed);
                self.send(prompt, true)
            }
            other => other,
        }
    }

    fn send(&self, prompt: &Prompt, has_newer_length: bool) -> Result<Answer, Failure> {
        let mut body = serde_json::to_value(prompt).map_err(|error| passing(&error))?;
        if has_newer_length
            && let Some(fields) = body.as_object_mut()
            && let Some(length) = fields.remove("max_tokens")
        {
            fields.insert(NEWER_LENGTH.to_owned(), length);
        }
        let mut request = self
            .agent
            .post(&self.completions)
            .header("Content-Type", "application/json");
        if let Some(key) = &self.key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        let mut response = request
            .send(body.to_string())
            .map_err(|error| self.unsent(error))?;
        let status = response.status().as_u16();
        let wait = retry_after(&response);
        let text = response.body_mut().read_to_string();
        if status >= 400 {
            let detail = self.detail(&text.unwrap_or_default());
            return Err(self.refused(status, detail, wait, &prompt.model));
        }
        let text = text.map_err(|error| passing(&error))?;
        read(&text).map_err(|detail| Failure::Passing(self.redacted(&detail), None))
    }

    fn unsent(&self, error: ureq::Error) -> Failure {
        let detail = self.redacted(&error.to_string());
        match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                Failure::Fatal(LanguageModelError::Address {
                    url: self.url.clone(),
                    detail,
                })
            }
            ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => {
                Failure::Unreachable(detail)
            }
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Failure::Unreachable(detail)
            }
            _ => Failure::Passing(detail, None),
        }
    }

    fn refused(&self, status: u16, detail: String, wait: Option<Duration>, model: &str) -> Failure {
        let url = self.url.clone();
        match status {
            401 | 403 => Failure::Fatal(LanguageModelError::Denied {
                url,
                status,
                detail,
                variable: KEY_VARIABLE.to_owned(),
            }),
            404 => Failure::Fatal(LanguageModelError::NotFound {
                url,
                model: model.to_owned(),
                detail,
                models: self.models.clone(),
            }),
            408 | 409 | 425 | 429 | 500.. => {
                Failure::Passing(format!("status {status}: {detail}"), wait)
            }
            _ => Failure::OfPrompt(format!("status {status}: {detail}")),
        }
    }

    /// Returns what an endpoint says of an error, in a line.
    fn detail(&self, body: &str) -> String {
        let parsed: Option<Value> = serde_json::from_str(body).ok();
        let said = parsed.as_ref().and_then(|body| {
            let error = body.get("error").unwrap_or(body);
            let message = error.get("message").or_else(|| error.get("detail"));
            message.unwrap_or(error).as_str()
        });
        match self.redacted(said.unwrap_or(body)) {
            nothing if nothing.trim().is_empty() => "it says nothing about it".to_owned(),
            said => in_a_line(&said),
        }
    }

    /// Takes the key out of what others say.
    fn redacted(&self, text: &str) -> String {
        match &self.key {
            Some(key) => text.replace(key.as_str(), "…"),
            None => text.to_owned(),
        }
    }
}

/// Returns the beginning of what an endpoint says, without its line breaks.
fn in_a_line(text: &str) -> String {
    excerpt(&identical(text), DETAIL)
}

fn passing(error: &dyn fmt::Display) -> Failure {
    Failure::Passing(error.to_string(), None)
}

/// Returns the time after which the endpoint wants to be asked again.
fn retry_after<T>(response: &Response<T>) -> Option<Duration> {
    let value = response.headers().get("retry-after")?.to_str().ok()?;
    let seconds: f64 = value.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// What is read of a completion.
#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    message: Reply,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Reply {
    /// Null where a model says nothing.
    #[serde(default)]
    content: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
}

fn read(body: &str) -> Result<Answer, String> {
    let no_answer = |why: &str| {
        let body = in_a_line(body);
        format!("its answer is no completion ({why}): {body}")
    };
    let completion: Completion =
        serde_json::from_str(body).map_err(|error| no_answer(&error.to_string()))?;
    let mut choices = completion.choices.into_iter();
    let choice = choices
        .next()
        .ok_or_else(|| no_answer("it has no choice"))?;
    let usage = completion.usage.unwrap_or_default();
    Ok(Answer {
        text: choice.message.content.unwrap_or_default(),
        is_cut: choice.finish_reason.as_deref() == Some("length"),
        prompt_tokens: usage.prompt_tokens,
        completion_tokens: usage.completion_tokens,
    })
}
