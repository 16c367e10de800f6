//! Goes through a tree as the code would run.

use std::rc::Rc;

use cmdai_schema::{CodeSource, EffectKind, Span};

use super::{
    Start, calls,
    tree::{Id, Language, Node, Script},
    value::{Closure, MAX_ELEMENTS, Object, Str, Value, worse},
};
use crate::{
    analyser::Analyser,
    value::{Stream, Taint, Text},
};

/// Deepest evaluation, all code of an analysis together. Each level takes stack.
const MAX_DEPTH: u32 = 220;
/// Most nodes that are looked at, all code of an analysis together.
const MAX_STEPS: u32 = 60_000;
/// Most times that a loop's body is looked at.
const MAX_TURNS: usize = 256;
/// Deepest calls of the code's own functions.
const MAX_CALLS: u32 = 12;

/// Names in a function, or in the whole code.
type Scope = Vec<(String, Value)>;

/// Arguments of a call.
#[derive(Debug, Default)]
pub(super) struct Args {
    pub(super) given: Vec<Value>,
    pub(super) named: Vec<(String, Value)>,
}

impl Args {
    pub(super) fn of(given: Vec<Value>) -> Self {
        Self {
            given,
            named: Vec::new(),
        }
    }

    /// Everything that is given.
    pub(super) fn all(&self) -> impl Iterator<Item = &Value> {
        self.given
            .iter()
            .chain(self.named.iter().map(|(_, value)| value))
    }

    /// By name, or in a map among the arguments, as JavaScript and Ruby give options.
    pub(super) fn option(&self, name: &str) -> Option<&Value> {
        self.named
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
            .or_else(|| self.given.iter().rev().find_map(|value| value.key(name)))
    }

    /// An option says how a file is opened.
    pub(super) fn has_mode(&self) -> bool {
        ["flag", "flags", "mode"].iter().any(|name| {
            self.option(name)
                .is_some_and(|value| value.known_text().is_some())
        })
    }

    /// How a file is opened, where an option or a third argument says so.
    pub(super) fn mode(&self) -> Option<&str> {
        ["flag", "flags", "mode"]
            .iter()
            .find_map(|name| self.option(name).and_then(Value::known_text))
            .or_else(|| {
                let third = self.given.get(2)?.known_text()?;
                (third.len() <= 2).then_some(third)
            })
    }
}

/// From here on, something is big.
pub(super) const BIG: i64 = 1 << 16;

/// One run of code.
pub(super) struct Run<'a, 'c> {
    pub(super) an: &'a mut Analyser<'c>,
    pub(super) language: Language,
    pub(super) span: Span,
    pub(super) start: Start<'a>,
    pub(super) scopes: Vec<Scope>,
    returns: Vec<Vec<Value>>,
    /// Inside something that may not happen.
    branches: u32,
    pub(super) loops: u32,
    /// Inside loops that nothing ends.
    endless: u32,
    /// Something big was made.
    pub(super) big: bool,
    calls: u32,
    pub(super) printed: Stream,
    /// Modules whose members are known by their own names.
    stars: Vec<String>,
    /// An open connection.
    pub(super) peer: Option<String>,
    /// A shell was started.
    pub(super) shell: bool,
}

impl<'a, 'c> Run<'a, 'c> {
    pub(super) fn new(
        an: &'a mut Analyser<'c>,
        language: Language,
        span: Span,
        start: Start<'a>,
    ) -> Self {
        Self {
            an,
            language,
            span,
            start,
            scopes: vec![Vec::new()],
            returns: Vec::new(),
            branches: 0,
            loops: 0,
            endless: 0,
            big: false,
            calls: 0,
            printed: Stream::Empty,
            stars: Vec::new(),
            peer: None,
            shell: false,
        }
    }

