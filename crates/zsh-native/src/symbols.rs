//! What this module uses of the running zsh, looked up by name.
//!
//! There are no headers: the layouts below are those of the versions in [`KNOWN`].

#![allow(
    unsafe_code,
    reason = "the interface of a running zsh is C symbols and raw pointers"
)]

use std::ffi::{CStr, c_char, c_int, c_void};

use cmdai_effects::Elements;
use cmdai_native::{Host, library, plain};
use cmdai_schema::Dialect;

use crate::module::Node;
use crate::text::{packed, readable, text, texts};

/// Versions of zsh whose layouts these are.
pub(crate) const KNOWN: [&str; 3] = ["5.8", "5.8.1", "5.9"];
/// Status of a block.
pub(crate) const BLOCKED: c_int = 126;

/// Bits of `errflag`: the line was interrupted.
const INTERRUPTED: c_int = 2;
/// Mark of a global alias.
const GLOBAL: c_int = 1 << 1;
/// Mark of a function whose text was not loaded yet.
const UNDEFINED: c_int = 1 << 9;
/// Mark of a trap that is a function.
const TRAP_IS_FUNCTION: c_int = 1 << 2;
/// Linux has 31 signals with names of their own, and zsh puts ZERR and DEBUG right behind them.
const DEBUG_TRAP: usize = 33;
/// A function in `struct funcstack`.
const IS_FUNCTION: c_int = 1;

type GetList = unsafe extern "C" fn(*const c_char) -> *const *const c_char;

/// zsh's `struct hashtable`, up to the function that finds an entry that is not disabled.
#[repr(C)]
struct Table {
    size: c_int,
    count: c_int,
    nodes: *mut *mut Node,
    scratch: *mut c_void,
    hash: *const c_void,
    empty: *const c_void,
    fill: *const c_void,
    compare: *const c_void,
    add: *const c_void,
    get: Option<unsafe extern "C" fn(*mut Table, *const c_char) -> *mut Node>,
}

/// First fields of zsh's `struct alias`.
#[repr(C)]
struct Alias {
    node: Node,
    text: *mut c_char,
}

/// First fields of zsh's `struct shfunc`.
#[repr(C)]
struct Function {
    node: Node,
    file: *mut c_char,
    line: i64,
    program: *mut c_void,
}

/// zsh's `struct funcstack`.
#[repr(C)]
struct Frame {
    previous: *const Frame,
    name: *const c_char,
    file: *const c_char,
    caller: *const c_char,
    file_line: i64,
    line: i64,
    kind: c_int,
}

// The same numbers are asked of zsh's headers in `crates/hooks/tests/it/zsh_layout.rs`.
#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::offset_of;
    assert!(offset_of!(Node, name) == 8 && offset_of!(Node, flags) == 16);
    assert!(offset_of!(Table, get) == 64 && offset_of!(Alias, text) == 24);
    assert!(offset_of!(Function, program) == 40);
    assert!(offset_of!(Frame, name) == 8 && offset_of!(Frame, kind) == 48);
};

/// Functions and variables of zsh. All pointers stay valid for the life of the process: they point
/// into the executable.
#[derive(Default)]
pub(crate) struct Symbols {
    getsparam: Option<unsafe extern "C" fn(*const c_char) -> *mut c_char>,
    getaparam: Option<GetList>,
    gethparam: Option<GetList>,
    gethkparam: Option<GetList>,
    setsparam: Option<unsafe extern "C" fn(*const c_char, *mut c_char) -> *mut c_void>,
    ztrdup: Option<unsafe extern "C" fn(*const c_char) -> *mut c_char>,
    zsfree: Option<unsafe extern "C" fn(*mut c_char)>,
    getpermtext: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, c_int) -> *mut c_char>,
    optlookup: Option<unsafe extern "C" fn(*const c_char) -> c_int>,
    opts: Option<*mut c_char>,
    aliastab: Option<*mut *mut Table>,
    sufaliastab: Option<*mut *mut Table>,
    shfunctab: Option<*mut *mut Table>,
    builtintab: Option<*mut *mut Table>,
    reswdtab: Option<*mut *mut Table>,
    funcstack: Option<*mut *const Frame>,
    sigtrapped: Option<*mut c_int>,
    siglists: Option<*mut *mut c_void>,
    lastval: Option<*mut c_int>,
    exit_val: Option<*mut c_int>,
    errflag: Option<*mut c_int>,
    in_exit_trap: Option<*mut c_int>,
    terminal: Option<*mut c_int>,
    locallevel: Option<*mut c_int>,
    forklevel: Option<*mut c_int>,
    intrap: Option<*mut c_int>,
    zexit: Option<unsafe extern "C" fn(c_int, c_int)>,
}

