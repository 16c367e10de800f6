//! `cmdai knowledge …`: what cmdai knows about programs, to look at and to check.

mod entry;
mod lint;
mod short;
mod show;
mod words;

/// The reader of the files, the same that compiles them into the engine.
#[path = "../../../effects/build.rs"]
#[allow(
    dead_code,
    unfulfilled_lint_expectations,
    reason = "of a build program only the grammar is used here"
)]
mod grammar;

use crate::arguments::{Format, Knowledge, KnowledgeTask};
use crate::failure::Failure;

/// One of the tasks.
pub(crate) fn knowledge(arguments: &Knowledge) -> Result<u8, Failure> {
    match &arguments.task {
        KnowledgeTask::Show { program, format } => show::show(program, *format),
        KnowledgeTask::List { format } => {
            list(*format);
            Ok(0)
        }
        KnowledgeTask::Lint { files, format } => lint::lint(files, *format),
    }
}

fn list(format: Format) {
    for name in cmdai_effects::known_programs() {
        let about = crate::explain::about(name);
        match format {
            Format::Json => {
                anstream::println!("{}", serde_json::json!({ "program": name, "about": about }))
            }
            Format::Human => {
                anstream::println!(
                    "{}",
                    format!("{name:<24} {}", about.unwrap_or_default()).trim_end()
                );
            }
        }
    }
}
