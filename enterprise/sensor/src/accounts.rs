//! Accounts of this machine, from `/etc/passwd` alone: no directory service is asked by root.

use std::path::Path;

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) login: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) home: String,
    shell: String,
}

impl Account {
    /// Somebody whose account lives elsewhere.
    pub(crate) fn unknown(uid: u32) -> Self {
        Self {
            login: uid.to_string(),
            uid,
            gid: uid,
            home: format!("/home/{uid}"),
            shell: String::new(),
        }
    }

    /// A person, or root: somebody who gets a spool of their own.
    pub(crate) fn is_person(&self) -> bool {
        let can_log_in = !(self.shell.ends_with("/nologin") || self.shell.ends_with("/false"));
        can_log_in && (self.uid == 0 || (1000..65_534).contains(&self.uid))
    }
}

/// All accounts; empty where the file cannot be read.
pub(crate) fn all() -> Vec<Account> {
    let bytes = crate::files::read_bounded(Path::new("/etc/passwd"), 1 << 20).unwrap_or_default();
    String::from_utf8_lossy(&bytes)
        .lines()
        .filter_map(parse)
        .collect()
}

fn parse(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let login = fields.next()?.to_owned();
    let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
    let home = fields.nth(1)?.to_owned();
    Some(Account {
        login,
        uid,
        gid,
        home,
        shell: fields.next()?.to_owned(),
    })
}

/// Login of a uid; the number itself where the account lives elsewhere.
pub(crate) fn login(uid: u32) -> String {
    all()
        .into_iter()
        .find(|account| account.uid == uid)
        .map_or_else(|| uid.to_string(), |account| account.login)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_services_are_told_apart() {
        assert!(
            parse("ann:x:1000:1000:Ann:/home/ann:/bin/bash")
                .unwrap()
                .is_person()
        );
        assert!(
            parse("root:x:0:0:root:/root:/bin/bash")
                .unwrap()
                .is_person()
        );
        assert!(
            !parse("www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin")
                .unwrap()
                .is_person()
        );
        assert!(
            !parse("nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin")
                .unwrap()
                .is_person()
        );
        assert_eq!(parse("broken:x:notanumber"), None);
    }
}