// SAFETY: zsh has one thread, and this module starts none; the pointers are never used elsewhere.
unsafe impl Send for Symbols {}
// SAFETY: as above.
unsafe impl Sync for Symbols {}

impl std::fmt::Debug for Symbols {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Symbols")
    }
}

macro_rules! function {
    ($name:literal) => {
        // SAFETY: zsh defines a function of this name with the C signature that the field or variable
        // states.
        unsafe { library::function($name) }
    };
}

impl Symbols {
    /// Looks everything up.
    pub(crate) fn find() -> Self {
        Self {
            getsparam: function!(c"getsparam"),
            getaparam: function!(c"getaparam"),
            gethparam: function!(c"gethparam"),
            gethkparam: function!(c"gethkparam"),
            setsparam: function!(c"setsparam"),
            ztrdup: function!(c"ztrdup"),
            zsfree: function!(c"zsfree"),
            getpermtext: function!(c"getpermtext"),
            optlookup: function!(c"optlookup"),
            opts: library::place(c"opts"),
            aliastab: library::place(c"aliastab"),
            sufaliastab: library::place(c"sufaliastab"),
            shfunctab: library::place(c"shfunctab"),
            builtintab: library::place(c"builtintab"),
            reswdtab: library::place(c"reswdtab"),
            funcstack: library::place(c"funcstack"),
            sigtrapped: library::place(c"sigtrapped"),
            siglists: library::place(c"siglists"),
            lastval: library::place(c"lastval"),
            exit_val: library::place(c"exit_val"),
            errflag: library::place(c"errflag"),
            in_exit_trap: library::place(c"in_exit_trap"),
            terminal: library::place(c"SHTTY"),
            locallevel: library::place(c"locallevel"),
            forklevel: library::place(c"forklevel"),
            intrap: library::place(c"intrap"),
            zexit: function!(c"zexit"),
        }
    }

    /// Why this module cannot live in this zsh; nothing where it can.
    pub(crate) fn refusal() -> Option<String> {
        let found = Self::find();
        let Some(version) = found.parameter(c"ZSH_VERSION") else {
            return Some("this zsh does not let a module look into it".to_owned());
        };
        if !KNOWN.contains(&version.as_str()) {
            return Some(format!(
                "its native module does not know zsh {version}, only {}",
                KNOWN.join(", ")
            ));
        }
        let whole = found.setsparam.is_some()
            && found.ztrdup.is_some()
            && found.zsfree.is_some()
            && found.getpermtext.is_some()
            && found.optlookup.is_some()
            && found.opts.is_some()
            && found.aliastab.is_some()
            && found.sufaliastab.is_some()
            && found.shfunctab.is_some()
            && found.builtintab.is_some()
            && found.reswdtab.is_some()
            && found.funcstack.is_some()
            && found.lastval.is_some()
            && found.errflag.is_some()
            && found.tables_are_as_known();
        (!whole).then(|| format!("its native module does not find its way in this zsh {version}"))
    }

    /// Looks a builtin up through the layouts: it has to be found under its own name.
    fn tables_are_as_known(&self) -> bool {
        let Some(node) = entry(self.builtintab, "builtin") else {
            return false;
        };
        // SAFETY: an entry that zsh's own look-up gave.
        text(unsafe { (*node).name }) == "builtin"
    }

    fn parameter(&self, name: &CStr) -> Option<String> {
        // SAFETY: a terminated name; gives null or a terminated text.
        let value = unsafe { self.getsparam?(name.as_ptr()) };
        (!value.is_null()).then(|| text(value))
    }

