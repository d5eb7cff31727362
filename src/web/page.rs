//! One page for people: what is going on, what it waits for, what the outputs proved.
//!
//! Rules: rendered here, without scripts and without anything from elsewhere; every value is escaped on its way in; the page
//! shows what to do next but changes nothing.

use std::fmt::{self, Display, Write as _};

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse};

use super::Shared;
use super::refusal::Refused;
use super::scrape::now_ms;
use crate::daemon::handle::{RolloutView, View};
use crate::model::verdict::{Evidence, Outcome, TableVerdict};

/// Ended rollouts on the page, the newest ones.
const ENDED_SHOWN: usize = 20;

pub(super) async fn page(State(app): Shared, headers: HeaderMap) -> Result<Html<String>, Refused> {
    app.auth.admit_reader(&headers)?;
    Ok(Html(render(&app.handle.view(), now_ms())))
}

pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")], STYLE)
}

pub(super) async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "max-age=86400")], ICON)
}

/// Text made safe for elements and for quoted attributes.
struct Safe<T>(T);

impl<T: Display> Display for Safe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Escape<'a, 'b>(&'a mut fmt::Formatter<'b>);
        impl fmt::Write for Escape<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                for c in text.chars() {
                    match c {
                        '&' => self.0.write_str("&amp;")?,
                        '<' => self.0.write_str("&lt;")?,
                        '>' => self.0.write_str("&gt;")?,
                        '"' => self.0.write_str("&quot;")?,
                        '\'' => self.0.write_str("&#39;")?,
                        c => self.0.write_char(c)?,
                    }
                }
                Ok(())
            }
        }
        write!(Escape(f), "{}", self.0)
    }
}

/// The whole page.
fn render(view: &View, now_ms: i64) -> String {
    let mut out = String::from(HEAD);
    // Writing to a String cannot fail.
    let _ = write_page(&mut out, view, now_ms);
    out.push_str("</main></body></html>\n");
    out
}

fn write_page(out: &mut String, view: &View, now_ms: i64) -> fmt::Result {
    let role = match (view.leading, view.replayed) {
        (true, true) => "leads",
        (true, false) => "reads the journal",
        (false, _) => "stands by",
    };
    write!(
        out,
        "<header><h1>Cyanotype</h1><p>environment <b>{}</b>, this daemon {role}, {} subjects watched</p></header><main>",
        Safe(&view.env),
        view.subjects_watched
    )?;
    if let Some(branch) = &view.ahead {
        write!(out, "<p class=\"note\">files are behind the cluster: merge {}</p>", Safe(branch))?;
    }
    out.push_str("<h2>Rollouts under way</h2>");
    let mut open = view.rollouts.iter().filter(|rollout| !rollout.ended).peekable();
    if open.peek().is_none() {
        out.push_str("<p id=\"quiet\">Nothing is under way. A rollout starts when a watched schema changes.</p>");
    }
    for rollout in open {
        write_rollout(out, rollout, now_ms)?;
    }
    write_refused(out, view, now_ms)?;
    write_ended(out, view, now_ms)?;
    write_deployed(out, view)
}

fn write_rollout(out: &mut String, rollout: &RolloutView, now_ms: i64) -> fmt::Result {
    write!(
        out,
        "<section class=\"rollout\"><h3>{} <span class=\"state {state}\">{state}</span></h3>\
         <p>{} <code>{}</code>, in this state for {}</p>",
        Safe(&rollout.title),
        Safe(rollout.kind.name()),
        Safe(&rollout.id),
        Age(rollout.since_ms, now_ms),
        state = Safe(&rollout.state),
    )?;
    if !rollout.waiting_on.is_empty() {
        write!(out, "<p class=\"waiting\">waits for: {}</p>", Safe(&rollout.waiting_on))?;
    }
    if let Some(error) = &rollout.error {
        write!(out, "<p class=\"error\">{}</p>", Safe(error))?;
    }
    if let Some(evidence) = &rollout.evidence {
        write_evidence(out, evidence)?;
    }
    if let (Some(digest), "awaiting_approval") = (&rollout.evidence_digest, rollout.state.as_str()) {
        write!(
            out,
            "<p>Evidence <code>{}</code></p><p>Say yes: <code>cyanotype approve {id}</code>, \
             no: <code>cyanotype reject {id}</code></p>",
            Safe(digest),
            id = Safe(&rollout.id),
        )?;
    }
    if rollout.state == "soaking" {
        write!(out, "<p>Make blue serve again: <code>cyanotype rollback {}</code></p>", Safe(&rollout.id))?;
    }
    out.push_str("<details><summary>history</summary><ol>");
    for step in &rollout.history {
        write!(out, "<li>{} <b>{}</b> {}</li>", When(step.at_ms), Safe(&step.state), Safe(&step.note))?;
    }
    out.push_str("</ol></details></section>");
    Ok(())
}

