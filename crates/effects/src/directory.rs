//! The working directory, and other names for folders.

use crate::{analyser::Analyser, paths, state::Value, value::Text};

/// Most folders and links that are remembered.
const MAX_FOLDERS: usize = 32;

impl Analyser<'_> {
    pub(crate) fn change_directory(&mut self, name: &str, args: &[Text]) {
        let before = (self.env.cwd.clone(), self.env.cwd_known);
        let mut operands = args
            .iter()
            .filter(|arg| !arg.text.starts_with('-') || arg.text == "-")
            .filter(|arg| !(name == "pushd" && arg.text.starts_with('+')));
        match operands.next() {
            None if name == "pushd" => match self.env.folders.pop() {
                Some(folder) => self.env.cwd = folder,
                None => self.env.cwd_known = false,
            },
            None => {
                self.env.cwd = self.home();
                self.env.cwd_known = true;
            }
            Some(target) if target.text == "-" => {
                match self.env.get("OLDPWD").and_then(Value::only) {
                    Some(folder) if folder.starts_with('/') => self.env.cwd = folder.to_owned(),
                    _ => self.env.cwd_known = false,
                }
            }
            Some(target) if target.known => {
                // `CDPATH` says where else folders are looked for.
                let elsewhere = self
                    .env
                    .get("CDPATH")
                    .and_then(Value::only)
                    .and_then(|folders| folders.split(':').find(|folder| folder.starts_with('/')))
                    .filter(|_| !target.text.starts_with(['/', '.', '~']))
                    .map(|folder| format!("{folder}/{}", target.text));
                let sure = !target.glob && elsewhere.is_none();
                self.env.cwd = match elsewhere {
                    Some(path) => self.absolute(&path),
                    None if target.text.is_empty() => before.0.clone(),
                    None if target.literal && !target.glob => {
                        self.absolute(&paths::escaped(&target.text))
                    }
                    None => self.absolute(&format!("{}/", target.text)),
                };
                self.env.cwd_known = sure && (self.env.cwd_known || target.text.starts_with('/'));
            }
            Some(target) => {
                // `cd "$DIR"` with an unset variable stays, in bash; with a suffix it goes elsewhere.
                if let Some(empty) = target.empty.as_deref().filter(|empty| !empty.is_empty()) {
                    self.env.cwd = self.absolute(empty);
                } else if !target.text.starts_with('$') {
                    self.env.cwd = self.absolute(&target.text);
                }
                self.env.cwd_known = false;
            }
        }
        if name == "pushd" && self.env.folders.len() < MAX_FOLDERS {
            self.env.folders.push(before.0.clone());
        }
        self.arrived(before);
    }

    pub(crate) fn pop_directory(&mut self) {
        let before = (self.env.cwd.clone(), self.env.cwd_known);
        match self.env.folders.pop() {
            Some(folder) => self.env.cwd = folder,
            None => self.env.cwd_known = false,
        }
        self.arrived(before);
    }

    fn arrived(&mut self, (before, known): (String, bool)) {
        if known {
            self.env.set("OLDPWD", Value::known(before));
        } else {
            self.env.set("OLDPWD", Value::solid(None));
        }
        let cwd = self.env.cwd.clone();
        self.env.set("PWD", Value::known(cwd));
    }

    /// `ln TARGET NAME`: from here on the name leads to the target.
    pub(crate) fn note_link(&mut self, args: &[Text]) {
        let symbolic = args.iter().any(|arg| {
            arg.text == "--symbolic"
                || arg.text.starts_with('-')
                    && !arg.text.starts_with("--")
                    && arg.text.contains('s')
        });
        let operands: Vec<&Text> = args
            .iter()
            .filter(|arg| !arg.text.starts_with('-'))
            .collect();
        let (target, link) = match operands.as_slice() {
            [target] => (target, self.absolute(paths::base_name(&target.text))),
            [target, link] => (target, self.absolute(&link.text)),
            _ => return,
        };
        // A target that is not absolute starts at the link's folder.
        let target = if symbolic && !target.text.starts_with(['/', '~']) {
            paths::normalise(&target.text, paths::dir_name(&link))
        } else {
            self.absolute(&target.text)
        };
        if let Some(content) = self.env.file(&target).cloned() {
            self.env.write_file(&link, content, false);
        }
        if symbolic && target != link && self.env.links.len() < MAX_FOLDERS {
            self.env.links.retain(|(known, _)| *known != link);
            self.env.links.push((link, target));
        }
    }

    /// The path with links of the text followed; `inside` where a link itself is followed too.
    pub(crate) fn follow_links(&self, path: String, inside: bool) -> String {
        let mut path = path;
        for _ in 0..8 {
            let hit = self.env.links.iter().find_map(|(link, target)| {
                let rest = path.strip_prefix(link.as_str())?;
                (rest.starts_with('/') || rest.is_empty() && inside)
                    .then(|| paths::normalise(&format!("{target}/{rest}"), "/"))
            });
            match hit {
                Some(followed) => path = followed,
                None => break,
            }
        }
        path
    }
}
