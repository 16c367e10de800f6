//! What each shell runs by itself: builtins and reserved words. One table for everybody who asks.
//!
//! Sources: `compgen -b` and `compgen -k` of bash 5.2, zshbuiltins(1) without modules, dash(1),
//! `builtin --names` and the functions that fish 4 ships, `Microsoft.PowerShell.Core` and the cmdlets
//! that only handle PowerShell's own objects, places and variables. A test asks the shells that are installed.

use cmdai_schema::Dialect;

/// True where the shell runs this name without starting a program. PowerShell takes any case.
///
/// ```
/// use cmdai_schema::Dialect;
/// assert!(cmdai_shell::is_builtin("cd", Dialect::Bash));
/// assert!(!cmdai_shell::is_builtin("setopt", Dialect::Bash));
/// assert!(cmdai_shell::is_builtin("setopt", Dialect::Zsh));
/// ```
pub fn is_builtin(name: &str, dialect: Dialect) -> bool {
    match dialect {
        Dialect::Bash => EVERYWHERE.contains(&name) || BASH.contains(&name),
        Dialect::Zsh => EVERYWHERE.contains(&name) || ZSH.contains(&name),
        Dialect::Sh => EVERYWHERE.contains(&name) || name == "chdir" || name == "local",
        Dialect::Fish => FISH.contains(&name),
        Dialect::Powershell => POWERSHELL.iter().any(|one| one.eq_ignore_ascii_case(name)),
    }
}

/// True where the shell reads this word as a part of its grammar in the place of a command.
pub fn is_reserved(name: &str, dialect: Dialect) -> bool {
    match dialect {
        Dialect::Bash => POSIX_WORDS.contains(&name) || BASH_WORDS.contains(&name),
        Dialect::Zsh => POSIX_WORDS.contains(&name) || ZSH_WORDS.contains(&name),
        Dialect::Sh => POSIX_WORDS.contains(&name),
        Dialect::Fish => FISH_WORDS.contains(&name),
        Dialect::Powershell => POWERSHELL_WORDS
            .iter()
            .any(|one| one.eq_ignore_ascii_case(name)),
    }
}

/// True where some shell runs this name by itself, or has it in its grammar.
pub fn is_of_a_shell(name: &str) -> bool {
    const ALL: [Dialect; 5] = [
        Dialect::Bash,
        Dialect::Zsh,
        Dialect::Sh,
        Dialect::Fish,
        Dialect::Powershell,
    ];
    ALL.iter()
        .any(|&dialect| is_builtin(name, dialect) || is_reserved(name, dialect))
}

/// Builtins of bash, zsh and dash alike.
#[rustfmt::skip]
const EVERYWHERE: &[&str] = &[
    ".", ":", "[", "alias", "bg", "break", "cd", "command", "continue", "echo", "eval", "exec", "exit",
    "export", "false", "fg", "getopts", "hash", "jobs", "kill", "printf", "pwd", "read", "readonly",
    "return", "set", "shift", "test", "times", "trap", "true", "type", "ulimit", "umask", "unalias",
    "unset", "wait",
];
#[rustfmt::skip]
const BASH: &[&str] = &[
    "bind", "builtin", "caller", "compgen", "complete", "compopt", "declare", "dirs", "disown", "enable",
    "fc", "help", "history", "let", "local", "logout", "mapfile", "popd", "pushd", "readarray", "shopt",
    "source", "suspend", "typeset",
];
#[rustfmt::skip]
const ZSH: &[&str] = &[
    "-", "autoload", "bindkey", "builtin", "bye", "chdir", "compadd", "comparguments", "compcall",
    "compctl", "compdescribe", "compfiles", "compgroups", "compquote", "compset", "comptags",
    "comptry", "compvalues", "declare", "dirs", "disable", "disown", "echotc", "echoti", "emulate",
    "enable", "fc", "float", "functions", "getln", "history", "integer", "let", "limit", "local", "log",
    "logout", "noglob", "popd", "print", "private", "pushd", "pushln", "r", "rehash", "sched", "setopt",
    "source", "suspend", "ttyctl", "typeset", "unfunction", "unhash", "unlimit", "unsetopt", "vared",
    "whence", "where", "which", "zcompile", "zformat", "zle", "zmodload", "zparseopts", "zregexparse",
    "zstyle",
];
#[rustfmt::skip]
const FISH: &[&str] = &[
    ".", ":", "[", "_", "abbr", "alias", "argparse", "bg", "bind", "block", "break", "breakpoint",
    "builtin", "cd", "cdh", "command", "commandline", "complete", "contains", "continue", "count",
    "dirh", "dirs", "disown", "echo", "emit", "eval", "exec", "exit", "export", "false", "fg",
    "fish_add_path", "fish_config", "fish_key_reader", "fish_update_completions", "funced", "funcsave",
    "functions", "help", "history", "isatty", "jobs", "math", "nextd", "path", "popd", "prevd", "printf",
    "psub", "pushd", "pwd", "random", "read", "realpath", "return", "set", "set_color", "setenv", "source",
    "status", "string", "suspend", "test", "time", "trap", "true", "type", "ulimit", "umask", "vared",
    "wait",
];
#[rustfmt::skip]
const POWERSHELL: &[&str] = &[
    "Clear-Host", "Clear-Variable", "Compare-Object", "ForEach-Object", "Format-Custom", "Format-List",
    "Format-Table", "Format-Wide", "Get-Alias", "Get-Command", "Get-Help", "Get-History", "Get-Location",
    "Get-Member", "Get-Module", "Get-PSDrive", "Get-PSProvider", "Get-Variable", "Group-Object",
    "Measure-Object", "New-Alias", "New-Object", "New-Variable", "Out-Default", "Out-Host", "Out-Null",
    "Out-String", "Pop-Location", "Push-Location", "Read-Host", "Remove-Variable", "Select-Object",
    "Set-Alias", "Set-Location", "Set-StrictMode", "Set-Variable", "Sort-Object", "Start-Sleep",
    "Test-Path", "Where-Object", "Write-Debug", "Write-Error", "Write-Host", "Write-Information",
    "Write-Output", "Write-Progress", "Write-Verbose", "Write-Warning",
];

/// Reserved words of POSIX.
#[rustfmt::skip]
const POSIX_WORDS: &[&str] = &[
    "!", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until", "while",
    "{", "}",
];
const BASH_WORDS: &[&str] = &["[[", "]]", "coproc", "function", "select", "time"];
#[rustfmt::skip]
const ZSH_WORDS: &[&str] = &[
    "[[", "coproc", "end", "foreach", "function", "nocorrect", "repeat", "select", "time",
];
#[rustfmt::skip]
const FISH_WORDS: &[&str] = &[
    "!", "and", "begin", "case", "else", "end", "for", "function", "if", "not", "or", "switch", "while",
];
#[rustfmt::skip]
const POWERSHELL_WORDS: &[&str] = &[
    "begin", "break", "catch", "class", "continue", "data", "do", "dynamicparam", "else", "elseif", "end",
    "enum", "exit", "filter", "finally", "for", "foreach", "function", "if", "in", "param", "process",
    "return", "switch", "throw", "trap", "try", "until", "using", "while",
];
