//! `/v1/log/statistics`: decisions of a period counted for release, as JSON or as a table.

use actix_web::{HttpRequest, HttpResponse, http::header, web::Data};
use jiff::civil::Date;

use super::{Shared, caller::Authenticated, page::Query, problem::Problem};
use crate::{
    app::statistics::{LONGEST, Wanted},
    domain::calendar::london_day,
};

#[derive(Clone, Copy)]
enum Format {
    Json,
    Csv,
}

pub async fn read(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request)?;
    let format = query.take("format", format_of, "is not one of the allowed values").unwrap_or(Format::Json);
    let wanted = wanted(&mut query, london_day(shared.app.clock.now()));
    query.finish()?;
    let report = shared.app.statistics(&who.caller, &wanted?).await?;
    Ok(match format {
        Format::Json => HttpResponse::Ok().json(report),
        Format::Csv => HttpResponse::Ok()
            .content_type("text/csv; charset=utf-8")
            .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"statistics.csv\""))
            .body(report.table()),
    })
}

/// Months of the query; left out: the last twelve. The outer error is of the months together.
pub fn wanted(query: &mut Query, today: Date) -> Result<Wanted, Problem> {
    let month = "must be a month, YYYY-MM";
    let usual = Wanted::last_year(today);
    let from = query.take("from", month_of, month);
    let to = query.take("to", month_of, month);
    let document = query.id("document");
    let rule = query.rule("rule");
    let wanted = Wanted { from: from.unwrap_or(usual.from), to: to.unwrap_or(usual.to), document, rule };
    if wanted.from > wanted.to {
        return Err(Problem::invalid("from", "is after `to`"));
    }
    let longest = i32::try_from(LONGEST).unwrap_or(i32::MAX);
    let months = |day: Date| i32::from(day.year()) * 12 + i32::from(day.month());
    if months(wanted.to) - months(wanted.from) >= longest {
        return Err(Problem::invalid("from", format!("is more than {LONGEST} months before `to`")));
    }
    Ok(wanted)
}

fn month_of(text: &str) -> Option<Date> {
    format!("{text}-01").parse().ok().filter(|_| text.len() == "2026-01".len())
}

fn format_of(text: &str) -> Option<Format> {
    match text {
        "json" => Some(Format::Json),
        "csv" => Some(Format::Csv),
        _ => None,
    }
}
