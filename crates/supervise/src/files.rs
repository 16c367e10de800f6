//! File rules of a tree: where it may write, and where it may read, kept by the kernel (Landlock).

/// Rules ready to be taken on by a process for good.
#[derive(Debug)]
pub struct Ruleset {
    #[cfg(target_os = "linux")]
    made: landlock::RulesetCreated,
}

#[cfg(target_os = "linux")]
impl Ruleset {
    pub(crate) fn take_on(self) -> std::io::Result<()> {
        self.made
            .restrict_self()
            .map(|_| ())
            .map_err(|error| std::io::Error::other(error.to_string()))
    }
}
