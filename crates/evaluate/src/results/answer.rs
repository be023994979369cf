use std::fmt;

use serde::Serialize;

use crate::report::{Choice, Headline};
use crate::results::evaluation::Evaluation;
use crate::results::reporting::complete;
use crate::statistics::verdict::Verdict;

/// What the chief metric says, and what follows from it: for machines as JSON, for people by
/// [`Display`](fmt::Display), a line each. The words are those of the page.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    /// The verdict and the sentence about the chief metric.
    pub answer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_places: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deploy: Option<Deploy>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next_steps: Vec<String>,
}

/// Which of both to use from now on.
#[derive(Debug, Serialize)]
struct Deploy {
    which: Choice,
    /// As the user named it.
    name: String,
    sentence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    loading: Option<String>,
}

impl Evaluation {
    /// Returns what the chief metric says about the model, as it stands on the page. `None` without
    /// a baseline or a test.
    pub(crate) fn answer(&self) -> Option<Answer> {
        self.baseline.as_ref()?;
        let evidence = self.evidence.as_ref()?;
        let report = complete(self.drawn.clone(), self, "");
        let headline = Headline::of(&report)?;
        let chief = evidence.metrics.first();
        Some(Answer {
            verdict: chief.and_then(|chief| chief.difference.as_ref()?.verdict),
            answer: headline.answer(),
            first_places: headline.first_places.clone(),
            deploy: self.deploy(&headline),
            next_steps: headline.next_steps,
        })
    }

    fn deploy(&self, headline: &Headline<'_>) -> Option<Deploy> {
        let contenders = self.contenders.as_ref()?;
        let (which, sentence) = headline.choice(
            contenders.compared,
            &contenders.chosen(Choice::Model).name,
            &contenders.chosen(Choice::Baseline).name,
        )?;
        let chosen = contenders.chosen(which);
        Some(Deploy {
            which,
            name: chosen.name.clone(),
            sentence,
            loading: chosen.loading.clone(),
        })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deploy = self.deploy.as_ref();
        let lines = [
            Some(&self.answer),
            self.first_places.as_ref(),
            deploy.map(|deploy| &deploy.sentence),
            deploy.and_then(|deploy| deploy.loading.as_ref()),
        ];
        (lines.into_iter().flatten()).try_for_each(|line| writeln!(f, "{line}"))?;
        let steps = self.next_steps.iter();
        steps
            .into_iter()
            .try_for_each(|step| writeln!(f, "Next: {step}"))
    }
}
