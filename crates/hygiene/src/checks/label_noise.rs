//! Categories that a classifier takes for wrong. It needs a model, so others run it: see
//! [`Hygiene::suggest`](crate::Hygiene::suggest).

use super::{Check, Elsewhere, TableCheck, Watch};
use crate::finding::{Finding, Suggestion};
use crate::kind::{Family, Fix, Kind, Severity};
use crate::options::Options;
use crate::table::{Place, Table};

pub(super) const CHECK: Check = Check::Table(&TableCheck {
    kinds: &[&LABEL_NOISE],
    start,
});

/// A category that is likely another one.
pub static LABEL_NOISE: Kind = Kind {
    name: "label_noise",
    title: "rows whose category is likely another one",
    family: Family::Contradictions,
    severity: Severity::Warning,
    remedy: "see which of the two is right: `--fix label_noise` drops the row, `--fix relabel` \
             gives it the category that is suggested",
    fix: Fix::Drop,
};

fn start(tables: &[Table], options: &Options) -> Option<Box<dyn Watch>> {
    let has_categories = |table: &Table| table.is_checked && table.category.is_some();
    let any = options.has_suggestions && tables.iter().any(has_categories);
    any.then(|| Box::new(Elsewhere) as Box<dyn Watch>)
}

/// Returns what is to be said of a row whose category is likely another one.
pub(crate) fn finding(place: Place, given: (&str, f64), suggestion: Suggestion) -> Finding {
    let (given, share) = given;
    let detail = format!(
        "labelled `{given}` (probability {share:.2}), more likely `{}` ({:.2})",
        suggestion.category, suggestion.probability
    );
    Finding {
        suggestion: Some(suggestion),
        ..Finding::new(&LABEL_NOISE, place, detail)
    }
}