    /// The few symbols that [`crate::trace`] needs.
    pub(crate) fn find_traced() -> Self {
        Self {
            getsparam: function!(c"getsparam"),
            optlookup: function!(c"optlookup"),
            opts: library::place(c"opts"),
            ..Self::default()
        }
    }

    /// Has zsh call this before each prompt, behind its own functions for that.
    pub(crate) fn before_prompts(&self, work: extern "C" fn()) {
        type Add = unsafe extern "C" fn(extern "C" fn());
        // SAFETY: zsh's function has this signature in the versions that are known, and ours stays
        // loaded.
        unsafe {
            if let Some(add) = library::function::<Add>(c"addprepromptfn") {
                add(work);
            }
        }
    }

    /// Runs a piece of script in this shell, as its `eval` would.
    pub(crate) fn run(&self, script: &CStr) {
        type Run = unsafe extern "C" fn(*const c_char, c_int, c_int, *const c_char);
        // SAFETY: zsh's function has this signature in the versions that are known; terminated texts,
        // which zsh copies.
        unsafe {
            if let Some(run) = library::function::<Run>(c"execstring") {
                run(script.as_ptr(), 1, 0, c"cmdai".as_ptr());
            }
        }
    }

    /// A DEBUG trap runs, or is about to.
    pub(crate) fn is_debugging(&self) -> bool {
        // SAFETY: a terminated name; gives null or a terminated text.
        self.getsparam
            .is_some_and(|get| !unsafe { get(c"ZSH_DEBUG_CMD".as_ptr()) }.is_null())
    }

    /// Switches the option `xtrace`. True where it was on.
    pub(crate) fn trace(&self, on: bool) -> bool {
        let Some(place) = self.option_place(c"xtrace") else {
            return false;
        };
        // SAFETY: zsh's own array has an entry for each option.
        unsafe { place.replace(c_char::from(on)) != 0 }
    }

    fn option(&self, name: &CStr) -> Option<bool> {
        // SAFETY: zsh's own array has an entry for each option.
        self.option_place(name).map(|place| unsafe { *place } != 0)
    }

    /// Where an option is kept; nothing for a name that says the opposite of what is kept.
    fn option_place(&self, name: &CStr) -> Option<*mut c_char> {
        // SAFETY: a terminated name; gives the number of the option, below zero for the opposite.
        let number = unsafe { self.optlookup?(name.as_ptr()) };
        let index = usize::try_from(number).ok().filter(|index| *index > 0)?;
        // SAFETY: the array is longer than any number of an option.
        Some(unsafe { self.opts?.add(index) })
    }

    /// The DEBUG trap runs before a command, not behind it.
    pub(crate) fn traps_come_first(&self) -> bool {
        self.option(c"debugbeforecmd") != Some(false)
    }

    /// A word of the text is an alias wherever it stands, or by how it ends.
    pub(crate) fn uses_other_aliases(&self, line: &str) -> bool {
        if self.option(c"aliases") == Some(false) {
            return false;
        }
        line.split(|c: char| {
            c.is_whitespace() || matches!(c, ';' | '|' | '&' | '(' | ')' | '{' | '}')
        })
        .filter(|word| !word.is_empty())
        .any(|word| {
            // SAFETY: an entry of the table of aliases.
            let global = entry(self.aliastab, word)
                .is_some_and(|node| unsafe { (*node).flags } & GLOBAL != 0);
            global
                || word
                    .rsplit_once('.')
                    .is_some_and(|(_, ending)| entry(self.sufaliastab, ending).is_some())
        })
    }

