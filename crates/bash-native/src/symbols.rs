//! What this module uses of the running bash, looked up by name when it is loaded.
//!
//! There are no headers: the layouts below are those of bash 4.4 to 5.2. A bash that does not
//! export a symbol leaves the field empty, and what needs it is left out and said so.

#![allow(
    unsafe_code,
    reason = "the interface of a running bash is C symbols and raw pointers"
)]

use std::ffi::{CStr, CString, c_char, c_int, c_ulong, c_void};

use cmdai_native::{Host, library};
use cmdai_schema::Dialect;

use crate::shell;

/// A readline command.
pub(crate) type Command = unsafe extern "C" fn(c_int, c_int) -> c_int;

/// What readline calls without a word.
pub(crate) type Notice = unsafe extern "C" fn() -> c_int;

/// Functions and variables of bash and its readline. All pointers stay valid for the life of the
/// process: they point into the executable.
pub(crate) struct Symbols {
    rl_line_buffer: Option<*mut *mut c_char>,
    rl_point: Option<*mut c_int>,
    rl_end: Option<*mut c_int>,
    rl_newline: Option<Command>,
    rl_redisplay: Option<unsafe extern "C" fn()>,
    rl_replace_line: Option<unsafe extern "C" fn(*const c_char, c_int)>,
    rl_get_keymap_by_name: Option<unsafe extern "C" fn(*const c_char) -> *mut c_void>,
    rl_bind_key_in_map: Option<unsafe extern "C" fn(c_int, Command, *mut c_void) -> c_int>,
    rl_function_of_keyseq:
        Option<unsafe extern "C" fn(*const c_char, *mut c_void, *mut c_int) -> Option<Command>>,
    rl_named_function: Option<unsafe extern "C" fn(*const c_char) -> Option<Command>>,
    rl_readline_state: Option<*mut c_ulong>,
    rl_pre_input_hook: Option<*mut Option<Notice>>,
    current_command_line_count: Option<*mut c_int>,
    current_command_number: Option<*mut c_int>,
    variable_context: Option<*mut c_int>,
    last_command_exit_value: Option<*mut c_int>,
    executing: Option<*mut c_int>,
    debugging_mode: Option<*mut c_int>,
    function_trace_mode: Option<*mut c_int>,
    expand_aliases: Option<*mut c_int>,
    history_expansion: Option<*mut c_int>,
    history_expansion_inhibited: Option<*mut c_int>,
    remember_on_history: Option<*mut c_int>,
    trap_list: Option<*mut *mut c_char>,
    get_string_value: Option<unsafe extern "C" fn(*const c_char) -> *mut c_char>,
    find_alias: Option<unsafe extern "C" fn(*const c_char) -> *mut Alias>,
    find_function: Option<unsafe extern "C" fn(*const c_char) -> *mut Variable>,
    named_function_string:
        Option<unsafe extern "C" fn(*const c_char, *mut c_void, c_int) -> *mut c_char>,
    bind_variable: Option<unsafe extern "C" fn(*const c_char, *mut c_char, c_int) -> *mut c_void>,
    maybe_add_history: Option<unsafe extern "C" fn(*mut c_char)>,
    history_expand: Option<unsafe extern "C" fn(*mut c_char, *mut *mut c_char) -> c_int>,
    evalstring: Option<unsafe extern "C" fn(*mut c_char, *const c_char, c_int) -> c_int>,
}

// SAFETY: bash has one thread, and this module starts none; the pointers are never used elsewhere.
unsafe impl Send for Symbols {}
// SAFETY: as above.
unsafe impl Sync for Symbols {}

/// First fields of bash's `alias_t`.
#[repr(C)]
struct Alias {
    name: *mut c_char,
    value: *mut c_char,
}

/// First fields of bash's `SHELL_VAR`. For a function the value is its tree.
#[repr(C)]
struct Variable {
    name: *mut c_char,
    value: *mut c_void,
}