    /// Goes through the whole; what it prints.
    pub(super) fn whole(mut self, script: &Rc<Script>) -> Stream {
        let cwd = (self.an.env.cwd.clone(), self.an.env.cwd_known);
        if let Some(root) = script.root() {
            self.eval(script, root);
        }
        (self.an.env.cwd, self.an.env.cwd_known) = cwd;
        if let (Some(peer), true) = (&self.peer, self.shell) {
            let source = CodeSource::Remote(format!("tcp://{peer}"));
            self.an.emit_code(source, "shell", self.span);
        }
        self.printed
    }

    /// Code that the code itself runs.
    pub(super) fn inner(&mut self, code: &str) -> Value {
        let span = self.span;
        self.an.read += code.len();
        if self.an.depth >= 16 || self.an.read > 512 * 1024 {
            self.an.unknown_region(span, "nested too deeply");
            return Value::Unknown(None);
        }
        match self.an.read_code(self.language, code) {
            Some(script) => {
                self.an.depth += 1;
                let script = Rc::new(script);
                let value = match script.root() {
                    Some(root) => self.eval(&script, root),
                    None => Value::Nothing,
                };
                self.an.depth -= 1;
                value
            }
            None => {
                let language = self.language;
                self.an.unread_code(language, code, span);
                Value::Unknown(None)
            }
        }
    }

    /// What a node gives.
    pub(super) fn eval(&mut self, script: &Rc<Script>, id: Id) -> Value {
        self.an.script_steps += 1;
        if self.an.script_depth >= MAX_DEPTH || self.an.script_steps >= MAX_STEPS {
            if !self.an.script_full {
                self.an.script_full = true;
                self.an
                    .unknown_region(self.span, "too much code to look at");
            }
            return Value::Unknown(None);
        }
        self.an.script_depth += 1;
        let value = self.one(script, id);
        self.an.script_depth -= 1;
        value
    }

