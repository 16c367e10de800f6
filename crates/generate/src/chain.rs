//! Generators and their order.

use crate::config::Config;
use crate::openai::{OpenAi, Redactor};
use crate::{Intents, Outcome, Request, Tier};

/// Why a generator could not answer. Messages say what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    /// Nothing answers at the address.
    #[error(
        "backend `{backend}`: cannot reach {url}: {cause}; start the server or correct `url` of this backend"
    )]
    Unreachable {
        /// Backend's name.
        backend: String,
        /// Address that was tried.
        url: String,
        /// What the system said.
        cause: String,
    },
    /// The answer did not come in time.
    #[error(
        "backend `{backend}`: no answer within {seconds} s; raise `timeout_s` or choose a smaller model"
    )]
    TimedOut {
        /// Backend's name.
        backend: String,
        /// Limit in seconds.
        seconds: u64,
    },
    /// The server refused.
    #[error("backend `{backend}`: the server answered {status}: {message}; {cure}")]
    Refused {
        /// Backend's name.
        backend: String,
        /// HTTP status.
        status: u16,
        /// Start of what the server said.
        message: String,
        /// What to do.
        cure: &'static str,
    },
    /// The answer is not what the protocol says.
    #[error(
        "backend `{backend}`: cannot read the answer: {cause}; check that `url` is the base of an OpenAI-compatible server"
    )]
    Garbled {
        /// Backend's name.
        backend: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The key's variable is not set.
    #[error(
        "backend `{backend}`: the variable `{variable}` is not set; export the key there or remove `key_env`"
    )]
    NoKey {
        /// Backend's name.
        backend: String,
        /// Variable that should hold the key.
        variable: String,
    },
    /// The chain is empty.
    #[error("no generator is left to ask; add one to `generate.backends`")]
    Empty,
}

/// Turns words into commands.
pub trait Generator: Send + Sync {
    /// Name in the configuration and in messages.
    fn name(&self) -> &str;

    /// Tier of its candidates.
    fn tier(&self) -> Tier;

    /// Address that the request is sent to; nothing for generators in this process.
    fn endpoint(&self) -> Option<&str> {
        None
    }

    /// Model it asks, where there is one.
    fn model(&self) -> Option<&str> {
        None
    }

    /// Answers a request. `sink` gets pieces of text as they come, for display only.
    ///
    /// # Errors
    /// Where no answer could be had at all; the chain goes on with the next generator.
    fn generate(
        &self,
        request: &Request,
        sink: &mut dyn FnMut(&str),
    ) -> Result<Outcome, GenerateError>;
}

/// One generator that did not settle the request, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Attempt {
    /// The generator.
    pub generator: String,
    /// Why it did not.
    pub problem: String,
}

/// Generators in the order in which they are asked.
#[derive(Default)]
pub struct Chain {
    generators: Vec<Box<dyn Generator>>,
}

impl Chain {
    /// An empty chain.
    pub fn new() -> Self {
        Self::default()
    }

    /// The chain of a configuration. The redactor is applied to everything that is sent.
    pub fn from_config(config: &Config, redactor: &Redactor) -> Self {
        let mut chain = Self::new();
        for name in &config.order {
            if name == Config::INTENTS {
                chain.push(Box::new(Intents));
            } else if let Some(backend) =
                config.backends.iter().find(|backend| &backend.name == name)
            {
                chain.push(Box::new(OpenAi::new(
                    backend.clone(),
                    Redactor::clone(redactor),
                )));
            }
        }
        chain
    }

    /// Adds a generator at the end.
    pub fn push(&mut self, generator: Box<dyn Generator>) {
        self.generators.push(generator);
    }

    /// Keeps the generators that a policy permits.
    pub fn retain(&mut self, mut permitted: impl FnMut(&dyn Generator) -> bool) {
        self.generators
            .retain(|generator| permitted(generator.as_ref()));
    }

    /// The generators in order.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Generator> {
        self.generators.iter().map(AsRef::as_ref)
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.iter().map(Generator::name))
            .finish()
    }
}
