//! Conditions in SQL, read into expressions of DataFusion.

use arrow::datatypes::{DataType, Schema, TimeUnit};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::expr::Like;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, cast, lit, try_cast};
use sqlparser::ast::{self, BinaryOperator as Sql, CastKind, Ident, UnaryOperator, Value};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

/// What is understood, for messages.
const UNDERSTOOD: &str = "understood are columns, texts, numbers, =, <>, <, <=, >, >=, +, -, *, /, \
                          %, ||, AND, OR, NOT, IN (…), BETWEEN, LIKE, ILIKE, IS NULL, CAST and \
                          TRY_CAST to INT, DOUBLE, TEXT, BOOLEAN, DATE and TIMESTAMP";

/// Reads a condition over these columns. Letter case of a name counts only where there are several
/// columns alike, or in double quotes.
///
/// # Errors
/// A sentence that says what is wrong.
pub(crate) fn condition(sql: &str, columns: &Schema) -> Result<Expr, String> {
    let parser = Parser::new(&GenericDialect {}).try_with_sql(sql);
    let mut parser = parser.map_err(|error| error.to_string())?;
    let parsed = parser.parse_expr().map_err(|error| error.to_string())?;
    match parser.peek_token().token {
        Token::EOF => Reader { columns }.expression(&parsed),
        rest => Err(format!(
            "there is more behind the condition, from `{rest}` on"
        )),
    }
}

struct Reader<'a> {
    columns: &'a Schema,
}

impl Reader<'_> {
    fn expression(&self, sql: &ast::Expr) -> Result<Expr, String> {
        let read = |sql: &ast::Expr| self.expression(sql);
        let boxed = |sql: &ast::Expr| Ok::<_, String>(Box::new(self.expression(sql)?));
        Ok(match sql {
            ast::Expr::Nested(inner) => read(inner)?,
            ast::Expr::Identifier(name) => self.column(name)?,
            ast::Expr::Value(value) => literal(&value.value)?,
            ast::Expr::TypedString(typed) => {
                cast(literal(&typed.value.value)?, data_type(&typed.data_type)?)
            }
            ast::Expr::BinaryOp { left, op, right } => {
                binary(read(left)?, operator(op)?, read(right)?)
            }
            ast::Expr::UnaryOp { op, expr } => match op {
                UnaryOperator::Not => Expr::Not(boxed(expr)?),
                UnaryOperator::Minus => Expr::Negative(boxed(expr)?),
                UnaryOperator::Plus => read(expr)?,
                _ => return Err(not_understood(sql)),
            },
            ast::Expr::IsNull(inner) => Expr::IsNull(boxed(inner)?),
            ast::Expr::IsNotNull(inner) => Expr::IsNotNull(boxed(inner)?),
            ast::Expr::IsTrue(inner) => Expr::IsTrue(boxed(inner)?),
            ast::Expr::IsNotTrue(inner) => Expr::IsNotTrue(boxed(inner)?),
            ast::Expr::IsFalse(inner) => Expr::IsFalse(boxed(inner)?),
            ast::Expr::IsNotFalse(inner) => Expr::IsNotFalse(boxed(inner)?),
            ast::Expr::IsDistinctFrom(left, right) => {
                binary(read(left)?, Operator::IsDistinctFrom, read(right)?)
            }
            ast::Expr::IsNotDistinctFrom(left, right) => {
                binary(read(left)?, Operator::IsNotDistinctFrom, read(right)?)
            }
            ast::Expr::InList {
                expr,
                list,
                negated,
            } => {
                let list = list.iter().map(read).collect::<Result<Vec<_>, _>>()?;
                read(expr)?.in_list(list, *negated)
            }
            ast::Expr::Between {
                expr,
                negated,
                low,
                high,
            } => match negated {
                true => read(expr)?.not_between(read(low)?, read(high)?),
                false => read(expr)?.between(read(low)?, read(high)?),
            },
            ast::Expr::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => {
                let escape = escape(escape_char.as_ref())?;
                Expr::Like(Like::new(
                    *negated,
                    boxed(expr)?,
                    boxed(pattern)?,
                    escape,
                    false,
                ))
            }
            ast::Expr::ILike {
                negated,
                any: false,
                expr,
                pattern,
                escape_char,
            } => {
                let escape = escape(escape_char.as_ref())?;
                Expr::Like(Like::new(
                    *negated,
                    boxed(expr)?,
                    boxed(pattern)?,
                    escape,
                    true,
                ))
            }
            ast::Expr::Cast {
                kind,
                expr,
                data_type: kind_of_data,
                array: false,
                format: None,
            } => {
                let kind_of_data = data_type(kind_of_data)?;
                match kind {
                    CastKind::Cast | CastKind::DoubleColon => cast(read(expr)?, kind_of_data),
                    CastKind::TryCast | CastKind::SafeCast => try_cast(read(expr)?, kind_of_data),
                }
            }
            _ => return Err(not_understood(sql)),
        })
    }

    fn column(&self, name: &Ident) -> Result<Expr, String> {
        let fields = self.columns.fields().iter().map(|field| field.name());
        let is_alike = |field: &&String| match name.quote_style {
            None => field.to_lowercase() == name.value.to_lowercase(),
            Some(_) => **field == name.value,
        };
        let alike: Vec<&String> = fields.filter(is_alike).collect();
        match alike.as_slice() {
            [one] => Ok(Expr::Column(Column::from_name(*one))),
            several if several.iter().filter(|one| ***one == name.value).count() == 1 => {
                Ok(Expr::Column(Column::from_name(&name.value)))
            }
            [] => Err(format!("there is no column {name}")),
            _ => Err(format!("there are several columns {name}")),
        }
    }
}

