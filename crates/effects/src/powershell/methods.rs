//! Members and methods of .NET objects: files, the network, processes, decoders.

use cmdai_schema::{Certainty, CodeSource, EffectKind, Span};
use cmdai_shell::{Expr, Tree};

use super::{joined, operators, taint_of};
use crate::{
    analyser::Analyser,
    value::{MAX_TEXT, Stream, Taint, Text},
};

impl Analyser<'_> {
    /// `$x.Name`, `[TYPE]::Name`
    pub(crate) fn ps_member(
        &mut self,
        tree: &Tree<'_>,
        target: &Expr<'_>,
        name: &Expr<'_>,
        span: Span,
    ) -> Vec<Text> {
        let all = self.ps_eval(tree, target);
        let name = joined(&self.ps_eval(tree, name), "", span);
        if let Expr::Type(kind) = target {
            return vec![Text::known(format!("[{kind}]::{}", name.text), span)];
        }
        let lower = name.text.to_ascii_lowercase();
        if lower == "scriptblock" || lower == "definition" {
            return all;
        }
        if matches!(lower.as_str(), "length" | "count") {
            return match all.as_slice() {
                [one] if one.known => {
                    vec![Text::known(one.text.chars().count().to_string(), span)]
                }
                [_] => vec![Text::unknown("", span, None)],
                several => vec![Text::known(several.len().to_string(), span)],
            };
        }
        // The key of a table.
        if all.len() > 1 && all.first().is_some_and(|text| text.text.starts_with('-')) {
            return operators::index(&all, &[name], span);
        }
        if matches!(lower.as_str(), "parent" | "directory" | "directoryname") {
            return all
                .iter()
                .map(|text| Text {
                    text: crate::paths::dir_name(&text.text.replace('\\', "/")).to_owned(),
                    ..text.clone()
                })
                .collect();
        }
        if lower == "historysavepath" {
            let path = format!(
                "{}/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt",
                self.home()
            );
            return vec![Text::known(path, span)];
        }
        // Most properties of what stands for a path or an answer are that again.
        all
    }

    /// `$x.Name(…)`, `[TYPE]::Name(…)`
    pub(crate) fn ps_invoke(
        &mut self,
        tree: &Tree<'_>,
        target: &Expr<'_>,
        name: &Expr<'_>,
        args: &[Expr<'_>],
        span: Span,
    ) -> Vec<Text> {
        let object = self.ps_eval(tree, target);
        let name = joined(&self.ps_eval(tree, name), "", span);
        let method = name.text.to_ascii_lowercase();
        let given: Vec<Vec<Text>> = args.iter().map(|arg| self.ps_eval(tree, arg)).collect();
        let flat: Vec<Text> = given.iter().flatten().cloned().collect();
        if flat.iter().any(|text| {
            let lower = text.text.to_ascii_lowercase();
            lower.contains("amsiutils") || lower.contains("amsiinitfailed")
        }) {
            self.ps_disable("amsi", span);
        }
        if let Expr::Type(kind) = target {
            let kind = kind.to_ascii_lowercase();
            let kind = kind.strip_prefix("system.").unwrap_or(&kind).to_owned();
            if kind == "array" && method == "reverse" {
                if let Some(name) = args.first().and_then(super::variable_of) {
                    let mut all = given.first().cloned().unwrap_or_default();
                    all.reverse();
                    self.ps_set(name, &all);
                }
                return Vec::new();
            }
            return self.ps_static(&kind, &method, &given, &flat, span);
        }
        self.ps_method(&object, &method, &given, &flat, span)
    }

    fn ps_disable(&mut self, what: &str, span: Span) {
        self.emit(
            EffectKind::DisableSecurity {
                what: what.to_owned(),
            },
            span,
            Certainty::Proven,
        );
    }

    fn ps_static(
        &mut self,
        kind: &str,
        method: &str,
        given: &[Vec<Text>],
        flat: &[Text],
        span: Span,
    ) -> Vec<Text> {
        let first = flat
            .first()
            .map(slashed)
            .unwrap_or_else(|| Text::known("", span));
        let second = flat.get(1).cloned();
        let yes = |at: usize| {
            flat.get(at)
                .is_some_and(|text| text.text.eq_ignore_ascii_case("true"))
        };
        match (kind, method) {
            ("io.file" | "io.directory", "delete") => {
                self.delete_path(&first, yes(1), true, span);
                Vec::new()
            }
            (
                "io.file",
                "writealltext" | "writealllines" | "writeallbytes" | "create" | "openwrite"
                | "createtext",
            ) => {
                self.write_path(&first, false, span);
                let content = given
                    .get(1)
                    .map(|all| super::stream(all))
                    .unwrap_or_default();
                let path = self.absolute(&first.text);
                self.env.write_file(&path, content, false);
                Vec::new()
            }
            ("io.file", "appendalltext" | "appendalllines" | "appendtext") => {
                self.write_path(&first, true, span);
                let content = given
                    .get(1)
                    .map(|all| super::stream(all))
                    .unwrap_or_default();
                let path = self.absolute(&first.text);
                self.env.write_file(&path, content, true);
                Vec::new()
            }
            (
                "io.file",
                "readalltext" | "readalllines" | "readallbytes" | "readlines" | "openread"
                | "opentext" | "open",
            ) => {
                let content = self.read_file(&first, span);
                super::values(&content, span)
            }
            ("io.file" | "io.directory", "move") => {
                if let Some(to) = &second {
                    self.move_path(&first, &slashed(to), span);
                }
                Vec::new()
            }
            ("io.file", "copy" | "replace") => {
                self.read_path(&first, span);
                if let Some(to) = &second {
                    self.copy_to(&slashed(to), &[&first, to], span);
                }
                Vec::new()
            }
            (
                "io.directory",
                "getfiles" | "getdirectories" | "enumeratefiles" | "enumeratefilesystementries",
            ) => {
                vec![Text {
                    text: format!("{}/*", first.text.trim_end_matches('/')),
                    glob: true,
                    ..first
                }]
            }
            ("io.path", "combine" | "join") => {
                let parts: Vec<Text> = flat.iter().map(slashed).collect();
                vec![joined(&parts, "/", span)]
            }
            ("io.path", "gettemppath" | "gettempfilename") => {
                vec![Text::known("C:/Windows/Temp/tmp", span)]
            }
            ("io.path", "getrandomfilename") => vec![Text::known("random.tmp", span)],
            ("io.path", _) | ("io.file" | "io.directory", _) => vec![first],
            ("environment", "getenvironmentvariable") => {
                self.ps_variable(&format!("env:{}", first.text), span, "")
            }
            ("environment", "setenvironmentvariable") => {
                let value = second.unwrap_or_else(|| Text::known("", span));
                self.ps_set(&format!("env:{}", first.text), &[value]);
                if flat.get(2).is_some_and(|text| {
                    matches!(text.text.to_ascii_lowercase().as_str(), "user" | "machine")
                        || text.text.to_ascii_lowercase().ends_with("::machine")
                }) {
                    self.emit(
                        EffectKind::Write {
                            path: format!("HKCU:/Environment/{}", first.text),
                        },
                        span,
                        Certainty::Proven,
                    );
                }
                Vec::new()
            }
            ("environment", "getfolderpath") => {
                let home = self.home();
                let lower = first.text.to_ascii_lowercase();
                let path = if lower.contains("startup") {
                    format!("{home}/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup")
                } else if lower.contains("windows") || lower.contains("system") {
                    "C:/Windows".to_owned()
                } else if lower.contains("appdata") || lower.contains("applicationdata") {
                    format!("{home}/AppData/Roaming")
                } else if lower.contains("profile") {
                    home
                } else {
                    format!("{home}/{}", first.text)
                };
                vec![Text::known(path, span)]
            }
            ("environment", "exit") => Vec::new(),
            ("convert", "frombase64string") => match decode_base64(flat) {
                Some(text) => vec![Text::known(text, span)],
                None => operators::made(flat, span),
            },
            ("convert", "tobase64string") => operators::made(flat, span),
            ("convert", "toint32" | "toint16" | "tobyte" | "toint64" | "touint32") => {
                let radix = flat.get(1).and_then(operators::number).unwrap_or(10);
                let number = flat.first().filter(|text| text.known).and_then(|text| {
                    let radix = u32::try_from(radix)
                        .ok()
                        .filter(|radix| (2..=36).contains(radix))?;
                    i64::from_str_radix(text.text.trim().trim_start_matches("0x"), radix).ok()
                });
                match number {
                    Some(number) => vec![Text::known(number.to_string(), span)],
                    None => operators::made(flat, span),
                }
            }
            ("convert", "tochar") | ("char", "convertfromutf32") => {
                operators::cast("char", flat.to_vec(), span)
            }
            ("string", "join") => {
                let rest: Vec<Text> = flat.get(1..).unwrap_or_default().to_vec();
                let by = flat
                    .first()
                    .map(|text| text.text.clone())
                    .unwrap_or_default();
                vec![joined(&rest, &by, span)]
            }
            ("string", "concat") => vec![joined(flat, "", span)],
            ("string", "format") => vec![operators::format(
                flat.get(..1).unwrap_or_default(),
                flat.get(1..).unwrap_or_default(),
                span,
            )],
            ("string", "new") => vec![joined(flat, "", span)],
            ("regex", "unescape" | "escape") => flat.get(..1).unwrap_or_default().to_vec(),
            ("regex", "replace") => match (flat.first(), flat.get(1), flat.get(2)) {
                (Some(text), Some(from), Some(to)) => operators::binary(
                    std::slice::from_ref(text),
                    "replace",
                    &[from.clone(), to.clone()],
                    span,
                ),
                _ => operators::made(flat, span),
            },
            ("scriptblock", "create") => vec![Text {
                text: format!("{{{}}}", first_raw(flat)),
                ..flat.first().cloned().unwrap_or_default()
            }],
            ("diagnostics.process", "start") => {
                let mut words = flat.get(..1).unwrap_or_default().to_vec();
                for arg in flat.iter().skip(1) {
                    words.extend(arg.text.split_whitespace().map(|word| Text {
                        text: word.to_owned(),
                        offset: None,
                        ..arg.clone()
                    }));
                }
                let printed = self.call(&words, Vec::new(), &Stream::Empty, span);
                super::values(&printed, span)
            }
            (
                "reflection.assembly" | "appdomain",
                "load" | "loadfile" | "loadfrom" | "unsafeloadfrom",
            ) => {
                let source = match &first.taint {
                    Some(Taint::Remote(url)) => CodeSource::Remote(url.clone()),
                    Some(Taint::File(path)) => CodeSource::File(path.clone()),
                    _ if first.known && method != "load" => {
                        CodeSource::File(self.absolute(&first.text))
                    }
                    _ if first.known && first.text.is_ascii() && first.text.len() < 200 => {
                        // By its name: one of the system's own.
                        return Vec::new();
                    }
                    _ => CodeSource::Unknown,
                };
                self.emit_code(source, "dotnet", span);
                Vec::new()
            }
            ("reflection.assembly", _) => Vec::new(),
            ("activator", "createinstance") => flat.to_vec(),
            (_, "new") if kind.contains("webclient") || kind.contains("httpclient") => {
                vec![Text::known(format!("[{kind}]"), span)]
            }
            (_, "new") => self.ps_new(kind, flat, span),
            ("net.webrequest" | "net.httpwebrequest", "create") => {
                let url = first.text.clone();
                self.emit(
                    EffectKind::Download {
                        url: url.clone(),
                        to: None,
                    },
                    span,
                    Certainty::Proven,
                );
                vec![Text::unknown(url.clone(), span, Some(Taint::Remote(url)))]
            }
            (
                "math" | "datetime" | "guid" | "timespan" | "console" | "version" | "char" | "int"
                | "double" | "random" | "gc" | "bitconverter" | "threading.thread" | "net.dns"
                | "enum",
                _,
            ) => {
                vec![Text::unknown("", span, taint_of(flat))]
            }
            ("runtime.interopservices.marshal", "copy") => {
                self.emit_code(CodeSource::Unknown, "native", span);
                Vec::new()
            }
            _ => {
                let taint = taint_of(flat);
                vec![Text::unknown("", span, taint)]
            }
        }
    }

    /// An object of a type, made from arguments.
    pub(crate) fn ps_new(&mut self, kind: &str, args: &[Text], span: Span) -> Vec<Text> {
        let kind = kind.to_ascii_lowercase();
        let kind = kind.strip_prefix("system.").unwrap_or(&kind);
        if matches!(
            kind,
            "net.sockets.tcpclient" | "net.sockets.udpclient" | "net.sockets.socket"
        ) && let Some(host) = args.first()
        {
            let port = args
                .get(1)
                .map(|port| port.text.clone())
                .unwrap_or_default();
            let address = format!("tcp://{}:{port}", host.text);
            self.emit(
                EffectKind::Connect {
                    address: address.clone(),
                },
                span,
                Certainty::Proven,
            );
            return vec![Text::unknown("", span, Some(Taint::Remote(address)))];
        }
        if kind == "net.sockets.tcplistener" {
            let port = joined(args, ":", span);
            self.emit(
                EffectKind::Listen { address: port.text },
                span,
                Certainty::Proven,
            );
        }
        if let Some(taint) = taint_of(args) {
            return vec![Text::unknown("", span, Some(taint))];
        }
        if kind.starts_with("io.") && kind.ends_with("stream") || kind.contains("reader") {
            return operators::made(args, span);
        }
        if kind.ends_with("info") || kind == "uri" || kind == "string" {
            return args.get(..1).unwrap_or_default().to_vec();
        }
        vec![Text::known(format!("[{kind}]"), span)]
    }

    fn ps_method(
        &mut self,
        object: &[Text],
        method: &str,
        given: &[Vec<Text>],
        flat: &[Text],
        span: Span,
    ) -> Vec<Text> {
        let target = joined(object, " ", span);
        let first = flat.first();
        let url = || first.map(|text| text.text.clone()).unwrap_or_default();
        match method {
            "delete" | "delete_" if target.text.eq_ignore_ascii_case("win32_shadowcopy") => {
                self.emit(
                    EffectKind::ResourceDestroy {
                        resource: "shadow-copies".to_owned(),
                        name: "all".to_owned(),
                        provider: "windows".to_owned(),
                        context: None,
                    },
                    span,
                    Certainty::Proven,
                );
                Vec::new()
            }
            "downloadstring"
            | "downloaddata"
            | "downloadstringasync"
            | "downloadstringtaskasync"
            | "openread"
            | "getstringasync"
            | "getbytearrayasync"
            | "getstreamasync"
            | "getasync"
                if first.is_some() =>
            {
                let url = url();
                self.emit(
                    EffectKind::Download {
                        url: url.clone(),
                        to: None,
                    },
                    span,
                    Certainty::Proven,
                );
                vec![Text::unknown(url.clone(), span, Some(Taint::Remote(url)))]
            }
            "downloadfile" | "downloadfileasync" | "downloadfiletaskasync" => {
                let url = url();
                let to = flat.get(1).map(slashed);
                if let Some(to) = &to {
                    self.write_path(to, false, span);
                    let path = self.absolute(&to.text);
                    self.env
                        .write_file(&path, Stream::Tainted(Taint::Remote(url.clone())), false);
                }
                let to = to.map(|to| self.absolute(&to.text));
                self.emit(EffectKind::Download { url, to }, span, Certainty::Proven);
                Vec::new()
            }
            "uploadfile" | "uploadstring" | "uploaddata" | "uploadvalues" | "uploadfileasync"
            | "postasync" | "putasync" => {
                let data = given.last().cloned().unwrap_or_default();
                let source = if method.starts_with("uploadfile") {
                    let file = joined(&data, " ", span);
                    self.read_path(&slashed(&file), span);
                    self.absolute(&slashed(&file).text)
                } else {
                    match taint_of(&data) {
                        Some(Taint::Secret(path) | Taint::File(path)) => path,
                        _ => "-".to_owned(),
                    }
                };
                self.emit(
                    EffectKind::Upload {
                        source,
                        destination: url(),
                    },
                    span,
                    Certainty::Proven,
                );
                vec![Text::unknown("", span, None)]
            }
            "delete" if target.known || target.taint.is_none() => {
                let recursive = first.is_some_and(|text| text.text.eq_ignore_ascii_case("true"));
                for one in object {
                    self.delete_path(&slashed(one), recursive, true, span);
                }
                Vec::new()
            }
            "moveto" | "copyto" => {
                if let Some(to) = first {
                    if method == "moveto" {
                        self.move_path(&slashed(&target), &slashed(to), span);
                    } else {
                        self.copy_to(&slashed(to), &[&slashed(&target), to], span);
                    }
                }
                Vec::new()
            }
            "getstring" => {
                let kind = target.text.to_ascii_lowercase();
                let bytes = joined(flat, "", span);
                if !bytes.known {
                    return operators::made(flat, span);
                }
                match decode_text(&bytes.text, &kind) {
                    Some(text) => vec![Text::known(text, span)],
                    None => operators::made(flat, span),
                }
            }
            "getbytes" => flat.to_vec(),
            "invoke" | "invokereturnasis" | "invokewithcontext" | "begininvoke"
                if target.text.starts_with('{') =>
            {
                let printed = self.ps_run(&target, flat.to_vec(), &Stream::Empty);
                super::values(&printed, span)
            }
            "invokescript" | "invokecommand" | "addscript" | "newscriptblock" => {
                let code = joined(flat, " ", span);
                let dialect = self.dialect;
                let printed = self.shell_code(&code, dialect, &Stream::Empty, false);
                super::values(&printed, span)
            }
            "create" | "run" | "exec" | "shellexecute" if !flat.is_empty() => {
                // Win32_Process, WScript.Shell, Shell.Application
                let code = joined(flat, " ", span);
                self.cmd_code(&code, &Stream::Empty);
                vec![Text::unknown("", span, None)]
            }
            "kill" | "terminate" => {
                self.emit(
                    EffectKind::ProcessKill {
                        target: target.text,
                        all: false,
                    },
                    span,
                    Certainty::Proven,
                );
                Vec::new()
            }
            "write" | "send" | "writeasync" | "sendasync" if matches!(&target.taint, Some(Taint::Remote(address)) if address.starts_with("tcp:")) => {
                Vec::new()
            }
            "replace" => match (flat.first(), flat.get(1)) {
                (Some(from), Some(to)) if from.known && to.known => object
                    .iter()
                    .map(|text| Text {
                        text: if text.text.len().saturating_mul(to.text.len().max(1)) > MAX_TEXT {
                            String::new()
                        } else {
                            text.text.replace(&from.text, &to.text)
                        },
                        ..text.clone()
                    })
                    .collect(),
                _ => operators::made(object, span),
            },
            "substring" | "remove" if target.known => {
                let number = |at: usize| {
                    flat.get(at)
                        .and_then(operators::number)
                        .and_then(|number| usize::try_from(number).ok())
                };
                let all: Vec<char> = target.text.chars().collect();
                let from = number(0).unwrap_or(0).min(all.len());
                let to =
                    number(1).map_or(all.len(), |count| from.saturating_add(count).min(all.len()));
                let inside: String = all.get(from..to).unwrap_or_default().iter().collect();
                if method == "substring" {
                    return vec![Text::known(inside, span)];
                }
                let head = all.get(..from).unwrap_or_default().iter();
                let tail = all.get(to..).unwrap_or_default().iter();
                vec![Text::known(head.chain(tail).collect::<String>(), span)]
            }
            "insert" if target.known => {
                let at = flat
                    .first()
                    .and_then(operators::number)
                    .and_then(|number| usize::try_from(number).ok())
                    .unwrap_or(0);
                let (head, tail) = target
                    .text
                    .split_at_checked(at)
                    .unwrap_or((&target.text, ""));
                let text = flat
                    .get(1)
                    .map(|text| text.text.clone())
                    .unwrap_or_default();
                vec![Text::known(format!("{head}{text}{tail}"), span)]
            }
            "tochararray" => operators::cast("char[]", object.to_vec(), span),
            "tolower" | "tolowerinvariant" | "toupper" | "toupperinvariant" => object
                .iter()
                .map(|text| Text {
                    text: if method.starts_with("tolower") {
                        text.text.to_lowercase()
                    } else {
                        text.text.to_uppercase()
                    },
                    ..text.clone()
                })
                .collect(),
            "trim" | "trimend" | "trimstart" if flat.is_empty() => object
                .iter()
                .map(|text| Text {
                    text: text.text.trim().to_owned(),
                    ..text.clone()
                })
                .collect(),
            "split" if target.known => {
                let by = first.map(|text| text.text.clone()).unwrap_or_default();
                target
                    .text
                    .split(|next| by.contains(next))
                    .take(super::MAX_VALUES)
                    .map(|piece| Text::known(piece, span))
                    .collect()
            }
            "tostring" | "gettype" | "getresponse" | "getresponsestream" | "readtoend"
            | "getawaiter" | "getresult" | "getenumerator" | "toarray" | "where" | "first"
            | "clone" | "getstream" | "read" | "readline" | "getfiles" | "getdirectories"
            | "normalize" | "trimend" | "trimstart" | "trim" => object.to_vec(),
            _ => {
                let mut all = object.to_vec();
                all.extend(flat.iter().cloned());
                vec![Text::unknown("", span, taint_of(&all))]
            }
        }
    }
}