    fn one(&mut self, script: &Rc<Script>, id: Id) -> Value {
        match script.node(id) {
            Node::Nothing => Value::Nothing,
            Node::Unread(code) => {
                self.unread(code);
                Value::Unknown(None)
            }
            Node::Text(text) => Value::text(text.as_str()),
            Node::Number(number) => Value::Number(*number),
            Node::Bool(value) => Value::Bool(*value),
            Node::Name(name) => self.named(name),
            Node::Member(of, name) => {
                let of = self.eval(script, *of);
                self.member(&of, name)
            }
            Node::Index(of, index) => {
                let of = self.eval(script, *of);
                let index = self.eval(script, *index);
                self.index(&of, &index)
            }
            Node::Join(parts) => {
                let parts: Vec<Value> = parts.iter().map(|part| self.eval(script, *part)).collect();
                self.join(&parts)
            }
            Node::Operator(mark, left, right) => {
                let left = self.eval(script, *left);
                let right = self.eval(script, *right);
                self.operator(mark, &left, &right)
            }
            Node::List(all) => Value::list(self.elements(script, all)),
            Node::Map(pairs) => {
                let mut out = Vec::with_capacity(pairs.len());
                for (key, value) in pairs.iter().take(MAX_ELEMENTS) {
                    let key = match script.node(*key) {
                        Node::Name(name) if !name.starts_with('$') => name.clone(),
                        _ => self.eval(script, *key).str().text,
                    };
                    let value = self.eval(script, *value);
                    match (key.as_str(), &value) {
                        ("", Value::Map(more)) => out.extend(more.iter().cloned()),
                        _ => out.push((key, value)),
                    }
                }
                Value::map(out)
            }
            Node::Spread(of) => self.eval(script, *of),
            Node::Call {
                callee,
                args,
                named,
            } => self.call_node(script, *callee, args, named),
            Node::Shell(text) => {
                let text = self.eval(script, *text);
                self.shell_text(&text)
            }
            Node::Assign {
                target,
                value,
                append,
            } => {
                let value = self.eval(script, *value);
                self.assign(script, *target, value.clone(), *append);
                value
            }
            Node::Function {
                name,
                parameters,
                body,
            } => {
                let function = Value::Function(Rc::new(Closure {
                    script: script.clone(),
                    parameters: parameters.clone(),
                    body: *body,
                    own: None,
                    named: name.is_some(),
                }));
                if let Some(name) = name {
                    self.set(name, function.clone());
                }
                function
            }
            Node::Class { name, body } => {
                self.scopes.push(Vec::new());
                self.eval(script, *body);
                let members = self.scopes.pop().unwrap_or_default();
                let class = Value::class(members);
                self.set(name, class.clone());
                class
            }
            Node::If {
                condition,
                then,
                otherwise,
            } => {
                let condition = self.eval(script, *condition).truth();
                let mut out = Vec::new();
                if condition != Some(false) {
                    out.push(self.maybe(condition.is_none(), |this| this.eval(script, *then)));
                }
                if let (Some(otherwise), false) = (otherwise, condition == Some(true)) {
                    out.push(self.maybe(condition.is_none(), |this| this.eval(script, *otherwise)));
                }
                Value::one_of(out)
            }
            Node::Either(all) => {
                let mut out = Vec::with_capacity(all.len());
                for (at, one) in all.iter().enumerate() {
                    out.push(self.maybe(at > 0, |this| this.eval(script, *one)));
                }
                out.retain(|value| !matches!(value, Value::Nothing));
                Value::one_of(out)
            }
            Node::Each { target, over, body } => {
                let over = self.eval(script, *over);
                self.each(script, *target, &over, *body)
            }
            Node::Repeat(body) => {
                let endless = matches!(script.node(*body), Node::Block(all)
                if all.first().is_some_and(|first| {
                    matches!(script.node(*first), Node::Name(name) if name == "[endless]")
                }));
                self.loops += 1;
                self.endless += u32::from(endless);
                self.maybe(true, |this| {
                    this.eval(script, *body);
                });
                self.endless -= u32::from(endless);
                self.loops -= 1;
                Value::Nothing
            }
            Node::Block(all) => {
                let mut last = Value::Nothing;
                for one in all {
                    last = self.eval(script, *one);
                }
                last
            }
            Node::Return(value) => {
                let value = self.eval(script, *value);
                if let Some(returns) = self.returns.last_mut() {
                    returns.push(value.clone());
                }
                value
            }
            Node::Import {
                module,
                member,
                name,
            } => {
                self.import(module, member.as_deref(), name.as_deref());
                Value::Nothing
            }
        }
    }

    /// Something that may not happen.
    pub(super) fn maybe<T>(&mut self, unsure: bool, work: impl FnOnce(&mut Self) -> T) -> T {
        self.branches += u32::from(unsure);
        let result = work(self);
        self.branches -= u32::from(unsure);
        result
    }

    /// A part that the grammar does not know. An interpreter would not run the code either, mostly.
    fn unread(&mut self, code: &str) {
        if calls::looks_risky(self.language, code) {
            self.an.unknown = true;
            let language = self.language.name();
            self.an.emit_code(CodeSource::Unknown, language, self.span);
        }
    }

    fn elements(&mut self, script: &Rc<Script>, all: &[Id]) -> Vec<Value> {
        let mut out = Vec::with_capacity(all.len());
        for id in all.iter().take(MAX_ELEMENTS) {
            let value = self.eval(script, *id);
            match (script.node(*id), &value) {
                (Node::Spread(_), Value::List(inner)) => {
                    out.extend(inner.iter().take(MAX_ELEMENTS).cloned());
                }
                _ => out.push(value),
            }
        }
        out
    }

