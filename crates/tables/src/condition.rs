//! Conditions in SQL, read into expressions by DataFusion.

use std::ops::ControlFlow;

use arrow::datatypes::Schema;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::config::Dialect;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, Volatility};
use datafusion::sql::sqlparser::ast::{self, Ident, visit_expressions_mut};

/// Reads a condition over these columns. Letter case of a name counts only where there are several
/// columns alike, or in double quotes.
///
/// # Errors
/// A sentence that says what is wrong.
pub(crate) fn condition(
    sql: &str,
    columns: &Schema,
    session: &SessionState,
) -> Result<Expr, String> {
    let plain = |error: DataFusionError| first_line(&error);
    let parsed = session.sql_to_expr_with_alias(sql, &Dialect::Generic);
    let mut parsed = parsed.map_err(plain)?;
    let named = visit_expressions_mut(&mut parsed.expr, |part| match part {
        ast::Expr::Identifier(name) => match column(name, columns) {
            Ok(found) => {
                // In quotes, so that DataFusion takes it as it is.
                *name = Ident::with_quote('"', found);
                ControlFlow::Continue(())
            }
            Err(unknown) => ControlFlow::Break(unknown),
        },
        _ => ControlFlow::Continue(()),
    });
    if let ControlFlow::Break(unknown) = named {
        return Err(unknown);
    }
    let schema = DFSchema::try_from(columns.clone()).map_err(plain)?;
    let condition = session.create_logical_expr_from_sql_expr(parsed, &schema);
    let condition = condition.map_err(plain)?;
    let mut unfit = None;
    let has_unfit = condition.exists(|part| {
        unfit = why_unfit(part);
        Ok(unfit.is_some())
    });
    has_unfit.map_err(plain)?;
    unfit.map_or(Ok(condition), Err)
}

/// Returns the column of a name.
fn column(name: &Ident, columns: &Schema) -> Result<String, String> {
    let fields = columns.fields().iter().map(|field| field.name());
    let is_alike = |field: &&String| match name.quote_style {
        None => field.to_lowercase() == name.value.to_lowercase(),
        Some(_) => **field == name.value,
    };
    let alike: Vec<&String> = fields.filter(is_alike).collect();
    match alike.as_slice() {
        [one] => Ok((*one).clone()),
        several if several.iter().filter(|one| ***one == name.value).count() == 1 => {
            Ok(name.value.clone())
        }
        [] => Err(format!("there is no column {name}")),
        _ => Err(format!("there are several columns {name}")),
    }
}

/// Returns why a part of a condition cannot be told of a row alone, the same in each run.
fn why_unfit(part: &Expr) -> Option<String> {
    match part {
        Expr::ScalarFunction(call) => match call.func.signature().volatility {
            Volatility::Immutable => None,
            _ => Some(format!(
                "`{part}` differs from run to run; write the value itself"
            )),
        },
        Expr::AggregateFunction(_) | Expr::WindowFunction(_) => Some(format!(
            "`{part}` is of many rows, and a condition is of one"
        )),
        Expr::Exists(_)
        | Expr::InSubquery(_)
        | Expr::ScalarSubquery(_)
        | Expr::SetComparison(_) => Some("a query within a condition is not possible".to_owned()),
        _ => None,
    }
}

/// Returns what is wrong without what stands around it: who says so, a list of candidates, a
/// backtrace.
pub(crate) fn first_line(error: &DataFusionError) -> String {
    if let DataFusionError::SQL(error, _) = error {
        return error.to_string();
    }
    let text = error.strip_backtrace();
    let mut line = text.lines().next().unwrap_or_default();
    for who in ["Arrow error: ", "Cast error: ", "Error during planning: "] {
        line = line.strip_prefix(who).unwrap_or(line);
    }
    line.trim_end_matches('.').to_owned()
}
