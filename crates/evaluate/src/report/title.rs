use super::data::Report;

/// Returns what a report is called: what was compared, and on what.
pub(super) fn title(report: &Report) -> String {
    let what = match (report.model.as_str(), &report.baseline) {
        ("", _) => String::new(),
        (model, None) => model.to_owned(),
        (model, Some(baseline)) => format!("{model} against {baseline}"),
    };
    match (what.as_str(), report.data.as_str()) {
        ("", "") => "Evaluation".to_owned(),
        ("", data) => data.to_owned(),
        (what, "") => what.to_owned(),
        (what, data) => format!("{what} on {data}"),
    }
}
