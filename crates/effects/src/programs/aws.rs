//! The command line of Amazon's cloud.

use cmdai_schema::{Certainty, CodeSource, Dialect, EffectKind};

use super::cloud::{ACCESS, AVAILABILITY, Act, CHANGE, act_of, resource_effect, verb_of};
use crate::{
    analyser::Analyser,
    call::Call,
    options::Parsed,
    value::{Stream, Taint, Text},
};

/// Everybody, as networks are written.
const EVERYBODY: &[&str] = &["0.0.0.0/0", "::/0"];

impl Analyser<'_> {
    pub(crate) fn aws(&mut self, call: &Call<'_>, parsed: &Parsed<'_>) -> Stream {
        let service = parsed.sub().to_owned();
        let action = parsed
            .nth(2)
            .map_or("", |text| text.text.as_str())
            .to_owned();
        // Only these can try something out; for the others the option is an error.
        let trial =
            parsed.has("dry") && matches!(service.as_str(), "s3" | "ec2" | "iam" | "organizations");
        if trial || parsed.rest().last().is_some_and(|word| word.text == "help") {
            return Stream::UNKNOWN;
        }
        if service == "s3" && matches!(action.as_str(), "cp" | "sync" | "mv") {
            return self.aws_transfer(call, parsed, &action);
        }
        self.aws_queries(parsed);
        self.aws_code(call, parsed, &service, &action);
        self.aws_exposure(call, parsed, &service, &action);
        if parsed.settled {
            return Stream::UNKNOWN;
        }
        let destroys = verb_of(
            &action,
            &["deregister", "remove", "release", "leave", "close"],
        ) || action.contains("delete-")
            || action.starts_with("delete");
        let act = if destroys {
            Act::Destroy
        } else if verb_of(&action, AVAILABILITY) {
            Act::Availability
        } else if verb_of(&action, ACCESS) {
            Act::Access
        } else if verb_of(&action, CHANGE) {
            Act::Change
        } else {
            match act_of(&action) {
                Some(Act::Read) | None => return Stream::UNKNOWN,
                Some(act) => act,
            }
        };
        let noun = action.split_once('-').map_or("", |(_, noun)| noun);
        let noun = noun.strip_prefix("delete-").unwrap_or(noun);
        let resource = if noun.is_empty() {
            service.clone()
        } else {
            format!("{service}-{noun}")
        };
        let mut names: Vec<String> = parsed
            .values("id")
            .take(16)
            .map(|text| text.text.clone())
            .collect();
        // `--instance-ids i-1 i-2`
        names.extend(parsed.rest().skip(2).take(16).map(|text| text.text.clone()));
        if names.is_empty() {
            names.extend(parsed.value("bucket").map(|text| text.text.clone()));
        }
        if names.is_empty() {
            names.push(String::new());
        }
        for name in names {
            let kind = resource_effect(act, &resource, name, "aws", parsed.context());
            self.emit(kind, call.span, Certainty::Proven);
        }
        Stream::UNKNOWN
    }

    /// `s3 cp|sync|mv FROM TO`
    fn aws_transfer(&mut self, call: &Call<'_>, parsed: &Parsed<'_>, action: &str) -> Stream {
        let (Some(from), Some(to)) = (parsed.nth(3), parsed.nth(4)) else {
            return Stream::UNKNOWN;
        };
        let (up, down) = (to.text.starts_with("s3://"), from.text.starts_with("s3://"));
        let resource = |name: &Text| EffectKind::ResourceDestroy {
            resource: "s3-object".to_owned(),
            name: name.text.clone(),
            provider: "aws".to_owned(),
            context: parsed.context(),
        };
        let mut printed = Stream::UNKNOWN;
        if !down {
            let source = if from.text == "-" {
                match call.stdin {
                    Stream::Tainted(Taint::File(path) | Taint::Secret(path)) => path.clone(),
                    _ => "-".to_owned(),
                }
            } else {
                self.read_path(from, from.span);
                self.absolute(&from.text)
            };
            let destination = to.text.clone();
            self.emit(
                EffectKind::Upload {
                    source,
                    destination,
                },
                call.span,
                Certainty::Proven,
            );
            if action == "mv" {
                let recursive = parsed.has("recursive");
                self.delete_path(from, recursive, false, call.span);
            }
        } else if !up {
            let url = from.text.clone();
            let place = (to.text != "-").then(|| self.absolute(&to.text));
            self.emit(
                EffectKind::Download { url, to: place },
                call.span,
                Certainty::Proven,
            );
            if to.text == "-" {
                printed = Stream::Tainted(Taint::Remote(from.text.clone()));
            } else {
                self.write_path(to, true, call.span);
                if parsed.has("delete") {
                    self.delete_path(to, true, false, call.span);
                }
            }
        }
        if down && action == "mv" && parsed.has("recursive") {
            self.emit(resource(from), call.span, Certainty::Proven);
        }
        if up && parsed.has("delete") {
            self.emit(resource(to), call.span, Certainty::Proven);
        }
        if let Some(acl) = parsed
            .value("acl")
            .filter(|acl| acl.text.starts_with("public"))
        {
            let kind = EffectKind::ResourceChange {
                resource: "s3-public-access".to_owned(),
                name: acl.text.clone(),
                provider: "aws".to_owned(),
                context: parsed.context(),
            };
            self.emit(kind, call.span, Certainty::Proven);
        }
        printed
    }

    /// A query is code of its own.
    fn aws_queries(&mut self, parsed: &Parsed<'_>) {
        let queries: Vec<Text> = ["query-string", "sql", "statement"]
            .iter()
            .filter_map(|name| parsed.value(name).cloned())
            .collect();
        let context = parsed.context();
        if let Some(input) = parsed.value("input").cloned() {
            for key in ["\"QueryString\"", "\"Sql\"", "\"sql\"", "\"Statement\""] {
                let Some((before, rest)) = input.text.split_once(key) else {
                    continue;
                };
                let Some(start) = rest.find('"') else {
                    continue;
                };
                let from = before.len() + key.len() + start + 1;
                let query = input.after(from);
                let end = query.text.find('"').unwrap_or(query.text.len());
                let text = query.text.get(..end).unwrap_or("").to_owned();
                let query = Text { text, ..query };
                self.sql(&query, "sql", context.as_ref());
            }
        }
        for query in &queries {
            match query.text.split_once("://") {
                Some((scheme, _))
                    if scheme.eq_ignore_ascii_case("file")
                        || scheme.eq_ignore_ascii_case("fileb") =>
                {
                    let path = self.absolute(&query.after(scheme.len() + 3).text);
                    self.emit_code(CodeSource::File(path.clone()), "sql", query.span);
                    // What it asks cannot be seen here.
                    let kind =
                        resource_effect(Act::Change, "query-unseen", path, "aws", context.clone());
                    self.emit(kind, query.span, Certainty::Unknown);
                }
                _ => self.sql(query, "sql", context.as_ref()),
            }
        }
    }

    /// Commands for other machines: `ssm send-command`, `ecs execute-command`.
    fn aws_code(&mut self, call: &Call<'_>, parsed: &Parsed<'_>, service: &str, action: &str) {
        let code = match (service, action) {
            ("ecs", "execute-command") => parsed.value("command").cloned(),
            ("ssm", "send-command" | "start-session") => parsed
                .value("parameters")
                .and_then(|given| Some((given, given.text.find("command")?)))
                .and_then(|(given, at)| {
                    let from = at + given.text.get(at..)?.find(['=', ':'])? + 1;
                    let rest = given.after(from);
                    let inner = rest
                        .text
                        .trim()
                        .trim_matches(['[', ']', '{', '}', '"', '\'', ' '])
                        .replace("\",\"", "\n")
                        .replace("\", \"", "\n");
                    Some(Text {
                        text: inner,
                        offset: None,
                        ..rest
                    })
                }),
            _ => None,
        };
        if let Some(code) = code {
            self.shell_code(&code, Dialect::Sh, &Stream::Empty, true);
        }
        let _ = call;
    }

    /// What opens something to everybody.
    fn aws_exposure(&mut self, call: &Call<'_>, parsed: &Parsed<'_>, service: &str, action: &str) {
        let said = |words: &[&str]| {
            call.args
                .iter()
                .any(|arg| words.iter().any(|word| arg.text.contains(word)))
        };
        let what = match (service, action) {
            ("ec2", "authorize-security-group-ingress")
                if said(EVERYBODY)
                    && !parsed
                        .value("port")
                        .is_some_and(|port| matches!(port.text.as_str(), "80" | "443")) =>
            {
                "aws firewall"
            }
            ("s3api" | "s3control", "put-public-access-block")
                if said(&["=false", ": false", ":false"]) =>
            {
                "aws public-access-block"
            }
            ("s3api", "put-bucket-policy")
                if said(&["\"Principal\":\"*\"", "\"Principal\": \"*\""]) =>
            {
                "aws public-access-block"
            }
            ("s3api", "put-bucket-acl" | "put-object-acl")
                if said(&["public-read", "AllUsers"]) =>
            {
                "aws public-access-block"
            }
            ("lambda", "add-permission")
                if parsed.value("principal").is_some_and(|who| who.text == "*") =>
            {
                "aws access-control"
            }
            ("rds", "modify-db-instance") if parsed.has("publicly-accessible") => {
                "aws public-access-block"
            }
            _ => return,
        };
        self.emit(
            EffectKind::DisableSecurity {
                what: what.to_owned(),
            },
            call.span,
            Certainty::Proven,
        );
    }
}
