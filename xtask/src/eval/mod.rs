//! `cargo xtask eval`: how often labelled commands are interrupted, by suite and by category.
//!
//! A corpus is a file of JSON Lines: `{"id","command","label":"deny"|"ask"|"allow","category"?,
//! "ambiguous"?,"shell"?,"cwd"?,"home"?}`. The rows go through the shipped `cmdai check --batch`.
//! *Interrupted* means confirm or stricter: somebody or something has to say yes first. Rows marked
//! `ambiguous` are counted and not scored. Labels that this project rejects are listed by kind and
//! with reasons in `docs/evaluation/rejections.toml`; scores are printed with and without them.

mod corpus;
mod judge;
mod score;
mod table;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::step;

#[derive(Args)]
pub(crate) struct Options {
    /// Corpus of labelled commands (JSON Lines); give several
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    corpus: Vec<PathBuf>,
    /// Judge with this binary instead of building `cmdai`
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Build and judge with the release profile
    #[arg(long, conflicts_with = "binary")]
    release: bool,
    /// An organisation policy to judge under, besides the built-in rules
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Kinds of labels that are rejected, with reasons
    #[arg(
        long,
        value_name = "FILE",
        default_value = "docs/evaluation/rejections.toml"
    )]
    rejections: PathBuf,
    /// Where the rows go on which we and the label disagree
    #[arg(long, value_name = "FILE")]
    disagreements: Option<PathBuf>,
    /// Rows in the table of categories
    #[arg(long, default_value_t = 25)]
    categories: usize,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

/// Corpora in, tables out.
pub(crate) fn run(options: &Options) -> Result<()> {
    let suites = options
        .corpus
        .iter()
        .map(|file| corpus::read(file))
        .collect::<Result<Vec<_>>>()?;
    let rejections = corpus::rejections(&step::root().join(&options.rejections), &suites)?;
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => judge::build(options.release)?,
    };
    let answers = suites
        .iter()
        .map(|suite| judge::batch(&binary, options.policy.as_deref(), suite))
        .collect::<Result<Vec<_>>>()?;
    let report = score::score(&suites, &answers, &rejections);

    let file = options
        .disagreements
        .clone()
        .unwrap_or_else(|| step::target().join("eval/disagreements.jsonl"));
    corpus::write_disagreements(&file, &suites, &answers, &rejections)
        .with_context(|| format!("cannot write {}", file.display()))?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        table::print(&report, options.categories);
        println!("\ndisagreements: {}", file.display());
    }
    if report.rejected.share_percent > score::MOST_REJECTED_PERCENT {
        bail!(
            "{:.2} % of the rows are rejected; more than {} % would be a score of our own making",
            report.rejected.share_percent,
            score::MOST_REJECTED_PERCENT
        );
    }
    Ok(())
}