fn first_raw(flat: &[Text]) -> &str {
    flat.first().map_or("", |text| text.text.as_str())
}

/// A path with slashes.
pub(crate) fn slashed(text: &Text) -> Text {
    Text {
        text: text.text.replace('\\', "/"),
        empty: text.empty.as_ref().map(|empty| empty.replace('\\', "/")),
        ..text.clone()
    }
}

/// Bytes of a base64 text, each as a character.
pub(crate) fn decode_base64(texts: &[Text]) -> Option<String> {
    let [text] = texts else { return None };
    if !text.known {
        return None;
    }
    bytes_of_base64(&text.text).map(|bytes| bytes.into_iter().map(char::from).collect())
}

/// Bytes of a base64 text.
pub(crate) fn bytes_of_base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0u32, 0u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' | b' ' | b'\n' | b'\r' | b'\t' => continue,
            _ => return None,
        };
        held = (held << 6 | u32::from(value)) & 0x00ff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits & 0xff).unwrap_or(0));
        }
    }
    Some(out)
}

/// Bytes, each as a character, as the text that an encoding makes of them.
fn decode_text(bytes: &str, encoding: &str) -> Option<String> {
    let bytes: Vec<u8> = bytes
        .chars()
        .map(|next| u8::try_from(u32::from(next)).ok())
        .collect::<Option<_>>()?;
    if encoding.contains("unicode") && !encoding.contains("bigendian") {
        return Some(decode_utf16(&bytes));
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// UTF-16, little end first.
pub(crate) fn decode_utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    });
    char::decode_utf16(units)
        .map(|next| next.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}
