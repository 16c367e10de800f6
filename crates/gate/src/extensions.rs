//! Contributors compiled into a program that embeds cmdai. An empty registry is a valid program,
//! and it is what the installed binary has: there the governor's socket does the same work.
//!
//! Contributors can tighten and observe. None of them can loosen a decision.

use cmdai_schema::{Analysis, Facts, RuleHit, Subject, record::Record};

/// What a contributor refuses, in words for the person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// Looks at a request for generation before a model sees it.
pub trait BeforeGeneration: Send + Sync {
    /// May change the prompt, such as adding the organisation's conventions.
    ///
    /// # Errors
    /// Where nothing may be generated from this prompt.
    fn before_generation(
        &self,
        prompt: &mut String,
        backend: &str,
        model: &str,
    ) -> Result<(), Refusal>;
}

/// Looks at a generated command before a person sees it.
pub trait AfterGeneration: Send + Sync {
    /// # Errors
    /// Where this command may not be proposed.
    fn after_generation(&self, command: &str, analysis: &Analysis) -> Result<(), Refusal>;
}

/// Takes part in finding out which tools there are to generate for.
pub trait ToolDiscovery: Send + Sync {
    /// May take tools out that the organisation does not allow.
    fn discovered(&self, tools: &mut Vec<String>);
}

/// Takes part in the decision about a command.
pub trait ExecutionGate: Send + Sync {
    /// Rules of its own that fire; they join the decision by maximum.
    fn judge(
        &self,
        text: &str,
        analysis: &Analysis,
        facts: &Facts,
        subject: &Subject,
    ) -> Vec<RuleHit>;
}

/// Sees each record that is written.
pub trait EventSink: Send + Sync {
    /// Called after the record was appended. Must return at once.
    fn recorded(&self, record: &Record);
}

/// The registry.
#[derive(Default)]
pub struct Extensions {
    before_generation: Vec<Box<dyn BeforeGeneration>>,
    after_generation: Vec<Box<dyn AfterGeneration>>,
    tool_discovery: Vec<Box<dyn ToolDiscovery>>,
    execution_gates: Vec<Box<dyn ExecutionGate>>,
    event_sinks: Vec<Box<dyn EventSink>>,
}

impl std::fmt::Debug for Extensions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Extensions")
            .field("before_generation", &self.before_generation.len())
            .field("after_generation", &self.after_generation.len())
            .field("tool_discovery", &self.tool_discovery.len())
            .field("execution_gates", &self.execution_gates.len())
            .field("event_sinks", &self.event_sinks.len())
            .finish()
    }
}

impl Extensions {
    /// Adds a contributor before generation.
    #[must_use]
    pub fn with_before_generation(mut self, contributor: impl BeforeGeneration + 'static) -> Self {
        self.before_generation.push(Box::new(contributor));
        self
    }

    /// Adds a contributor after generation.
    #[must_use]
    pub fn with_after_generation(mut self, contributor: impl AfterGeneration + 'static) -> Self {
        self.after_generation.push(Box::new(contributor));
        self
    }

    /// Adds a contributor at tool discovery.
    #[must_use]
    pub fn with_tool_discovery(mut self, contributor: impl ToolDiscovery + 'static) -> Self {
        self.tool_discovery.push(Box::new(contributor));
        self
    }

    /// Adds a contributor at execution.
    #[must_use]
    pub fn with_execution_gate(mut self, contributor: impl ExecutionGate + 'static) -> Self {
        self.execution_gates.push(Box::new(contributor));
        self
    }

    /// Adds a sink of records.
    #[must_use]
    pub fn with_event_sink(mut self, contributor: impl EventSink + 'static) -> Self {
        self.event_sinks.push(Box::new(contributor));
        self
    }

    /// Asks all contributors before generation.
    ///
    /// # Errors
    /// The first refusal.
    pub fn before_generation(
        &self,
        prompt: &mut String,
        backend: &str,
        model: &str,
    ) -> Result<(), Refusal> {
        self.before_generation
            .iter()
            .try_for_each(|contributor| contributor.before_generation(prompt, backend, model))
    }

    /// Asks all contributors after generation.
    ///
    /// # Errors
    /// The first refusal.
    pub fn after_generation(&self, command: &str, analysis: &Analysis) -> Result<(), Refusal> {
        self.after_generation
            .iter()
            .try_for_each(|contributor| contributor.after_generation(command, analysis))
    }

    /// Lets all contributors look at the tools.
    pub fn discovered(&self, tools: &mut Vec<String>) {
        for contributor in &self.tool_discovery {
            contributor.discovered(tools);
        }
    }

    /// No contributor takes part in decisions.
    pub(crate) fn is_empty(&self) -> bool {
        self.execution_gates.is_empty()
    }

    /// Rules of contributors that fire.
    pub(crate) fn hits(
        &self,
        text: &str,
        analysis: &Analysis,
        facts: &Facts,
        subject: &Subject,
    ) -> Vec<RuleHit> {
        self.execution_gates
            .iter()
            .flat_map(|contributor| contributor.judge(text, analysis, facts, subject))
            .collect()
    }

    /// Tells all sinks.
    pub fn recorded(&self, record: &Record) {
        for contributor in &self.event_sinks {
            contributor.recorded(record);
        }
    }
}
