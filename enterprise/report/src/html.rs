//! The report as a page to print.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use cmdai_api::console::{ControlResult, EvidenceItem, Report};
use cmdai_schema::Hash;

const STYLE: &str = include_str!("style.css");

/// Source expression for `style-src` that lets exactly this page's style through.
pub fn style_hash() -> String {
    format!(
        "'sha256-{}'",
        BASE64.encode(Hash::of(&[STYLE.as_bytes()]).0)
    )
}

/// Text that cannot become markup, in content and in quoted attributes.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Marks that turn the direction of text could make a command look like another one.
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    write!(f, "\\u{{{:x}}}", u32::from(c))?
                }
                '\n' | '\t' => f.write_char(c)?,
                c if c.is_control() => f.write_str("\u{fffd}")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Letters and digits only, for anchors.
fn anchor(id: &str) -> String {
    id.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}

/// `9875` of 10,000 is `98.75 %`.
fn percent(of_ten_thousand: u64) -> String {
    format!("{}.{:02} %", of_ten_thousand / 100, of_ten_thousand % 100)
}

/// The report as one HTML page: cover, contents, controls with their evidence, samples. It needs
/// nothing from elsewhere and holds no script.
pub fn html(report: &Report) -> String {
    let mut out = String::with_capacity(64 * 1024);
    // Writing to a string cannot fail.
    let _ = page(&mut out, report);
    out
}

