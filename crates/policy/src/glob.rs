//! Globs over words and over paths.
//!
//! Word globs: `*` any run of characters, `?` one character. Path globs: `*` stays within a
//! folder, `**` crosses folders, a trailing `/*` covers the whole tree below. Both work in time
//! linear in the product of the lengths, without backtracking blow-up.

/// True where the whole word fits. ASCII case counts.
pub(crate) fn word(pattern: &str, text: &str) -> bool {
    run(pattern.as_bytes(), text.as_bytes(), false)
}

/// True where a text of a command holds a `*` that stands for many, not one behind `\`.
pub(crate) fn is_pattern(text: &str) -> bool {
    let mut behind = false;
    text.bytes().any(|byte| {
        let hit = byte == b'*' && !behind;
        behind = byte == b'\\' && !behind;
        hit
    })
}

/// True where one of the globs fits.
pub(crate) fn any_word(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| word(pattern, text))
}

/// True where the path fits the path glob.
fn path_fits(pattern: &str, path: &str) -> bool {
    if let Some(tree) = pattern
        .strip_suffix("/*")
        .or_else(|| pattern.strip_suffix("/**"))
    {
        let inside = (0..path.len()).filter(|i| path.as_bytes().get(*i) == Some(&b'/'));
        return inside.into_iter().any(|i| {
            path.get(..i)
                .is_some_and(|head| run(tree.as_bytes(), head.as_bytes(), true))
        });
    }
    run(pattern.as_bytes(), path.as_bytes(), true)
}

/// True where acting on `path` (which may hold `*` itself, and reaches below when `recursive`)
/// touches something that the glob names. `~` in the pattern is the home, if known.
pub(crate) fn path(pattern: &str, path: &str, recursive: bool, home: Option<&str>) -> bool {
    let expanded;
    let pattern = match (pattern.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            expanded = format!("{}{rest}", home.trim_end_matches('/'));
            expanded.as_str()
        }
        _ => pattern,
    };
    let pattern = if pattern.len() > 1 {
        pattern.trim_end_matches('/')
    } else {
        pattern
    };
    if path_fits(pattern, path) {
        return true;
    }
    // A glob in the command may reach what the pattern names: compare the other way round too.
    let literal_len = pattern.find(['*', '?']).unwrap_or(pattern.len());
    let literal = pattern.get(..literal_len).unwrap_or(pattern);
    if path.contains(['*', '?']) {
        let below = literal.trim_end_matches('/');
        if path_fits(path, below)
            || (recursive && ancestors(below).any(|folder| path_fits(path, folder)))
        {
            return true;
        }
        let (head, _) = path.split_once(['*', '?']).unwrap_or((path, ""));
        return path_fits(pattern, head)
            || (head.len() > 1 && path_fits(pattern, head.trim_end_matches('/')));
    }
    // Removing a folder removes what lies in it.
    recursive && is_below(literal, path)
}

/// True where `inner` is `folder` or lies below it.
pub(crate) fn is_below(inner: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    inner
        .strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.char_indices()
        .filter(|(_, c)| *c == '/')
        .filter_map(move |(i, _)| path.get(..i))
        .filter(|folder| !folder.is_empty())
}

/// Matching with one point of return: `*` (and `**`) are the only places to come back to.
fn run(pattern: &[u8], text: &[u8], folders: bool) -> bool {
    // (pattern index after the star, text index it was tried at, star crosses folders)
    let mut back: Option<(usize, usize)> = None;
    let mut back_deep: Option<(usize, usize)> = None;
    let (mut p, mut t) = (0, 0);
    loop {
        let byte = text.get(t).copied();
        match pattern.get(p).copied() {
            Some(b'*') => {
                let deep = !folders || pattern.get(p + 1) == Some(&b'*');
                while pattern.get(p) == Some(&b'*') {
                    p += 1;
                }
                if deep {
                    back_deep = Some((p, t));
                    back = None;
                    // `**/x` also fits `x` itself.
                    if folders
                        && pattern.get(p) == Some(&b'/')
                        && (t == 0 || text.get(t.wrapping_sub(1)) == Some(&b'/'))
                    {
                        let rest = pattern.get(p + 1..).unwrap_or_default();
                        if run(rest, text.get(t..).unwrap_or_default(), folders) {
                            return true;
                        }
                    }
                } else {
                    back = Some((p, t));
                }
                continue;
            }
            Some(b'?') if byte.is_some_and(|b| !folders || b != b'/') => {
                p += 1;
                t += 1;
                continue;
            }
            Some(literal) if byte == Some(literal) => {
                p += 1;
                t += 1;
                continue;
            }
            None if byte.is_none() => return true,
            _ => {}
        }
        // Lengthen the last star by one character, the deep one where the shallow one is stuck.
        if let Some((after, at)) = back
            && text.get(at).is_some_and(|b| *b != b'/')
        {
            back = Some((after, at + 1));
            (p, t) = (after, at + 1);
        } else if let Some((after, at)) = back_deep
            && at < text.len()
        {
            back = None;
            back_deep = Some((after, at + 1));
            (p, t) = (after, at + 1);
        } else {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (pattern, text, want) in [
            ("prod-*", "prod-eu", true),
            ("prod-*", "preprod-eu", false),
            ("*prod*", "preprod-eu", true),
            ("python?", "python3", true),
            ("python?", "python", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(word(pattern, text), want, "{pattern} {text}");
        }
    }

    #[test]
    fn paths() {
        for (pattern, candidate, recursive, want) in [
            ("/backup/*", "/backup/2026/a.tar", false, true),
            ("/backup/*", "/backup", false, false),
            ("/backup/*", "/backup", true, true),
            ("/backup/*", "/backups/x", true, false),
            ("/data/production/*", "/data", true, true),
            ("/data/production/*", "/data/*", true, true),
            ("/data/production/*", "/data/staging/x", true, false),
            ("/data/*/keys", "/data/a/keys", false, true),
            ("/data/*/keys", "/data/a/b/keys", false, false),
            ("/data/**/keys", "/data/a/b/keys", false, true),
            ("**/.env", "/home/u/p/.env", false, true),
            ("**/.env", ".env", false, true),
            ("~/secrets/*", "/home/u/secrets/x", false, true),
            ("/etc/passwd", "/etc/*", false, true),
            ("/", "/", true, true),
            ("/srv", "/", true, true),
        ] {
            assert_eq!(
                path(pattern, candidate, recursive, Some("/home/u")),
                want,
                "{pattern} {candidate} {recursive}"
            );
        }
    }
}