fn not_understood(sql: &ast::Expr) -> String {
    format!("`{sql}` is not understood; {UNDERSTOOD}")
}

fn binary(left: Expr, operator: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), operator, Box::new(right)))
}

fn literal(value: &Value) -> Result<Expr, String> {
    Ok(match value {
        Value::Number(digits, _) => match (digits.parse::<i64>(), digits.parse::<f64>()) {
            (Ok(whole), _) => lit(whole),
            (_, Ok(number)) => lit(number),
            _ => return Err(format!("{digits} is no number that can be held")),
        },
        Value::SingleQuotedString(text) => lit(text.as_str()),
        Value::Boolean(truth) => lit(*truth),
        Value::Null => lit(ScalarValue::Null),
        other => return Err(format!("`{other}` is not understood; {UNDERSTOOD}")),
    })
}

fn operator(sql: &Sql) -> Result<Operator, String> {
    Ok(match sql {
        Sql::Eq => Operator::Eq,
        Sql::NotEq => Operator::NotEq,
        Sql::Lt => Operator::Lt,
        Sql::LtEq => Operator::LtEq,
        Sql::Gt => Operator::Gt,
        Sql::GtEq => Operator::GtEq,
        Sql::And => Operator::And,
        Sql::Or => Operator::Or,
        Sql::Plus => Operator::Plus,
        Sql::Minus => Operator::Minus,
        Sql::Multiply => Operator::Multiply,
        Sql::Divide => Operator::Divide,
        Sql::Modulo => Operator::Modulo,
        Sql::StringConcat => Operator::StringConcat,
        other => return Err(format!("`{other}` is not understood; {UNDERSTOOD}")),
    })
}

fn escape(value: Option<&ast::ValueWithSpan>) -> Result<Option<char>, String> {
    let Some(value) = value else {
        return Ok(None);
    };
    let text = match &value.value {
        Value::SingleQuotedString(text) => text.as_str(),
        _ => "",
    };
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => Ok(Some(letter)),
        _ => Err("ESCAPE takes one letter".to_owned()),
    }
}

fn data_type(sql: &ast::DataType) -> Result<DataType, String> {
    let name = sql.to_string().to_uppercase();
    let bare = name.split('(').next().unwrap_or_default().trim();
    Ok(match bare {
        "TINYINT" | "SMALLINT" | "INT" | "INTEGER" | "BIGINT" => DataType::Int64,
        "DOUBLE" | "DOUBLE PRECISION" | "FLOAT" | "REAL" => DataType::Float64,
        "VARCHAR" | "TEXT" | "STRING" | "CHAR" => DataType::Utf8,
        "BOOLEAN" | "BOOL" => DataType::Boolean,
        "DATE" => DataType::Date32,
        "TIMESTAMP" | "DATETIME" => DataType::Timestamp(TimeUnit::Nanosecond, None),
        _ => return Err(format!("the type {sql} is not understood; {UNDERSTOOD}")),
    })
}
