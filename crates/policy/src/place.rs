//! What a path is to the machine and to the person: the reason why one delete is calm and
//! another is not.

use cmdai_schema::Facts;

use crate::glob::is_below;

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// `/dev/null`, `/dev/stdout` and the like.
    Nowhere,
    /// `/tmp` and its kind.
    Temporary,
    /// `/tmp` as a whole, in use by others.
    TemporaryRoot,
    /// A build or cache folder, made again by running something.
    Build,
    /// Within the project.
    Project,
    /// The project as a whole, or everything in it.
    ProjectRoot,
    /// The version-control store of a project.
    Repository,
    /// Elsewhere in the home.
    HomeFile,
    /// A folder or file in the home that programs or the person rest on.
    HomeStore,
    /// A whole home.
    Home,
    /// Data of the machine that is not the system itself: `/opt`, `/srv`, `/mnt`, `/data`, …
    MachineData,
    /// Below a system folder.
    System,
    /// A system folder as a whole, or one of the files without which nobody can log in.
    SystemRoot,
    /// `/`.
    Root,
    /// Not an absolute path: cannot be told.
    Unknown,
}

/// Folders of the system; deleting below them breaks programs.
const SYSTEM: &[&str] = &[
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var",
    "/System",
    "/Library",
    "/Applications",
    "/private",
    "/nix",
    "/snap",
    "/efi",
    "/cores",
];
/// Folders of data on most machines.
const DATA: &[&str] = &[
    "/opt", "/srv", "/mnt", "/media", "/data", "/backup", "/backups", "/export", "/Volumes",
    "/storage",
];
/// Files and folders without which a machine does not start or let people in.
const VITAL: &[&str] = &[
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/fstab",
    "/etc/ssh",
    "/etc/pam.d",
    "/etc/hosts",
    "/etc/ld.so.preload",
    "/etc/systemd",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/sbin",
    "/usr/local",
    "/usr/share",
    "/var/lib",
    "/var/log",
    "/var/lib/dpkg",
    "/var/lib/docker",
    "/var/lib/mysql",
    "/var/lib/postgresql",
    "/boot/grub",
    "/boot/efi",
    "/proc/1",
    "/etc/crontab",
    "/etc/profile",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
];
const TEMPORARY: &[&str] = &[
    "/tmp",
    "/var/tmp",
    "/private/tmp",
    "/private/var/tmp",
    "/dev/shm",
    "/run/user",
    "/private/var/folders",
    "/var/folders",
    "/var/cache/apt",
];
/// Names of folders that a build makes again.
const BUILD: &[&str] = &[
    "target",
    "node_modules",
    "dist",
    "build",
    "out",
    ".cache",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".tox",
    ".nox",
    "coverage",
    ".coverage",
    "htmlcov",
    ".next",
    ".nuxt",
    ".turbo",
    ".parcel-cache",
    ".gradle",
    "obj",
    "TestResults",
    "test-results",
    "playwright-report",
    "allure-results",
    "BenchmarkDotNet.Artifacts",
    "tmp",
    "temp",
    ".tmp",
    ".venv",
    "venv",
    "env",
    ".eggs",
    "bin-debug",
    "cmake-build-debug",
    "cmake-build-release",
    "_build",
    ".nyc_output",
    ".svelte-kit",
    ".angular",
    ".terraform",
    "vendor",
    ".bundle",
    "deps",
    "Pods",
    "DerivedData",
    ".dart_tool",
    "bower_components",
    ".serverless",
    ".vite",
    ".output",
    "elm-stuff",
    "zig-cache",
    "zig-out",
    ".stack-work",
    "dist-newstyle",
    "logs",
    "log",
    "test-results",
    "playwright-report",
    ".ipynb_checkpoints",
    "storybook-static",
    "public-build",
    ".DS_Store",
    "release",
    "debug",
    "artifacts",
    ".sass-cache",
    ".eslintcache",
    ".webpack",
    "lib-cov",
    "generated",
    "gen",
];
/// Endings of files that a build makes again.
const BUILD_ENDINGS: &[&str] = &[
    ".o",
    ".pyc",
    ".log",
    ".tmp",
    ".swp",
    ".bak",
    ".orig",
    ".class",
    ".lock",
    ".pid",
    ".cache",
    ".out",
    ".a",
    ".so",
    ".egg-info",
    ".tsbuildinfo",
    ".old",
];
/// What programs and the person rest on, directly below the home.
const STORES: &[&str] = &[
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".config",
    ".local",
    ".password-store",
    ".mozilla",
    ".thunderbird",
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".zshrc",
    ".zprofile",
    ".zshenv",
    ".vimrc",
    ".gitconfig",
    ".netrc",
    ".pgpass",
    ".npmrc",
    ".pypirc",
    ".cargo",
    ".rustup",
    ".claude",
    ".codex",
    ".bash_history",
    ".zsh_history",
    "Documents",
    "Desktop",
    "Downloads",
    "Pictures",
    "Music",
    "Videos",
    "Library",
    "Movies",
    "Dropbox",
    "projects",
    "src",
    "code",
    "work",
    "repos",
    "dev",
    "workspace",
    "Projects",
];