/// Linux has 64 signals, so `NSIG` is 65 and bash puts the DEBUG trap right behind them.
#[cfg(target_os = "linux")]
const DEBUG_TRAP: usize = 65;
#[cfg(not(target_os = "linux"))]
const DEBUG_TRAP: usize = 32;

const FUNC_MULTILINE: c_int = 1;

macro_rules! function {
    ($name:literal) => {
        // SAFETY: bash defines a function of this name with the C signature that the field states,
        // since before version 4.4.
        unsafe { library::function($name) }
    };
}

impl Symbols {
    /// Looks everything up.
    pub(crate) fn find() -> Self {
        Self {
            rl_line_buffer: library::place(c"rl_line_buffer"),
            rl_point: library::place(c"rl_point"),
            rl_end: library::place(c"rl_end"),
            rl_newline: function!(c"rl_newline"),
            rl_redisplay: function!(c"rl_redisplay"),
            rl_replace_line: function!(c"rl_replace_line"),
            rl_get_keymap_by_name: function!(c"rl_get_keymap_by_name"),
            rl_bind_key_in_map: function!(c"rl_bind_key_in_map"),
            rl_function_of_keyseq: function!(c"rl_function_of_keyseq"),
            rl_named_function: function!(c"rl_named_function"),
            rl_readline_state: library::place(c"rl_readline_state"),
            rl_pre_input_hook: library::place(c"rl_pre_input_hook"),
            current_command_line_count: library::place(c"current_command_line_count"),
            current_command_number: library::place(c"current_command_number"),
            variable_context: library::place(c"variable_context"),
            last_command_exit_value: library::place(c"last_command_exit_value"),
            executing: library::place(c"executing"),
            debugging_mode: library::place(c"debugging_mode"),
            function_trace_mode: library::place(c"function_trace_mode"),
            expand_aliases: library::place(c"expand_aliases"),
            history_expansion: library::place(c"history_expansion"),
            history_expansion_inhibited: library::place(c"history_expansion_inhibited"),
            remember_on_history: library::place(c"remember_on_history"),
            trap_list: library::place(c"trap_list"),
            get_string_value: function!(c"get_string_value"),
            find_alias: function!(c"find_alias"),
            find_function: function!(c"find_function"),
            named_function_string: function!(c"named_function_string"),
            bind_variable: function!(c"bind_variable"),
            maybe_add_history: function!(c"maybe_add_history"),
            history_expand: function!(c"history_expand"),
            evalstring: function!(c"evalstring"),
        }
    }

    const fn none() -> Self {
        Self {
            rl_line_buffer: None,
            rl_point: None,
            rl_end: None,
            rl_newline: None,
            rl_redisplay: None,
            rl_replace_line: None,
            rl_get_keymap_by_name: None,
            rl_bind_key_in_map: None,
            rl_function_of_keyseq: None,
            rl_named_function: None,
            rl_readline_state: None,
            rl_pre_input_hook: None,
            current_command_line_count: None,
            current_command_number: None,
            variable_context: None,
            last_command_exit_value: None,
            executing: None,
            debugging_mode: None,
            function_trace_mode: None,
            expand_aliases: None,
            history_expansion: None,
            history_expansion_inhibited: None,
            remember_on_history: None,
            trap_list: None,
            get_string_value: None,
            find_alias: None,
            find_function: None,
            named_function_string: None,
            bind_variable: None,
            maybe_add_history: None,
            history_expand: None,
            evalstring: None,
        }
    }