fn write_evidence(out: &mut String, evidence: &Evidence) -> fmt::Result {
    write!(
        out,
        "<p>Verdict: <b class=\"{0}\">{0}</b>, {1}; {2} input records arrived meanwhile</p>",
        outcome(evidence.outcome),
        Safe(&evidence.reason),
        evidence.arrived
    )?;
    out.push_str(
        "<div class=\"wide\"><table class=\"verdict\"><tr><th>table<th>verdict<th>rows blue<th>rows green<th>equal\
         <th>followed<th>by history<th>missing<th>extra<th>different<th>undecided<th>duplicates<th>why</tr>",
    );
    for table in &evidence.tables {
        write_verdict(out, table)?;
    }
    out.push_str("</table></div>");
    Ok(())
}

fn write_verdict(out: &mut String, table: &TableVerdict) -> fmt::Result {
    write!(out, "<tr><td>{0}<td class=\"{1}\">{1}", Safe(&table.table), outcome(table.outcome))?;
    for number in [
        table.rows_blue,
        table.rows_green,
        table.equal,
        table.followed,
        table.by_history,
        table.missing,
        table.extra,
        table.different,
        table.undecided,
        table.duplicates.values().sum(),
    ] {
        write!(out, "<td class=\"number\">{number}")?;
    }
    write!(out, "<td>{}", Safe(&table.reason))?;
    if !table.samples.is_empty() {
        out.push_str("<details><summary>samples</summary><ul>");
        for sample in &table.samples {
            write!(out, "<li>{}</li>", Safe(sample))?;
        }
        out.push_str("</ul></details>");
    }
    out.push_str("</tr>");
    Ok(())
}

fn write_refused(out: &mut String, view: &View, now_ms: i64) -> fmt::Result {
    if view.refused.is_empty() {
        return Ok(());
    }
    out.push_str("<h2>Refused evolutions</h2><ul class=\"refused\">");
    for refused in &view.refused {
        let age = Age(refused.at_ms, now_ms);
        write!(out, "<li><b>{}</b> version {}, {age} ago<ul>", Safe(&refused.subject), refused.version)?;
        for reason in &refused.reasons {
            write!(out, "<li>{}</li>", Safe(reason))?;
        }
        out.push_str("</ul></li>");
    }
    out.push_str("</ul>");
    Ok(())
}

fn write_ended(out: &mut String, view: &View, now_ms: i64) -> fmt::Result {
    let mut ended = view.rollouts.iter().filter(|rollout| rollout.ended).take(ENDED_SHOWN).peekable();
    if ended.peek().is_none() {
        return Ok(());
    }
    out.push_str("<h2>Ended rollouts</h2><table><tr><th>rollout<th>what<th>end<th>when</tr>");
    for rollout in ended {
        write!(
            out,
            "<tr><td><code>{}</code><td>{}<td><span class=\"state {state}\">{state}</span><td>{} ago</tr>",
            Safe(&rollout.id),
            Safe(&rollout.title),
            Age(rollout.since_ms, now_ms),
            state = Safe(&rollout.state),
        )?;
    }
    out.push_str("</table>");
    Ok(())
}

fn write_deployed(out: &mut String, view: &View) -> fmt::Result {
    if view.manifest.tables.is_empty() {
        return Ok(());
    }
    out.push_str("<h2>Deployed</h2><table><tr><th>table<th>serves as<th>version</tr>");
    for (logical, table) in &view.manifest.tables {
        write!(out, "<tr><td>{}<td>{}<td>{}</tr>", Safe(logical), Safe(&table.physical), table.version)?;
    }
    out.push_str("</table>");
    Ok(())
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Undecided => "undecided",
        Outcome::Fail => "fail",
    }
}

/// From one moment to another, in the largest unit that fits.
struct Age(i64, i64);

impl Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.1.saturating_sub(self.0).max(0) / 1_000;
        match seconds {
            0..120 => write!(f, "{seconds} s"),
            120..7_200 => write!(f, "{} min", seconds / 60),
            7_200..172_800 => write!(f, "{} h", seconds / 3_600),
            _ => write!(f, "{} days", seconds / 86_400),
        }
    }
}

/// A moment in UTC, to the second.
struct When(i64);

impl Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0.div_euclid(1_000)) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_) => f.write_str("at an unknown time"),
        }
    }
}

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Cyanotype</title>\
    <meta name=\"viewport\" content=\"width=device-width\"><meta http-equiv=\"refresh\" content=\"5\">\
    <link rel=\"icon\" href=\"/favicon.svg\"><link rel=\"stylesheet\" href=\"/style.css\"></head><body>";

const STYLE: &str = include_str!("style.css");
const ICON: &str = include_str!("icon.svg");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_element_or_attribute() {
        let shown = Safe("<script>alert('x' & \"y\")</script>").to_string();
        assert_eq!(shown, "&lt;script&gt;alert(&#39;x&#39; &amp; &quot;y&quot;)&lt;/script&gt;");
    }

    #[test]
    fn ages_and_moments_of_any_size_can_be_shown() {
        assert_eq!(Age(0, 119_000).to_string(), "119 s");
        assert_eq!(Age(0, 7_200_000).to_string(), "2 h");
        assert_eq!(Age(i64::MAX, i64::MIN).to_string(), "0 s");
        assert_eq!(When(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(When(i64::MIN).to_string(), "at an unknown time");
    }
}