/// Folders that files are put into every day: putting one there overwrites nothing.
const FOLDERS: &[&str] = &[
    "Documents",
    "Desktop",
    "Downloads",
    "Pictures",
    "Music",
    "Videos",
    "Movies",
    "Library",
    "Dropbox",
    ".config",
    ".local",
    ".ssh",
    ".kube",
    ".aws",
];
/// Single files without which nobody can log in.
const VITAL_FILES: &[&str] = &[
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/fstab",
    "/etc/hosts",
    "/etc/ld.so.preload",
    "/etc/crontab",
    "/etc/profile",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
];

/// True where the path is known to be a folder, not a file.
pub(crate) fn is_folder(path: &str) -> bool {
    let bare = path.trim_end_matches('/');
    let name = bare.rsplit('/').next().unwrap_or(bare);
    path.ends_with('/')
        || FOLDERS.contains(&name)
        || SYSTEM.contains(&bare)
        || DATA.contains(&bare)
        || is_home(bare)
        || (VITAL.contains(&bare) && !VITAL_FILES.contains(&bare))
}

/// Below the caches of services, which may go by the rules of the file system hierarchy.
fn is_cache(path: &str) -> bool {
    let below = |rest: &str| rest.trim_matches('/').contains(|c: char| c != '*');
    if let Some(rest) = path.strip_prefix("/var/cache/") {
        return below(rest);
    }
    path.strip_prefix("/var/lib/")
        .and_then(|rest| rest.split_once('/'))
        .is_some_and(|(name, rest)| {
            !name.contains('*') && (rest.starts_with("tmp/") || rest.starts_with("cache/"))
        })
}

/// Tells places apart, by what is known of the person and the project.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'a> {
    pub(crate) home: Option<&'a str>,
    pub(crate) cwd: Option<&'a str>,
    project: Option<&'a str>,
    /// No repository is known and one stands in a build folder: it alone counts, nothing beside it.
    in_build: bool,
}