    /// Binds `command` to Enter in every keymap where Enter accepts the line, and `operate` to
    /// the key that accepts it and fetches the next one. True where at least one was bound.
    pub(crate) fn bind_enter(&self, command: Command, operate: Command) -> bool {
        let (Some(by_name), Some(bind), Some(of_keys), Some(newline), Some(_), Some(_)) = (
            self.rl_get_keymap_by_name,
            self.rl_bind_key_in_map,
            self.rl_function_of_keyseq,
            self.rl_newline,
            self.rl_line_buffer,
            self.rl_replace_line,
        ) else {
            return false;
        };
        let operate_and_get_next = self.named(c"operate-and-get-next");
        let mut bound = false;
        for map in [c"emacs", c"vi-insert", c"vi-move"] {
            // SAFETY: called with a terminated name; gives null or one of readline's own maps.
            let keymap = unsafe { by_name(map.as_ptr()) };
            if keymap.is_null() {
                continue;
            }
            for (keys, key) in [(c"\r", 13), (c"\n", 10), (c"\x0f", 15)] {
                let mut kind: c_int = 0;
                // SAFETY: a terminated key sequence, readline's own map, and a place for the kind.
                let present = unsafe { of_keys(keys.as_ptr(), keymap, &raw mut kind) };
                let present = present.map(|function| function as usize);
                let ours = if present == Some(newline as usize) || present == Some(command as usize)
                {
                    command
                } else if present.is_some()
                    && (present == operate_and_get_next.map(|function| function as usize)
                        || present == Some(operate as usize))
                {
                    operate
                } else {
                    continue;
                };
                // SAFETY: a key below 256, a function that lives as long as the process (this
                // module cannot be unloaded), and readline's own map.
                bound |= unsafe { bind(key, ours, keymap) } == 0 && key != 15;
            }
        }
        bound
    }

    /// Has readline call `notice` each time that it has shown its prompt and begins to wait for keys. Gives
    /// who was called before, and is to be called by `notice`; nothing where readline has no such place.
    pub(crate) fn call_when_idle(&self, notice: Notice) -> Option<Option<Notice>> {
        let place = self.rl_pre_input_hook?;
        // SAFETY: readline's own variable of this type; the function lives as long as the process.
        let before = unsafe { place.replace(Some(notice)) };
        Some(before.filter(|&before| before as usize != notice as usize))
    }

    fn named(&self, name: &CStr) -> Option<Command> {
        // SAFETY: called with a terminated name.
        self.rl_named_function
            .and_then(|find| unsafe { find(name.as_ptr()) })
    }

    /// The few symbols that call bash back, to be used without the shell's state: bash may call
    /// this module again while they run.
    pub(crate) fn find_calling() -> Self {
        Self {
            rl_newline: function!(c"rl_newline"),
            rl_named_function: function!(c"rl_named_function"),
            evalstring: function!(c"evalstring"),
            ..Self::none()
        }
    }

    /// Runs a piece of script in this shell, as its `eval` would. False where bash offers no way.
    pub(crate) fn run(&self, script: &CStr) -> bool {
        const SEVAL_NOHIST: c_int = 4;
        let Some(evaluate) = self.evalstring else {
            return false;
        };
        // SAFETY: a copy made with the process's one allocator, which bash frees; called from a
        // builtin, as bash's own `eval` does.
        unsafe {
            evaluate(
                libc::strdup(script.as_ptr()),
                c"cmdai".as_ptr(),
                SEVAL_NOHIST,
            )
        };
        true
    }

    /// Lets readline accept the line.
    pub(crate) fn newline(&self, count: c_int, key: c_int) -> c_int {
        // SAFETY: called inside readline's dispatch, as its own commands are.
        self.rl_newline
            .map_or(0, |accept| unsafe { accept(count, key) })
    }

    /// Lets readline accept the line and fetch the next one from history.
    pub(crate) fn operate(&self, count: c_int, key: c_int) -> c_int {
        match self.named(c"operate-and-get-next") {
            // SAFETY: called inside readline's dispatch, as its own commands are.
            Some(command) => unsafe { command(count, key) },
            None => self.newline(count, key),
        }
    }

    /// The line being edited.
    pub(crate) fn line(&self) -> String {
        let Some(buffer) = self.rl_line_buffer else {
            return String::new();
        };
        // SAFETY: the variable belongs to readline and points to its terminated buffer.
        text(unsafe { *buffer })
    }