    fn each(&mut self, script: &Rc<Script>, target: Id, over: &Value, body: Id) -> Value {
        let (elements, certain) = self.turns(over);
        self.loops += 1;
        let mut out = Vec::new();
        for element in elements {
            // Inside, the name is this element and no other.
            let outer = std::mem::take(&mut self.branches);
            self.assign(script, target, element, false);
            self.branches = outer;
            out.push(self.maybe(!certain, |this| this.eval(script, body)));
        }
        self.loops -= 1;
        if certain {
            Value::list(out)
        } else {
            let taint = worse(
                over.taint(),
                out.iter()
                    .fold(None, |taint, value| worse(taint, value.taint())),
            );
            match out.into_iter().next() {
                Some(one @ (Value::Text(_) | Value::Object(_))) => one,
                _ => Value::Unknown(taint),
            }
        }
    }

    /// What a loop goes over, and whether that is all of it.
    pub(super) fn turns(&self, over: &Value) -> (Vec<Value>, bool) {
        match over {
            Value::List(all) if all.len() <= MAX_TURNS => (all.to_vec(), true),
            Value::Text(text) if text.known && !text.glob && text.text.len() <= MAX_TURNS => {
                (text.text.chars().map(Value::text).collect(), true)
            }
            Value::Text(text) if text.glob => (vec![over.clone()], false),
            Value::Map(pairs) if pairs.len() <= MAX_TURNS => (
                pairs
                    .iter()
                    .map(|(key, _)| Value::text(key.as_str()))
                    .collect(),
                true,
            ),
            Value::OneOf(all) => (
                all.iter().flat_map(|one| self.turns(one).0).collect(),
                false,
            ),
            Value::Object(object) if object.class.ends_with("Path") => (vec![over.clone()], false),
            other => (vec![Value::Unknown(other.taint())], false),
        }
    }

    // ---- names ----