    /// All that runs in this line stands there: no word is expanded beyond a value that was known when the
    /// line was judged, and no command of it runs code of
    /// the shell that is kept elsewhere (a function, an alias, `eval`, `source`, what is hooked on a
    /// change of folder). The trap would see the calls that were judged with the line and no others.
    pub(crate) fn runs_only_what_stands_there(&self, line: &str) -> bool {
        const INERT: [&str; 11] = [
            ":", "true", "false", "echo", "print", "printf", "[", "test", "pwd", "cd", "export",
        ];
        const HOOKED: [&str; 2] = ["chpwd", "command_not_found_handler"];
        // With these, values are at the end of the line what they were when it was judged, and are text
        // only: `[` calculates with them.
        const CHANGES_NOTHING: [&str; 5] = [":", "true", "false", "echo", "pwd"];
        let Some(plain) = plain::read(line) else {
            return false;
        };
        let inert = match plain.parameters.as_slice() {
            [] => INERT.as_slice(),
            _ if self.option(c"globsubst") != Some(false) => return false,
            names if plain.assigns || names.iter().any(|name| readable(name).is_none()) => {
                return false;
            }
            _ => CHANGES_NOTHING.as_slice(),
        };
        let is_in = |table, name: &str| entry(table, name).is_some();
        let is_hooked = HOOKED.iter().any(|name| is_in(self.shfunctab, name))
            || self
                .parameter(c"chpwd_functions")
                .is_some_and(|names| !names.is_empty());
        !is_hooked
            && !self.uses_other_aliases(line)
            && plain.calls.iter().all(|name| {
                !is_in(self.shfunctab, name)
                    && !is_in(self.aliastab, name)
                    // `export` is a word of the grammar, too.
                    && (inert.contains(name)
                        || !is_in(self.reswdtab, name) && !is_in(self.builtintab, name))
            })
    }

    /// The text of a program as zsh keeps it.
    fn printed(&self, program: *mut c_void) -> Option<String> {
        if program.is_null() {
            return None;
        }
        // SAFETY: a program of zsh's; the text is allocated for us.
        let printed = unsafe { self.getpermtext?(program, std::ptr::null_mut(), 1) };
        if printed.is_null() {
            return None;
        }
        let copy = text(printed);
        if let Some(free) = self.zsfree {
            // SAFETY: allocated by the call above.
            unsafe { free(printed) };
        }
        Some(copy)
    }

    /// The DEBUG trap that was set as a text.
    pub(crate) fn other_trap(&self) -> Option<String> {
        // SAFETY: zsh's own arrays have an entry for each signal and trap.
        let (marks, program) = unsafe {
            (
                *self.sigtrapped?.add(DEBUG_TRAP),
                *self.siglists?.add(DEBUG_TRAP),
            )
        };
        (marks != 0 && marks & TRAP_IS_FUNCTION == 0)
            .then(|| self.printed(program))
            .flatten()
    }

    /// Name of the outermost function that runs, the trap that asks left out.
    pub(crate) fn outermost_function(&self) -> Option<String> {
        // SAFETY: zsh's own variable.
        let mut next = self
            .funcstack
            .map_or(std::ptr::null(), |top| unsafe { *top });
        let mut trap = true;
        let mut outermost = None;
        // SAFETY: a list of zsh's that ends in null; its entries live while the functions run.
        while let Some(frame) = unsafe { next.as_ref() } {
            if frame.kind == IS_FUNCTION {
                // The first function is the trap.
                if !std::mem::take(&mut trap) {
                    outermost = Some(frame.name);
                }
            }
            next = frame.previous;
        }
        outermost.map(text)
    }

    /// Stops the line that is about to run, as Ctrl-C would.
    pub(crate) fn interrupt(&self) {
        if let Some(place) = self.errflag {
            // SAFETY: zsh's own variable of this type.
            unsafe { *place |= INTERRUPTED };
        }
    }

    /// Ends a script at its first level, as its own `exit` would: the trap's status alone would leave
    /// out `zshexit`, and `source FILE || NEXT` would go on. In functions and subshells that status
    /// does it: this comes back.
    pub(crate) fn leave_script(&self) {
        // One level is the trap's own.
        let first_level = match (read(self.locallevel), read(self.forklevel)) {
            (Some(level), Some(fork)) => level <= fork + 1,
            _ => false,
        };
        if let (true, Some(in_trap), Some(end)) = (first_level, self.intrap, self.zexit) {
            // SAFETY: zsh's own variable of this type: nothing that follows is called from a trap, so
            // that the script's own EXIT trap runs. zsh's own way out, which does not come back.
            unsafe {
                *in_trap = 0;
                end(BLOCKED, 0);
            }
        }
    }
}

