//! Generators and their order.

use crate::config::Config;
use crate::openai::{OpenAi, Redactor};
use crate::permit::Permit;
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

    /// Protocol it is asked in, as configurations name it.
    fn protocol(&self) -> Option<&str> {
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

impl Attempt {
    /// It was not asked at all, because a policy or a contributor said no.
    pub fn refused(&self) -> bool {
        self.problem.starts_with(NOT_ASKED)
    }
}

/// How the problem of a generator begins that was not asked.
pub(crate) const NOT_ASKED: &str = "not asked: ";

/// A place in the chain.
pub(crate) enum Link {
    /// It may be asked.
    Open(Box<dyn Generator>),
    /// A policy took it out.
    Closed(Attempt),
}

/// Generators in the order in which they are asked.
#[derive(Default)]
pub struct Chain {
    links: Vec<Link>,
}

impl Chain {
    /// An empty chain.
    pub fn new() -> Self {
        Self::default()
    }

    /// The chain of a configuration under policies. The redactor is applied to everything that is
    /// sent; what a policy refuses keeps its place and is never asked.
    pub fn from_config(config: &Config, redactor: &Redactor, permits: &[Permit]) -> Self {
        let mut chain = Self::new();
        let local = permits.iter().any(|permit| permit.require_local);
        for name in &config.order {
            if name == Config::INTENTS {
                chain.push(Box::new(Intents));
            } else if let Some(backend) =
                config.backends.iter().find(|backend| &backend.name == name)
            {
                let client = OpenAi::new(backend.clone(), Redactor::clone(redactor));
                chain.push(Box::new(if local {
                    client.on_this_machine()
                } else {
                    client
                }));
            }
        }
        chain.restrict(permits);
        chain
    }

    /// Adds a generator at the end.
    pub fn push(&mut self, generator: Box<dyn Generator>) {
        self.links.push(Link::Open(generator));
    }

    /// Takes out what a policy refuses; the first layer that refuses is named.
    pub fn restrict(&mut self, permits: &[Permit]) {
        for link in &mut self.links {
            let Link::Open(generator) = link else {
                continue;
            };
            let refusal = permits
                .iter()
                .find_map(|permit| permit.refusal(generator.as_ref()));
            if let Some(problem) = refusal {
                *link = Link::Closed(Attempt {
                    generator: generator.name().to_owned(),
                    problem: format!("{NOT_ASKED}{problem}"),
                });
            }
        }
    }

    /// The generators that may be asked, in order.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Generator> {
        self.links.iter().filter_map(|link| match link {
            Link::Open(generator) => Some(generator.as_ref()),
            Link::Closed(_) => None,
        })
    }

    /// What policies took out, each with the reason.
    pub fn refused(&self) -> impl Iterator<Item = &Attempt> {
        self.links.iter().filter_map(|link| match link {
            Link::Open(_) => None,
            Link::Closed(attempt) => Some(attempt),
        })
    }

    pub(crate) fn links(&self) -> &[Link] {
        &self.links
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.iter().map(Generator::name))
            .finish()
    }
}