    pub(super) fn lookup(&self, name: &str) -> Option<&Value> {
        self.scopes.iter().rev().find_map(|scope| {
            scope
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value)
        })
    }

    fn named(&mut self, name: &str) -> Value {
        if let Some(value) = self.lookup(name).cloned() {
            // Ruby calls a method by its name alone.
            if let (Value::Function(function), Language::Ruby) = (&value, self.language)
                && function.named
            {
                return self.call_function(function, Args::default());
            }
            return value;
        }
        if let Some(value) = self.predefined(name) {
            return value;
        }
        let value = Value::name(&self.full_name(name));
        // Ruby and Perl call by the name alone.
        if matches!(self.language, Language::Ruby | Language::Perl)
            && !name.starts_with(['$', '@', '%'])
            && let Value::Name(full) = &value
            && self.does(full).is_some()
        {
            return self.call(&value, Args::default());
        }
        value
    }

    /// The name with the module whose members are known by their own names.
    fn full_name(&self, name: &str) -> String {
        if calls::find(self.language, name).is_none() {
            for module in &self.stars {
                let full = format!("{module}.{name}");
                if calls::find(self.language, &full).is_some() {
                    return full;
                }
            }
        }
        name.to_owned()
    }

    /// Gives a name a value. Where that may not happen, the old value stays possible.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        let own = self.language == Language::Python;
        let unsure = self.branches > 0;
        let last = self.scopes.len().saturating_sub(1);
        // What belongs to a thing outlives the method that sets it.
        let kept = name.starts_with("self.")
            || name.starts_with("this.")
            || name.starts_with("$this.")
            || name.starts_with('@') && self.language == Language::Ruby;
        if kept
            && let Some(scope) = self.scopes.first_mut()
            && scope.len() < 512
        {
            scope.retain(|(known, _)| known != name);
            scope.push((name.to_owned(), value));
            return;
        }
        for (at, scope) in self.scopes.iter_mut().enumerate().rev() {
            if own && at != last {
                continue;
            }
            if let Some((_, slot)) = scope.iter_mut().find(|(known, _)| known == name) {
                *slot = if unsure {
                    Value::one_of(vec![slot.clone(), value])
                } else {
                    value
                };
                return;
            }
        }
        if let Some(scope) = self.scopes.last_mut()
            && scope.len() < 512
        {
            scope.push((name.to_owned(), value));
        }
    }

    fn assign(&mut self, script: &Rc<Script>, target: Id, value: Value, append: bool) {
        match script.node(target) {
            Node::Name(name) => {
                // A scalar takes the one value in parentheses.
                let value = match &value {
                    Value::List(all)
                        if self.language == Language::Perl
                            && name.starts_with('$')
                            && all.len() == 1 =>
                    {
                        all.first().cloned().unwrap_or_default()
                    }
                    _ => value,
                };
                let value = if append {
                    let before = self.lookup(name).cloned().unwrap_or_default();
                    match before {
                        Value::Nothing => value,
                        before => self.join(&[before, value]),
                    }
                } else {
                    value
                };
                self.set(name, value);
            }
            Node::List(targets) => {
                for (at, target) in targets.iter().enumerate() {
                    let part = match (&value, script.node(*target)) {
                        (Value::List(all), Node::Spread(_)) => {
                            Value::list(all.get(at..).unwrap_or_default().to_vec())
                        }
                        (Value::List(all), _) => all.get(at).cloned().unwrap_or_default(),
                        (other, _) => Value::Unknown(other.taint()),
                    };
                    self.assign(script, *target, part, false);
                }
            }
            Node::Map(pairs) => {
                for (key, target) in pairs {
                    let key = match script.node(*key) {
                        Node::Name(name) | Node::Text(name) => name.clone(),
                        _ => continue,
                    };
                    let part = self.member(&value, &key);
                    self.assign(script, *target, part, false);
                }
            }
            Node::Spread(inner) => self.assign(script, *inner, value, append),
            Node::Block(all) => {
                if let [one] = all.as_slice() {
                    self.assign(script, *one, value, append);
                }
            }
            Node::Member(of, name) => {
                let place = self
                    .place(script, *of)
                    .map(|place| format!("{place}.{name}"));
                let holder = self.eval(script, *of);
                self.changed(&holder, name, &value);
                if let Some(place) = place {
                    self.set(&place, value);
                }
            }
            Node::Index(of, index) => {
                let index = self.eval(script, *index);
                let holder = self.eval(script, *of);
                self.changed(&holder, &index.str().text, &value);
                let Some(place) = self.place(script, *of) else {
                    return;
                };
                let key = index.str().text;
                let mut pairs = match self.lookup(&place) {
                    Some(Value::Map(pairs)) => pairs.to_vec(),
                    Some(Value::List(all)) => {
                        let mut all = all.to_vec();
                        if let Some(slot) = index
                            .number()
                            .and_then(|at| usize::try_from(at).ok())
                            .and_then(|at| all.get_mut(at))
                        {
                            *slot = value;
                            self.set(&place, Value::list(all));
                        }
                        return;
                    }
                    _ => Vec::new(),
                };
                pairs.retain(|(known, _)| *known != key);
                if pairs.len() < MAX_ELEMENTS {
                    pairs.push((key, value));
                }
                self.set(&place, Value::map(pairs));
            }
            _ => {}
        }
    }

    /// The dotted name of a place that is given a value: `self.path`.
    fn place(&self, script: &Script, id: Id) -> Option<String> {
        let mut parts = Vec::new();
        let mut at = id;
        for _ in 0..8 {
            match script.node(at) {
                Node::Name(name) => {
                    parts.push(name.as_str());
                    parts.reverse();
                    return Some(parts.join("."));
                }
                Node::Member(of, name) => {
                    parts.push(name);
                    at = *of;
                }
                _ => return None,
            }
        }
        None
    }

    fn import(&mut self, module: &str, member: Option<&str>, name: Option<&str>) {
        match (member, name) {
            (Some("*"), _) => self.stars.push(module.to_owned()),
            (Some(member), name) => {
                self.set(
                    name.unwrap_or(member),
                    Value::name(&format!("{module}.{member}")),
                );
            }
            (None, Some(name)) => self.set(name, Value::name(module)),
            (None, None) => {}
        }
    }

    // ---- calls ----

    /// What is known about a call of this name.
    pub(super) fn does(&self, name: &str) -> Option<&'static str> {
        calls::find(self.language, name)
    }

    fn call_node(
        &mut self,
        script: &Rc<Script>,
        callee: Id,
        args: &[Id],
        named: &[(String, Id)],
    ) -> Value {
        // What a method is called on comes first, then its arguments.
        let bound = match script.node(callee) {
            Node::Member(of, name) => {
                let place = self.place(script, callee);
                let stored = place.and_then(|place| self.lookup(&place)).cloned();
                match stored {
                    Some(stored) => Bound::Plain(stored),
                    None => {
                        let of_value = self.eval(script, *of);
                        let holder = self.place(script, *of);
                        Bound::Method(of_value, name.clone(), holder)
                    }
                }
            }
            Node::Name(name) => {
                let value = match self.lookup(name) {
                    Some(value) => value.clone(),
                    None => self
                        .predefined(name)
                        .unwrap_or_else(|| Value::name(&self.full_name(name))),
                };
                Bound::Plain(value)
            }
            _ => Bound::Plain(self.eval(script, callee)),
        };
        let given = self.elements(script, args);
        let named = named
            .iter()
            .map(|(name, value)| (name.clone(), self.eval(script, *value)))
            .collect();
        let args = Args { given, named };
        match bound {
            Bound::Plain(value) => self.call(&value, args),
            Bound::Method(of, name, holder) => self.method(&of, &name, args, holder.as_deref()),
        }
    }

    /// Calls a value.
    pub(super) fn call(&mut self, callee: &Value, args: Args) -> Value {
        match callee {
            Value::Function(function) => self.call_function(function, args),
            Value::Name(name) => {
                let name = name.clone();
                self.call_name(&name, None, args)
            }
            Value::Class(_) => {
                let thing = Value::Object(Rc::new(Object {
                    class: String::new(),
                    values: vec![callee.clone()],
                    taint: None,
                }));
                for maker in ["__init__", "constructor", "initialize", "__construct"] {
                    if let Some(Value::Function(function)) = callee.key(maker) {
                        let function = function.clone();
                        self.call_method(&function, thing.clone(), args);
                        break;
                    }
                }
                thing
            }
            Value::OneOf(all) => {
                let given = args;
                let mut out = Vec::new();
                for one in all.iter() {
                    let args = Args {
                        given: given.given.clone(),
                        named: given.named.clone(),
                    };
                    out.push(self.maybe(true, |this| this.call(one, args)));
                }
                Value::one_of(out)
            }
            // Ruby: a name that holds a value is no call.
            value if args.given.is_empty() && self.language == Language::Ruby => value.clone(),
            other => {
                let taint = other.taint();
                self.call_back(&args, &Value::Unknown(taint.clone()));
                Value::Unknown(worse(taint, taint_of(&args)))
            }
        }
    }

    /// Calls a method of a value.
    pub(super) fn method(
        &mut self,
        of: &Value,
        name: &str,
        args: Args,
        holder: Option<&str>,
    ) -> Value {
        self.grows(name);
        if matches!(name, "repeat" | "alloc" | "allocUnsafe" | "fill") {
            self.big |= args
                .given
                .iter()
                .any(|value| value.number().is_some_and(|n| n >= BIG));
        }
        match of {
            Value::Name(path) => {
                let full = format!("{path}.{name}");
                if let Some(value) = self.named_method(of, path, name, &args) {
                    return value;
                }
                self.call_name(&full, Some(of), args)
            }
            Value::Class(_) if name == "new" => self.call(of, args),
            Value::Map(_) | Value::Class(_)
                if matches!(of.key(name), Some(Value::Function(_) | Value::Name(_))) =>
            {
                let value = of.key(name).cloned().unwrap_or_default();
                self.call(&value, args)
            }
            Value::Object(object) if object.class.is_empty() => {
                let function = object.values.first().and_then(|class| class.key(name));
                if let Some(Value::Function(function)) = function {
                    let function = function.clone();
                    return self.call_method(&function, of.clone(), args);
                }
                self.call_name(&format!(".{name}"), Some(of), args)
            }
            Value::Object(object) => {
                let full = format!("{}.{name}", object.class);
                if self.does(&full).is_some() {
                    return self.call_name(&full, Some(of), args);
                }
                if let Some(value) = self.object_method(of, object, name, &args) {
                    return value;
                }
                self.call_name(&format!(".{name}"), Some(of), args)
            }
            Value::OneOf(all) => {
                let mut out = Vec::new();
                for one in all.iter() {
                    let args = Args {
                        given: args.given.clone(),
                        named: args.named.clone(),
                    };
                    out.push(self.maybe(true, |this| this.method(one, name, args, None)));
                }
                Value::one_of(out)
            }
            Value::Function(function) if matches!(name, "call" | "apply" | "bind" | "[]") => {
                let function = function.clone();
                let mut args = args;
                if self.language == Language::JavaScript && !args.given.is_empty() {
                    args.given.remove(0);
                }
                if name == "apply"
                    && let Some(Value::List(all)) = args.given.first().cloned()
                {
                    args.given = all.to_vec();
                }
                self.call_function(&function, args)
            }
            _ => {
                if let Some(value) = self.value_method(of, name, &args, holder) {
                    return value;
                }
                self.call_name(&format!(".{name}"), Some(of), args)
            }
        }
    }

    /// Something is put to what is kept, in a loop that nothing ends.
    pub(super) fn grows(&mut self, name: &str) {
        const KEEPS: &[&str] = &[
            "<<", "add", "append", "concat", "extend", "insert", "push", "unshift",
        ];
        if self.endless > 0 && self.big && KEEPS.contains(&name) {
            self.an.exhausts("memory", self.span);
        }
    }

    /// Calls something of the language or a library.
    pub(super) fn call_name(&mut self, name: &str, of: Option<&Value>, args: Args) -> Value {
        let name = self.canonical(name);
        if matches!(&*name, "bytearray" | "Buffer.alloc" | "Array") {
            self.big |= args
                .given
                .iter()
                .any(|value| value.number().is_some_and(|n| n >= BIG));
        }
        if &*name == "push" {
            self.grows("push");
        }
        // Ruby's `loop { … }`
        let endless = self.language == Language::Ruby && &*name == "loop";
        if endless {
            self.endless += 1;
            self.loops += 1;
            let result = Value::Unknown(None);
            self.call_back(&args, &result);
            self.endless -= 1;
            self.loops -= 1;
            return result;
        }
        if let Some(does) = self.does(&name) {
            return self.act(does, of, args);
        }
        if let Some(value) = self.special(&name, of, &args) {
            return value;
        }
        // A method of something that has a name, but not one that is known.
        if let Some((_, last)) = name.rsplit_once('.')
            && !name.starts_with('.')
            && let Some(does) = self.does(&format!(".{last}"))
        {
            return self.act(does, of, args);
        }
        if let Some(value) = self.mapper(&name, of, &args) {
            return value;
        }
        let taint = worse(of.and_then(Value::taint), taint_of(&args));
        let result = Value::Unknown(taint);
        self.call_back(&args, &result);
        result
    }

    /// Functions among arguments are called by whoever gets them.
    pub(super) fn call_back(&mut self, args: &Args, with: &Value) {
        let functions: Vec<Rc<Closure>> = args
            .all()
            .flat_map(|value| match value {
                Value::Function(function) => vec![function.clone()],
                Value::List(all) => all
                    .iter()
                    .filter_map(|value| match value {
                        Value::Function(function) => Some(function.clone()),
                        _ => None,
                    })
                    .collect(),
                Value::Map(all) => all
                    .iter()
                    .filter_map(|(_, value)| match value {
                        Value::Function(function) => Some(function.clone()),
                        _ => None,
                    })
                    .collect(),
                _ => Vec::new(),
            })
            .take(16)
            .collect();
        for function in functions {
            let given = function.parameters.iter().map(|_| with.clone()).collect();
            self.maybe(true, |this| this.call_function(&function, Args::of(given)));
        }
    }

    fn call_method(&mut self, function: &Rc<Closure>, own: Value, mut args: Args) -> Value {
        if self.language == Language::Python {
            args.given.insert(0, own);
            return self.call_function(function, args);
        }
        let function = Rc::new(Closure {
            script: function.script.clone(),
            parameters: function.parameters.clone(),
            body: function.body,
            own: Some(own),
            named: function.named,
        });
        self.call_function(&function, args)
    }

    pub(super) fn call_function(&mut self, function: &Rc<Closure>, args: Args) -> Value {
        if self.calls >= MAX_CALLS {
            return Value::Unknown(taint_of(&args));
        }
        let mut scope: Scope = Vec::with_capacity(function.parameters.len());
        for (at, parameter) in function.parameters.iter().enumerate() {
            let value = if parameter.rest {
                Value::list(args.given.get(at..).unwrap_or_default().to_vec())
            } else if let Some((_, value)) =
                args.named.iter().find(|(name, _)| *name == parameter.name)
            {
                value.clone()
            } else if let Some(value) = args.given.get(at) {
                value.clone()
            } else if let Some(default) = parameter.default {
                self.eval(&function.script, default)
            } else {
                Value::Unknown(None)
            };
            scope.push((parameter.name.clone(), value));
        }
        // Perl's arguments.
        scope.push(("@_".to_owned(), Value::list(args.given)));
        if let Some(own) = &function.own {
            for name in ["this", "self", "$this"] {
                scope.push((name.to_owned(), own.clone()));
            }
        }
        self.calls += 1;
        self.scopes.push(scope);
        self.returns.push(Vec::new());
        let branches = std::mem::take(&mut self.branches);
        let last = self.eval(&function.script, function.body);
        self.branches = branches;
        let mut returns = self.returns.pop().unwrap_or_default();
        self.scopes.pop();
        self.calls -= 1;
        if returns.is_empty() {
            // The last value is the result.
            if matches!(self.language, Language::Ruby | Language::Perl) {
                returns.push(last);
            }
        }
        Value::one_of(returns)
    }

    // ---- what the analysis is asked for ----

    /// Values as texts of the analysis, each alternative by itself.
    pub(super) fn texts(&self, value: &Value) -> Vec<Text> {
        value.strs().iter().map(|text| self.plain(text)).collect()
    }

    /// A text of the analysis.
    pub(super) fn plain(&self, text: &Str) -> Text {
        Text {
            text: text.text.clone(),
            known: text.known,
            glob: text.glob,
            taint: text.taint.clone(),
            ..Text::known(String::new(), self.span)
        }
    }

    pub(super) fn emit(&mut self, kind: EffectKind, certain: bool) {
        let certainty = if certain {
            cmdai_schema::Certainty::Proven
        } else {
            cmdai_schema::Certainty::Likely
        };
        self.an.emit(kind, self.span, certainty);
    }

    /// Something is printed.
    pub(super) fn print(&mut self, value: &Value, end: &str) {
        let text = value.str();
        let stream = if text.known && self.branches == 0 {
            Stream::Known(text.text + end)
        } else {
            Stream::Tainted(text.taint.unwrap_or(Taint::Unknown))
        };
        self.printed = std::mem::take(&mut self.printed).then(stream);
    }
}

enum Bound {
    Plain(Value),
    Method(Value, String, Option<String>),
}

pub(super) fn taint_of(args: &Args) -> Option<Taint> {
    args.all()
        .fold(None, |taint, value| worse(taint, value.taint()))
}