impl Host for Symbols {
    const DIALECT: Dialect = Dialect::Zsh;
    const SEES_COMPOUNDS: bool = true;
    const ALSO_EXPANDED: &'static [char] = &['^', '<', '(', '='];

    fn variable(&self, name: &str) -> Option<String> {
        self.parameter(&readable(name)?)
    }

    fn elements(&self, name: &str) -> Option<Elements> {
        let name = readable(name)?;
        // SAFETY: a terminated name; each gives null or a list of terminated texts that ends in null.
        let list = |get: Option<GetList>| unsafe { texts(get?(name.as_ptr())) };
        if let Some(elements) = list(self.getaparam) {
            return Some(Elements::Listed(elements));
        }
        let values = list(self.gethparam)?;
        let keys = list(self.gethkparam)?;
        Some(Elements::Named(keys.into_iter().zip(values).collect()))
    }

    fn set_variable(&self, name: &CStr, value: &str) {
        if let (Some(set), Some(copy), Some(value)) = (self.setsparam, self.ztrdup, packed(value)) {
            // SAFETY: a terminated name, and a value that zsh allocated and takes over.
            unsafe { set(name.as_ptr(), copy(value.as_ptr())) };
        }
    }

    fn alias(&self, name: &str) -> Option<String> {
        if self.option(c"aliases") == Some(false) {
            return None;
        }
        let alias: *mut Alias = entry(self.aliastab, name)?.cast();
        // SAFETY: an entry of the table of aliases.
        let value = unsafe { (*alias).text };
        (!value.is_null()).then(|| text(value))
    }

    fn function(&self, name: &str) -> Option<String> {
        let function: *mut Function = entry(self.shfunctab, name)?.cast();
        // SAFETY: an entry of the table of functions.
        let (flags, program) = unsafe { ((*function).node.flags, (*function).program) };
        if flags & UNDEFINED != 0 {
            return None;
        }
        self.printed(program)
    }

    fn status(&self) -> c_int {
        read(self.lastval).unwrap_or(0)
    }

    fn set_status(&self, status: c_int) {
        if let Some(place) = self.lastval {
            // SAFETY: zsh's own variable; of this type, or longer with this part first, and then not
            // below zero.
            unsafe { *place = status };
        }
    }

    fn exit_status(&self) -> c_int {
        match read(self.exit_val) {
            Some(0) | None => self.status(),
            Some(status) => status,
        }
    }

    fn is_leaving(&self) -> bool {
        read(self.in_exit_trap).unwrap_or(0) != 0
            || self.outermost_function().is_some_and(|outermost| {
                outermost == "zshexit"
                    || self
                        .parameter(c"zshexit_functions")
                        .is_some_and(|names| names.split(' ').any(|name| name == outermost))
            })
    }

    fn keyboard(&self) -> c_int {
        read(self.terminal)
            .filter(|descriptor| *descriptor >= 0)
            .unwrap_or(libc::STDIN_FILENO)
    }

    fn inside_function(&self) -> bool {
        self.outermost_function().is_some()
    }

    fn is_own(&self, text: &str) -> bool {
        // A call of the builtin that does nothing else: no redirection, nothing expanded by running it.
        text == "__cmdai_mend"
            || text.starts_with("builtin __cmdai ")
                && !text.contains(['<', '>', '`', '\n', ';', '|', '&', '(', '{', '['])
    }
}

fn read(place: Option<*mut c_int>) -> Option<c_int> {
    // SAFETY: a variable of zsh's of this type, or a longer one with this part first.
    place.map(|place| unsafe { *place })
}

/// An entry of a table that is not disabled.
fn entry(table: Option<*mut *mut Table>, name: &str) -> Option<*mut Node> {
    let name = packed(name)?;
    // SAFETY: zsh's own variable that points to a table for the life of the process.
    let table = unsafe { *table? };
    // SAFETY: as above; the look-up takes its own table and a terminated name.
    let node = unsafe { ((*table).get?)(table, name.as_ptr()) };
    (!node.is_null()).then_some(node)
}