    /// Moves the cursor behind the line, so that a message can be printed below it.
    pub(crate) fn show_whole_line(&self) {
        if let (Some(point), Some(end), Some(redisplay)) =
            (self.rl_point, self.rl_end, self.rl_redisplay)
        {
            // SAFETY: readline's own variables, and its own way of drawing, inside its dispatch.
            unsafe {
                *point = *end;
                redisplay();
            }
        }
    }

    /// Empties the line being edited without drawing it.
    pub(crate) fn clear_line(&self) {
        if let Some(replace) = self.rl_replace_line {
            // SAFETY: a terminated text, which readline copies; undo history is dropped.
            unsafe { replace(c"".as_ptr(), 1) };
        }
    }

    /// Lines already read of the command being typed: zero at the first prompt.
    pub(crate) fn lines_read(&self) -> c_int {
        read(self.current_command_line_count).unwrap_or(0)
    }

    /// Readline runs one of its commands at this moment, and it is not completing: what runs now
    /// was written in an editor that Ctrl-X Ctrl-E opened. Commands of key bindings are told apart
    /// by the variables they are given.
    pub(crate) fn runs_from_editor(&self) -> bool {
        const DISPATCHING: c_ulong = 0x20;
        const COMPLETING: c_ulong = 0x4000;
        // SAFETY: readline's own variable of this type, looked up by its name.
        let state = self.rl_readline_state.map_or(0, |place| unsafe { *place });
        state & DISPATCHING != 0
            && state & COMPLETING == 0
            && self.variable("READLINE_LINE").is_none()
            && self.variable("COMP_LINE").is_none()
    }

    /// Bash runs no line at this moment: what runs are prompt commands, completions, keys.
    pub(crate) fn between_lines(&self) -> bool {
        read(self.executing) == Some(0) && !self.runs_from_editor()
    }

    /// Bash runs a line. It says so until it begins to read the next one, whatever ended the line.
    pub(crate) fn runs_line(&self) -> bool {
        read(self.executing) == Some(1)
    }

    /// `$?`.
    pub(crate) fn status(&self) -> c_int {
        read(self.last_command_exit_value).unwrap_or(0)
    }

    /// Sets `$?` for the next command.
    pub(crate) fn set_status(&self, status: c_int) {
        if let Some(place) = self.last_command_exit_value {
            // SAFETY: bash's own variable of this type.
            unsafe { *place = status };
        }
    }

    /// The DEBUG trap, `extdebug` and `functrace` as they have to be? `mark` is part of our trap.
    pub(crate) fn net_is_up(&self, mark: &str) -> bool {
        let on = |flag: Option<*mut c_int>| read(flag).is_none_or(|value| value != 0);
        on(self.debugging_mode)
            && on(self.function_trace_mode)
            && self.debug_trap().is_none_or(|trap| trap.contains(mark))
    }

    /// The DEBUG trap's text, where bash lets it be seen.
    pub(crate) fn debug_trap(&self) -> Option<String> {
        let list = self.trap_list?;
        // SAFETY: bash's own array has an entry for each signal and, behind them, one for each of
        // its special traps; DEBUG is the first of those.
        let entry = unsafe { *list.add(DEBUG_TRAP) };
        Some(text(entry))
    }

    /// Keeps a line in the history as bash itself would have, so that the person can mend it.
    pub(crate) fn remember(&self, line: &str) {
        if line.is_empty() || read(self.remember_on_history) == Some(0) {
            return;
        }
        if let (Some(add), Ok(line)) = (self.maybe_add_history, CString::new(line)) {
            // SAFETY: a terminated text, which bash copies; `HISTCONTROL` is honoured by it.
            unsafe { add(line.as_ptr().cast_mut()) };
        }
    }