impl<'a> Places<'a> {
    pub(crate) fn new(facts: &'a Facts) -> Self {
        let trim = |path: &'a Option<String>| {
            path.as_deref().map(|path| {
                if path.len() > 1 {
                    path.trim_end_matches('/')
                } else {
                    path
                }
            })
        };
        let (home, cwd) = (trim(&facts.home), trim(&facts.cwd));
        // A shell in the home or in a system folder is in no project.
        let own =
            cwd.filter(|cwd| Some(*cwd) != home && !is_system(cwd) && *cwd != "/" && !is_home(cwd));
        let known = trim(&facts.project).filter(|project| Some(*project) != home);
        Self {
            home,
            cwd,
            project: known.or(own),
            in_build: known.is_none()
                && own
                    .and_then(|cwd| cwd.rsplit('/').next())
                    .is_some_and(|name| BUILD.contains(&name)),
        }
    }

    /// The home that a path lies in.
    fn home_of<'p>(&self, path: &'p str) -> Option<(&'p str, &'p str)> {
        if let Some(home) = self.home.filter(|home| is_below(path, home)) {
            return path.split_at_checked(home.len());
        }
        if is_below(path, "/root") {
            return path.split_at_checked("/root".len());
        }
        let rest = path
            .strip_prefix("/home/")
            .or_else(|| path.strip_prefix("/Users/"))?;
        let name = rest.find('/').unwrap_or(rest.len());
        path.split_at_checked(path.len() - rest.len() + name)
    }

    /// In the home of the administrator, who is somebody else.
    pub(crate) fn is_others(&self, path: &str) -> bool {
        self.home
            .is_some_and(|own| own != "/root" && is_below(path, "/root"))
    }

    /// Everything in a folder that all programs of the machine keep temporary files in.
    pub(crate) fn empties_temporary(&self, path: &str) -> bool {
        const SHARED: &[&str] = &[
            "/tmp",
            "/var/tmp",
            "/private/tmp",
            "/private/var/tmp",
            "/dev/shm",
        ];
        path.rsplit_once('/').is_some_and(|(folder, last)| {
            SHARED.contains(&folder)
                && last.contains('*')
                && last.chars().all(|c| "*?.[]!^".contains(c))
        })
    }

    /// What a path is. Globs count for all that they may name.
    pub(crate) fn of(&self, path: &str) -> Place {
        if crate::drive::is_drive(path) {
            return self.of_drive(path);
        }
        if !path.starts_with('/') {
            return Place::Unknown;
        }
        // A drive letter is no relative path: `C:\\`, `C:/Users`.
        if let Some(drive) = self
            .cwd
            .and_then(|cwd| path.strip_prefix(cwd))
            .and_then(|rest| rest.strip_prefix('/'))
            && drive.as_bytes().get(1) == Some(&b':')
            && drive.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            return if drive.len() <= 3 {
                Place::Root
            } else {
                Place::MachineData
            };
        }
        let everything = path.ends_with("/*") || path.ends_with("/**") || path.ends_with("/.*");
        let bare = path
            .trim_end_matches("/**")
            .trim_end_matches("/*")
            .trim_end_matches("/.*")
            .trim_end_matches('/');
        if bare.is_empty()
            || path
                .split('/')
                .filter(|part| !part.is_empty())
                .all(|part| part.chars().all(|c| "*?.[]!".contains(c)))
        {
            return Place::Root;
        }
        if is_below(path, "/dev")
            && [
                "/dev/null",
                "/dev/zero",
                "/dev/full",
                "/dev/stdout",
                "/dev/stderr",
                "/dev/stdin",
                "/dev/tty",
                "/dev/fd",
                "/dev/pts",
            ]
            .iter()
            .any(|known| is_below(path, known))
        {
            return Place::Nowhere;
        }
        if let Some(root) = TEMPORARY.iter().find(|root| is_below(bare, root)) {
            return if bare == *root && !everything {
                Place::TemporaryRoot
            } else {
                Place::Temporary
            };
        }
        if let Some(project) = self.project {
            if bare == project {
                return if self.in_build {
                    Place::Build
                } else {
                    Place::ProjectRoot
                };
            }
            if let Some(rest) = path
                .strip_prefix(project)
                .and_then(|rest| rest.strip_prefix('/'))
            {
                // Where one stands counts as the whole, also deeper in a project.
                return match within(rest) {
                    Place::Project if self.cwd == Some(bare) => Place::ProjectRoot,
                    place => place,
                };
            }
            if is_below(project, bare) && (is_home(bare) || self.home == Some(bare)) {
                return Place::Home;
            }
        }
        if self.cwd == Some(bare) && !is_system(bare) && !is_home(bare) && self.home != Some(bare) {
            return Place::ProjectRoot;
        }
        if bare == "/home" || bare == "/Users" || is_home(bare) || self.home == Some(bare) {
            return Place::Home;
        }
        if let Some((_, rest)) = self.home_of(path) {
            return self.in_home(rest.trim_start_matches('/'));
        }
        if VITAL.contains(&bare) || SYSTEM.contains(&bare) {
            return Place::SystemRoot;
        }
        if is_cache(path) {
            return Place::Build;
        }
        if is_system(bare) {
            return Place::System;
        }
        if DATA.contains(&bare) || bare.matches('/').count() == 1 {
            // A folder directly below `/` as a whole.
            return Place::MachineData;
        }
        within_unknown(path)
    }

    fn of_drive(&self, path: &str) -> Place {
        if let Some(project) = self.project
            && is_below(path, project)
        {
            return within(
                path.get(project.len()..)
                    .unwrap_or("")
                    .trim_start_matches('/'),
            );
        }
        if let Some(home) = self.home
            && is_below(path, home)
        {
            let rest = path.get(home.len()..).unwrap_or("").trim_matches('/');
            return if rest.is_empty() {
                Place::Home
            } else {
                self.in_home(rest)
            };
        }
        match crate::drive::of(path) {
            Ok(Place::MachineData) => within_unknown(path.get(2..).unwrap_or("")),
            Ok(place) => place,
            Err(in_home) => self.in_home(in_home),
        }
    }

    fn in_home(&self, rest: &str) -> Place {
        let mut parts = rest.split('/');
        let first = parts.next().unwrap_or("");
        let deeper = parts.next();
        if first == ".cache"
            || first == ".npm"
            || rest.starts_with(".local/share/Trash")
            || rest.starts_with(".cargo/registry")
        {
            return Place::Build;
        }
        if crate::glob::is_pattern(first) && deeper.is_none() {
            return Place::Home;
        }
        if STORES.contains(&first)
            && deeper.is_none_or(|deeper| {
                deeper.contains('*') || [".ssh", ".gnupg", ".aws", ".kube"].contains(&first)
            })
        {
            return Place::HomeStore;
        }
        if self.project.is_none()
            && self.cwd.is_none()
            && deeper.is_some()
            && !first.starts_with('.')
        {
            // Where nothing is known of the project, two levels into a home is taken for one.
            return within(rest.split_once('/').map_or("", |(_, rest)| rest));
        }
        match within(rest) {
            Place::Build
                if deeper.is_some() || first.ends_with(".log") || first.ends_with(".tmp") =>
            {
                Place::Build
            }
            Place::Repository => Place::Repository,
            _ => Place::HomeFile,
        }
    }
}

