//! Spools that were taken away below a session.
//!
//! A hook holds its file open and goes on writing to it, whether or not a name leads there. So does the
//! reader: what was removed, replaced or renamed is told of once and read on through the open handle, until
//! nobody holds the file any more. Its place in the note is kept under a name that no file can have, so that
//! another file may come by the same path. After a restart of the sensor the handle is taken from the process
//! that wrote last; where that is gone or hidden, what came after the removal is a gap.

use super::*;

/// Most files of one person that are read on after they were taken away.
const MAX_REMOVED: usize = 64;
/// Most descriptors of a process that are looked at.
const MAX_DESCRIPTORS: usize = 4_096;
/// Stands before the inode; a file that is read ends in `.c1`.
const MARK: &str = " removed ";

/// The key of a file that was taken away.
fn key_of(key: &str, inode: u64) -> String {
    format!("{key}{MARK}{inode}")
}

/// The key that it had, where it was taken away.
fn before(key: &str) -> Option<&str> {
    key.split_once(MARK).map(|(before, _)| before)
}

impl Tail {
    /// Files whose name is gone or leads to another file now.
    pub(super) fn taken_away(&self, seen: &HashSet<String>) -> Vec<String> {
        self.open
            .iter()
            .filter(|(key, open)| !open.removed && (!seen.contains(*key) || replaced(open)))
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// A file of another path that is this one, which is read already.
    pub(super) fn is_read_already(&self, uid: u32, inode: u64) -> Option<&Path> {
        self.open
            .values()
            .find(|open| open.uid == uid && open.inode == inode)
            .map(|open| open.path.as_path())
    }

    /// One of [`Self::taken_away`], of which everything that was there has been read: told of, and kept
    /// where somebody may go on writing to it.
    pub(super) fn take_away(&mut self, key: &str, note: &mut Note, drafts: &mut Vec<Draft>) {
        let Some(mut open) = self.open.remove(key) else {
            return;
        };
        let known = note.files.get(key);
        let ended = known.is_some_and(|file| file.ended);
        let left = known.is_none_or(|file| is_let_go(&open.file, file.offset));
        let of_them = (self.open.values()).filter(|other| other.removed && other.uid == open.uid);
        if left || of_them.count() >= MAX_REMOVED {
            let what = if left {
                "a hook's spool was removed"
            } else {
                "a hook's spool was removed, like too many: it is not read any more"
            };
            if !ended {
                drafts.push(tamper(&open.path, what).about(open.user.clone()));
            }
            if !replaced(&open)
                && let Some(mut file) = note.files.remove(key)
            {
                drafts.extend(rolls::due(&mut file, 0, true, lives));
            }
            return;
        }
        open.removed = true;
        self.open.insert(key_of(key, open.inode), open);
        self.settle(note, drafts);
    }

    /// Brings the note to what is known of files that were taken away: at once, and again where that could
    /// not be sealed.
    pub(super) fn settle(&mut self, note: &mut Note, drafts: &mut Vec<Draft>) {
        for (key, open) in self.open.iter().filter(|(_, open)| open.removed) {
            let Some(was) = before(key).filter(|_| !note.files.contains_key(key)) else {
                continue;
            };
            let Some(file) = note.files.get(was).filter(|file| file.inode == open.inode) else {
                continue;
            };
            if !file.ended {
                let what = if replaced(open) {
                    "a hook's spool was replaced by another file: what its session writes is read on"
                } else {
                    "a hook's spool was removed: what its session writes is read on"
                };
                drafts.push(tamper(&open.path, what).about(open.user.clone()));
            }
            remember(&mut note.past, was, file.counter);
            if let Some(file) = note.files.remove(was) {
                note.files.insert(key.clone(), file);
            }
        }
    }

    /// Lets go of a file that was taken away, where nobody writes to it any more and all of it was read.
    pub(super) fn let_go(&mut self, key: &str, note: &mut Note, drafts: &mut Vec<Draft>) {
        let (Some(open), Some(file)) = (self.open.get(key), note.files.get_mut(key)) else {
            return;
        };
        let silent = open
            .file
            .metadata()
            .is_ok_and(|meta| idle(&meta) > KEEP_ENDED && !lives(file.pid));
        if !is_let_go(&open.file, file.offset) && !silent {
            return;
        }
        drafts.extend(rolls::due(file, 0, true, lives));
        if !file.ended && !file.several {
            drafts.push(unsaid(&open.user, &open.session, file));
        }
        let there =
            std::fs::symlink_metadata(&open.path).is_ok_and(|meta| meta.ino() == open.inode);
        if let (Some(file), Some(was), true) = (note.files.remove(key), before(key), there) {
            // It was brought back under its name: what was read of it is not read again.
            note.files.insert(
                was.to_owned(),
                FileNote {
                    ended: true,
                    ..file
                },
            );
        }
        self.open.remove(key);
    }

    /// A file of the note that has no path and no handle, as after a start of the sensor.
    pub(super) fn find_again(
        &mut self,
        key: &str,
        note: &mut Note,
        user: &dyn Fn(u32) -> UserRef,
        drafts: &mut Vec<Draft>,
    ) {
        let Some(mut file) = note.files.remove(key) else {
            return;
        };
        let was = before(key);
        let path = self.spool.join(was.unwrap_or(key));
        let uid = key.split('/').next().and_then(|uid| uid.parse().ok());
        let session = path.file_stem().unwrap_or_default().to_string_lossy();
        let what = "a hook's spool was removed while the sensor did not run";
        if let Some(uid) = uid
            && let Some(handle) = held_by(file.pid, uid, file.inode, &path)
        {
            if was.is_none() {
                remember(&mut note.past, key, file.counter);
                if !file.ended {
                    let what = format!("{what}: what its session writes is read on");
                    drafts.push(tamper(&path, &what).about(user(uid)));
                }
            }
            let key = key_of(was.unwrap_or(key), file.inode);
            let now = Instant::now();
            let open = Open {
                file: handle,
                inode: file.inode,
                removed: true,
                session: session.into_owned(),
                path,
                uid,
                user: user(uid),
                last_news: now,
                last_look: now,
            };
            self.open.insert(key.clone(), open);
            note.files.insert(key, file);
            return;
        }
        drafts.extend(rolls::due(&mut file, 0, true, lives));
        if file.ended {
            return;
        }
        if was.is_some() {
            let user = uid.map(user).unwrap_or_default();
            drafts.push(unsaid(&user, &session, &file));
        } else {
            drafts.push(tamper(&path, what));
        }
    }
}

/// A session whose file is gone did not say that it ended.
fn unsaid(user: &UserRef, session: &str, file: &FileNote) -> Draft {
    let next = file.counter.saturating_add(1);
    let cause = "the session's spool was removed: its last records may be missing";
    Draft::gap(user, session, next, next, cause)
}

/// The file as a process has it open.
fn held_by(pid: u32, uid: u32, inode: u64, path: &Path) -> Option<File> {
    if inode == 0 || !lives(pid) {
        return None;
    }
    let device = std::fs::metadata(path.parent()?).ok()?.dev();
    let ours = |meta: &std::fs::Metadata| {
        meta.is_file() && meta.uid() == uid && meta.ino() == inode && meta.dev() == device
    };
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let mut paths = descriptors
        .flatten()
        .take(MAX_DESCRIPTORS)
        .map(|entry| entry.path());
    let found = paths.find(|path| std::fs::metadata(path).is_ok_and(|meta| ours(&meta)))?;
    let file = File::options()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(found)
        .ok()?;
    // The process may have put another file there meanwhile.
    file.metadata()
        .is_ok_and(|meta| ours(&meta))
        .then_some(file)
}

/// True where the path leads to another file than the open one.
fn replaced(open: &Open) -> bool {
    std::fs::symlink_metadata(&open.path).is_ok_and(|there| there.ino() != open.inode)
}

#[cfg(test)]
mod tests;
