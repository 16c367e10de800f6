//! The gate inside bash: a loadable builtin that judges every line in the shell's own process.