    /// The line after history expansion (`!!`, `!rm`), where that changes it.
    pub(crate) fn expand_history(&self, line: &str) -> Option<String> {
        if !line.contains(['!', '^'])
            || read(self.history_expansion) != Some(1)
            || read(self.history_expansion_inhibited) == Some(1)
        {
            return None;
        }
        let line = CString::new(line).ok()?;
        let mut out: *mut c_char = std::ptr::null_mut();
        // SAFETY: a terminated text that is copied, and a place for the answer.
        let changed = unsafe { self.history_expand?(line.as_ptr().cast_mut(), &raw mut out) };
        if out.is_null() {
            return None;
        }
        let expanded = text(out);
        // SAFETY: the answer was allocated for us with the process's one allocator.
        unsafe { libc::free(out.cast()) };
        (changed == 1).then_some(expanded)
    }
}

impl Host for Symbols {
    const DIALECT: Dialect = Dialect::Bash;
    const SEES_COMPOUNDS: bool = false;
    const ALSO_EXPANDED: &'static [char] = &[];

    fn variable(&self, name: &str) -> Option<String> {
        // Reading these changes them, or they say nothing about the line.
        if matches!(
            name,
            "RANDOM" | "SRANDOM" | "LINENO" | "BASH_COMMAND" | "SECONDS" | "EPOCHREALTIME" | "_"
        ) {
            return None;
        }
        let name = CString::new(name).ok()?;
        // SAFETY: called with a terminated name; gives null or a terminated text of bash.
        let value = unsafe { self.get_string_value?(name.as_ptr()) };
        (!value.is_null()).then(|| text(value))
    }

    fn set_variable(&self, name: &CStr, value: &str) {
        if let (Some(bind), Ok(value)) = (self.bind_variable, CString::new(value)) {
            // SAFETY: two terminated texts, both copied by bash.
            unsafe { bind(name.as_ptr(), value.as_ptr().cast_mut(), 0) };
        }
    }

    fn alias(&self, name: &str) -> Option<String> {
        if read(self.expand_aliases) == Some(0) {
            return None;
        }
        let name = CString::new(name).ok()?;
        // SAFETY: called with a terminated name; gives null or an alias of bash's table.
        let alias = unsafe { self.find_alias?(name.as_ptr()).as_ref()? };
        (!alias.value.is_null()).then(|| text(alias.value))
    }

    fn function(&self, name: &str) -> Option<String> {
        let name = CString::new(name).ok()?;
        // SAFETY: called with a terminated name; gives null or a function of bash's table.
        let function = unsafe { self.find_function?(name.as_ptr()).as_ref()? };
        if function.value.is_null() {
            return None;
        }
        // SAFETY: the value of a function is its tree; without a name only the body is printed,
        // into a buffer of bash's that stays until the next printing.
        let printed = unsafe {
            self.named_function_string?(std::ptr::null(), function.value, FUNC_MULTILINE)
        };
        (!printed.is_null()).then(|| text(printed))
    }

    fn status(&self) -> c_int {
        read(self.last_command_exit_value).unwrap_or(0)
    }

    fn set_status(&self, status: c_int) {
        if let Some(place) = self.last_command_exit_value {
            // SAFETY: bash's own variable of this type.
            unsafe { *place = status };
        }
    }

    fn line_number(&self) -> Option<c_int> {
        read(self.current_command_number)
    }

    fn inside_function(&self) -> bool {
        // `FUNCNAME` says `main` at the first level of a file, and `source` in one that is read.
        read(self.variable_context).map_or_else(
            || {
                self.variable("FUNCNAME")
                    .is_some_and(|name| !matches!(name.as_str(), "" | "main" | "source"))
            },
            |depth| depth > 0,
        )
    }

    fn is_own(&self, text: &str) -> bool {
        shell::is_own(text)
    }
}

fn read(place: Option<*mut c_int>) -> Option<c_int> {
    // SAFETY: a variable of bash's of this type, looked up by its name.
    place.map(|place| unsafe { *place })
}

/// A copy of a text of bash; what is not UTF-8 is replaced.
pub(crate) fn text(pointer: *const c_char) -> String {
    // SAFETY: bash's texts are terminated.
    unsafe { library::text(pointer) }
}