fn page(out: &mut String, report: &Report) -> fmt::Result {
    let framework = &report.framework;
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{} evidence: {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        Text(&framework.title),
        Text(&report.organisation)
    )?;
    cover(out, report)?;
    out.push_str("<nav class=\"page\" aria-label=\"Contents\">\n<h2>Contents</h2>\n<ol class=\"contents\">\n");
    out.push_str("<li><a href=\"#basis\">What was looked at</a></li>\n");
    for control in &report.controls {
        writeln!(
            out,
            "<li><a href=\"#{}\">{} {}</a></li>",
            anchor(&control.id),
            Text(&control.id),
            Text(&control.title)
        )?;
    }
    out.push_str("<li><a href=\"#samples\">Samples</a></li>\n</ol>\n</nav>\n<main>\n");
    basis(out, report)?;
    for control in &report.controls {
        section(out, control)?;
    }
    samples(out, report)?;
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

fn cover(out: &mut String, report: &Report) -> fmt::Result {
    let framework = &report.framework;
    write!(
        out,
        "<header class=\"cover\">\n<p class=\"soft\">Evidence of command governance</p>\n<h1>{}</h1>\n<p>{}</p>\n<dl>\n",
        Text(&framework.title),
        Text(&framework.edition)
    )?;
    for (name, value) in [
        ("Organisation", report.organisation.as_str()),
        ("Period", &format!("{} to {}", report.from, report.to)),
        ("Made", &report.generated),
        ("Made by", &report.generated_by),
        ("Controls", &framework.controls.to_string()),
    ] {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", Text(value))?;
    }
    out.push_str(
        "</dl>\n<p>This document says which evidence was collected, how, and what stands out in it. \
         Whether a control is met is for the auditor to say.</p>\n</header>\n",
    );
    Ok(())
}

fn basis(out: &mut String, report: &Report) -> fmt::Result {
    let found = &report.completeness;
    out.push_str("<section id=\"basis\">\n<h2>What was looked at</h2>\n<dl>\n");
    for (name, value) in [
        ("Events in the period", report.events.to_string()),
        ("Machines with events", found.machines.to_string()),
        (
            "Gaps recorded",
            format!("{} ({} records missing in them)", found.gaps, found.missing),
        ),
        (
            "Ledger",
            format!("{} events at the end of the period", found.tree_size),
        ),
        (
            "Chains and tree",
            if found.verified {
                "checked; they fit".to_owned()
            } else {
                "not checked, or they do not fit".to_owned()
            },
        ),
    ] {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", Text(&value))?;
    }
    write!(
        out,
        "<dt>Root hash</dt><dd class=\"mono\">{}</dd>\n</dl>\n",
        Text(&found.root)
    )?;
    let rate = report.compliance.min(10_000);
    write!(
        out,
        "<h3>Commands within policy: {0}</h3>\n<progress max=\"10000\" value=\"{rate}\" aria-label=\"Commands within policy\">{0}</progress>\n\
         <p class=\"soft\">Commands within policy divided by commands judged; commands that ran against a monitored rule count as violations.</p>\n",
        percent(rate)
    )?;
    let standing = report.controls.iter().filter(|control| {
        control
            .evidence
            .iter()
            .any(|item| !item.exceptions.is_empty())
    });
    write!(
        out,
        "<p>Something stands out in the evidence of {} of {} controls.</p>\n\
         <p class=\"soft\">A population's hash is the SHA-256 over its rows' event hashes (32 bytes each), oldest first. \
         A sample is made of the rows with the smallest SHA-256(seed || event hash), so that anybody with the same rows gets the same sample. \
         The export of the period with its signed checkpoint can be verified offline with <code>cmdai-enterprise verify</code>. \
         Records show what the sensors of enrolled machines saw; that every machine is enrolled has to be shown by the list of assets.</p>\n</section>\n",
        standing.count(),
        report.controls.len()
    )
}

fn section(out: &mut String, control: &ControlResult) -> fmt::Result {
    write!(
        out,
        "<section id=\"{}\">\n<h2>{} {}</h2>\n<p>{}</p>\n<table>\n<thead><tr><th scope=\"col\">Evidence</th><th scope=\"col\">Query</th>\
         <th scope=\"col\">Rows</th><th scope=\"col\">SHA-256</th></tr></thead>\n<tbody>\n",
        anchor(&control.id),
        Text(&control.id),
        Text(&control.title),
        Text(&control.asks)
    )?;
    for item in &control.evidence {
        let title = format!("{} {}", item.id, item.title);
        if item.sample.is_empty() {
            write!(out, "<tr><td>{}</td>", Text(&title))?;
        } else {
            write!(
                out,
                "<tr><td><a href=\"#sample-{}\">{}</a></td>",
                anchor(&item.id),
                Text(&title)
            )?;
        }
        writeln!(
            out,
            "<td><code>{}</code></td><td class=\"number\">{}</td><td class=\"mono\">{}</td></tr>",
            Text(&item.query),
            item.rows,
            Text(&item.sha256)
        )?;
    }
    out.push_str("</tbody>\n</table>\n");
    let exceptions = control
        .evidence
        .iter()
        .flat_map(|item| item.exceptions.iter().map(move |text| (&item.id, text)));
    let mut exceptions = exceptions.peekable();
    if exceptions.peek().is_none() {
        out.push_str("<p>Nothing stands out.</p>\n");
    } else {
        out.push_str("<ul class=\"exceptions\">\n");
        for (id, text) in exceptions {
            writeln!(out, "<li>{}: {}</li>", Text(id), Text(text))?;
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</section>\n");
    Ok(())
}

/// Each sample once, however many controls it serves.
fn samples(out: &mut String, report: &Report) -> fmt::Result {
    let mut once: BTreeMap<&str, &EvidenceItem> = BTreeMap::new();
    for item in report.controls.iter().flat_map(|control| &control.evidence) {
        if !item.sample.is_empty() {
            once.entry(&item.id).or_insert(item);
        }
    }
    out.push_str("<section id=\"samples\">\n<h2>Samples</h2>\n");
    if once.is_empty() {
        out.push_str("<p>No query of this report has rows in the period.</p>\n");
    }
    for item in once.values() {
        write!(
            out,
            "<h3 id=\"sample-{}\">{} {}</h3>\n<p class=\"soft\">{} of {} rows; seed <span class=\"mono\">{}</span></p>\n<table>\n<thead><tr>\
             <th scope=\"col\">Time</th><th scope=\"col\">Machine</th><th scope=\"col\">Person</th><th scope=\"col\">What</th>\
             <th scope=\"col\">Decision</th><th scope=\"col\">Rule</th><th scope=\"col\">Event</th></tr></thead>\n<tbody>\n",
            anchor(&item.id),
            Text(&item.id),
            Text(&item.title),
            item.sample.len(),
            item.rows,
            Text(&item.seed)
        )?;
        for row in &item.sample {
            let person = match &row.agent {
                Some(agent) => format!("{} ({agent})", row.user),
                None => row.user.clone(),
            };
            writeln!(
                out,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td><code>{}</code></td><td>{}</td><td>{}</td><td class=\"mono\">{}</td></tr>",
                Text(&row.time),
                Text(&row.hostname),
                Text(&person),
                Text(&row.text),
                Text(row.decision.as_deref().unwrap_or("")),
                Text(row.rule.as_deref().unwrap_or("")),
                Text(&row.event_id)
            )?;
        }
        out.push_str("</tbody>\n</table>\n");
    }
    out.push_str("</section>\n");
    Ok(())
}