/// A home as a whole.
fn is_home(path: &str) -> bool {
    path == "/root"
        || path == "~"
        || ["/home/", "/Users/"].iter().any(|root| {
            path.strip_prefix(root)
                .is_some_and(|name| !name.is_empty() && !name.contains('/'))
        })
}

fn is_system(path: &str) -> bool {
    SYSTEM.iter().any(|root| is_below(path, root))
}

/// A path relative to a project.
fn within(rest: &str) -> Place {
    let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    if let Some(at) = parts
        .iter()
        .position(|part| matches!(*part, ".git" | ".hg" | ".svn" | ".jj"))
    {
        // One lock file in the store is a stale lock, not the store.
        return if parts.last().is_some_and(|name| name.ends_with(".lock")) && at + 1 < parts.len() {
            Place::Build
        } else {
            Place::Repository
        };
    }
    // `coverage*` names what `coverage` does.
    let stem = |part: &str| {
        part.strip_suffix('*')
            .is_some_and(|stem| stem.len() > 5 && BUILD.contains(&stem))
    };
    if parts.iter().any(|part| BUILD.contains(part) || stem(part))
        || parts
            .last()
            .is_some_and(|name| BUILD_ENDINGS.iter().any(|ending| name.ends_with(ending)))
    {
        return Place::Build;
    }
    if parts.is_empty()
        || parts
            .iter()
            .all(|part| matches!(*part, "*" | "**" | ".*" | "*.*"))
    {
        return Place::ProjectRoot;
    }
    Place::Project
}

