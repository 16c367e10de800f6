//! What a path on a drive of Windows is: `C:/Windows/System32`. Letters mean the same in any case.

use crate::place::Place;

/// True for a path on a drive.
pub(crate) fn is_drive(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(1) == Some(&b':')
        && matches!(bytes.get(2), None | Some(b'/'))
}

/// What a path is, and for one inside a home what stands behind the home.
pub(crate) fn of(path: &str) -> Result<Place, &str> {
    let bare = path
        .trim_end_matches("/**")
        .trim_end_matches("/*.*")
        .trim_end_matches("/*")
        .trim_end_matches('/');
    let whole = bare.len() < path.trim_end_matches('/').len();
    let mut parts = bare
        .get(2..)
        .unwrap_or("")
        .split('/')
        .filter(|part| !part.is_empty());
    let Some(first) = parts.next() else {
        return Ok(Place::Root);
    };
    let second = parts.next();
    let third = parts.next();
    let is = |part: &str, names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(part));
    if first.contains(['*', '?']) {
        return Ok(if second.is_none() {
            Place::SystemRoot
        } else {
            Place::System
        });
    }
    if is(
        first,
        &[
            "windows",
            "winnt",
            "program files",
            "program files (x86)",
            "progra~1",
            "programdata",
            "boot",
            "bootmgr",
            "efi",
            "recovery",
            "system volume information",
            "pagefile.sys",
        ],
    ) {
        return Ok(match second {
            None => Place::SystemRoot,
            Some(second) if is(second, &["temp"]) && is(first, &["windows"]) => {
                if third.is_none() && !whole {
                    Place::TemporaryRoot
                } else {
                    Place::Temporary
                }
            }
            Some(second) if is(second, &["system32", "syswow64", "winsxs", "boot"]) => {
                if third.is_none_or(|third| is(third, &["config", "drivers"])) {
                    Place::SystemRoot
                } else {
                    Place::System
                }
            }
            Some(_) => Place::System,
        });
    }
    if is(first, &["users", "documents and settings"]) {
        let Some(name) = second else {
            return Ok(Place::Home);
        };
        let from = bare.find(name).map_or(bare.len(), |at| at + name.len());
        let rest = path.get(from..).unwrap_or("").trim_start_matches('/');
        if rest.trim_matches(['*', '.', '/']).is_empty() {
            return Ok(Place::Home);
        }
        let lower = rest.to_ascii_lowercase();
        if lower.starts_with("appdata/local/temp/") {
            return Ok(Place::Temporary);
        }
        if lower == "appdata" || lower == "appdata/roaming" || lower == "appdata/local" {
            return Ok(Place::HomeStore);
        }
        return Err(rest);
    }
    Ok(if is(first, &["temp", "tmp"]) {
        Place::Temporary
    } else if is(first, &["$recycle.bin"]) {
        Place::Build
    } else {
        Place::MachineData
    })
}