/// Below a folder of the machine that is neither system nor home.
fn within_unknown(path: &str) -> Place {
    match within(path.trim_start_matches('/')) {
        Place::Repository => Place::Repository,
        Place::Build => Place::Build,
        _ => Place::MachineData,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let facts = Facts {
            cwd: Some("/home/user/project".to_owned()),
            home: Some("/home/user".to_owned()),
            ..Facts::default()
        };
        let places = Places::new(&facts);
        for (path, want) in [
            ("/", Place::Root),
            ("/*", Place::Root),
            ("/.*", Place::Root),
            ("/?*", Place::Root),
            ("/dev/null", Place::Nowhere),
            ("/tmp/x", Place::Temporary),
            ("/tmp/*", Place::Temporary),
            ("/tmp", Place::TemporaryRoot),
            ("/etc", Place::SystemRoot),
            ("/etc/*", Place::SystemRoot),
            ("/etc/nginx/nginx.conf", Place::System),
            ("/etc/passwd", Place::SystemRoot),
            ("/usr/bin/*", Place::SystemRoot),
            ("/var/log/nginx", Place::System),
            ("/home/user", Place::Home),
            ("/home/user/*", Place::Home),
            ("/home", Place::Home),
            ("/home/alice", Place::Home),
            ("/root", Place::Home),
            ("/home/user/.ssh", Place::HomeStore),
            ("/home/user/.ssh/id_rsa", Place::HomeStore),
            ("/home/user/Documents", Place::HomeStore),
            ("/home/user/.cache/pip", Place::Build),
            ("/home/user/notes.txt", Place::HomeFile),
            ("/home/user/other/src", Place::HomeFile),
            ("/home/user/project", Place::ProjectRoot),
            ("/home/user/project/*", Place::ProjectRoot),
            ("/home/user/project/src", Place::Project),
            ("/home/user/project/target", Place::Build),
            ("/home/user/project/web/node_modules", Place::Build),
            ("/home/user/project/.git", Place::Repository),
            ("/home/user/project/.git/index.lock", Place::Build),
            ("/home/user/project/C:\\", Place::Root),
            ("/home/user/project/C:\\Users\\u", Place::MachineData),
            ("C:/", Place::Root),
            ("D:/*", Place::Root),
            ("C:", Place::Root),
            ("C:/Windows", Place::SystemRoot),
            ("c:/windows/system32/*", Place::SystemRoot),
            ("C:/Windows/System32/drivers/etc/hosts", Place::SystemRoot),
            ("C:/Windows/Temp/x", Place::Temporary),
            ("C:/Program Files/App", Place::System),
            ("C:/Users", Place::Home),
            ("C:/Users/bob", Place::Home),
            ("C:/Users/bob/*", Place::Home),
            ("C:/Users/bob/.ssh/id_rsa", Place::HomeStore),
            ("C:/Users/bob/Documents", Place::HomeStore),
            ("C:/Users/bob/AppData/Local/Temp/x", Place::Temporary),
            ("C:/data/x", Place::MachineData),
            ("C:/src/app/node_modules", Place::Build),
            ("C:/src/app/.git", Place::Repository),
            ("HKLM:/SOFTWARE", Place::Unknown),
            ("/srv/data", Place::MachineData),
            ("/srv", Place::MachineData),
            ("$X", Place::Unknown),
        ] {
            assert_eq!(places.of(path), want, "{path}");
        }
    }

    #[test]
    fn a_build_folder_one_stands_in_lends_nothing_to_what_lies_beside_it() {
        let mut facts = Facts {
            cwd: Some("/srv/build".to_owned()),
            home: Some("/home/user".to_owned()),
            ..Facts::default()
        };
        let places = Places::new(&facts);
        assert_eq!(places.of("/srv/build/*"), Place::Build);
        assert_eq!(places.of("/srv/data"), Place::MachineData);
        assert_eq!(places.of("/srv"), Place::MachineData);
        // A repository of that name is a repository.
        facts.project = Some("/srv/build".to_owned());
        assert_eq!(Places::new(&facts).of("/srv/build/*"), Place::ProjectRoot);
    }

    #[test]
    fn without_facts_a_home_is_still_a_home() {
        let facts = Facts::default();
        let places = Places::new(&facts);
        assert_eq!(places.of("/home/bob"), Place::Home);
        assert_eq!(places.of("/home/bob/project/src"), Place::Project);
        assert_eq!(places.of("/home/bob/project/target"), Place::Build);
        assert_eq!(places.of("/root/x"), Place::HomeFile);
    }
}
