//! Stores and brokers that are asked over HTTP: a table of what their addresses mean.

use cmdai_schema::{Certainty, Span};

use super::Server;
use crate::{analyser::Analyser, value::Text};

/// What a request to an address does.
struct Shape {
    provider: &'static str,
    /// Ports where it listens; any where there are none.
    ports: &'static [&'static str],
    methods: &'static [&'static str],
    /// Segments: `*` is one that gives the name, `**` any more.
    path: &'static str,
    destroys: bool,
    resource: &'static str,
}

const ELASTIC: &[&str] = &["9200", "9201", "9243", "9202"];
const ANY: &[&str] = &[];
const DELETE: &[&str] = &["DELETE"];
const POST: &[&str] = &["POST"];
const PUT: &[&str] = &["PUT", "POST", "PATCH"];
const ALL: &[&str] = &["GET", "POST", "PUT", "DELETE", "PATCH"];

const fn lost(
    provider: &'static str,
    ports: &'static [&'static str],
    methods: &'static [&'static str],
    path: &'static str,
    resource: &'static str,
) -> Shape {
    Shape {
        provider,
        ports,
        methods,
        path,
        destroys: true,
        resource,
    }
}

const fn changed(
    provider: &'static str,
    ports: &'static [&'static str],
    methods: &'static [&'static str],
    path: &'static str,
    resource: &'static str,
) -> Shape {
    Shape {
        provider,
        ports,
        methods,
        path,
        destroys: false,
        resource,
    }
}

/// The first that fits counts.
const SHAPES: &[Shape] = &[
    // Elasticsearch and OpenSearch
    lost("backup", ELASTIC, DELETE, "_snapshot/*/**", "snapshot"),
    lost(
        "elasticsearch",
        ANY,
        DELETE,
        "_data_stream/*",
        "data-stream",
    ),
    lost(
        "elasticsearch",
        ANY,
        POST,
        "*/_delete_by_query",
        "documents",
    ),
    lost(
        "elasticsearch",
        ANY,
        POST,
        "_all/_delete_by_query",
        "documents",
    ),
    changed("elasticsearch", ANY, POST, "*/_close", "server"),
    changed("elasticsearch", ANY, PUT, "_cluster/settings", "server"),
    changed("elasticsearch", ANY, POST, "_cluster/reroute", "server"),
    changed("elasticsearch", ANY, POST, "_cluster/nodes/**", "server"),
    lost("elasticsearch", ELASTIC, DELETE, "_security/*/*", "user"),
    lost("elasticsearch", ELASTIC, DELETE, "_ilm/policy/*", "policy"),
    changed(
        "elasticsearch",
        ELASTIC,
        PUT,
        "*/_update_by_query",
        "documents",
    ),
    changed("elasticsearch", ELASTIC, PUT, "*/_settings", "setting"),
    lost("elasticsearch", ELASTIC, DELETE, "*/_doc/*", "document"),
    lost("elasticsearch", ELASTIC, DELETE, "*", "search-index"),
    // Meilisearch, Typesense, Qdrant, Weaviate, Algolia
    lost(
        "meilisearch",
        ANY,
        POST,
        "indexes/*/documents/delete-batch",
        "documents",
    ),
    lost(
        "meilisearch",
        ANY,
        POST,
        "indexes/*/documents/delete",
        "documents",
    ),
    lost("algolia", ANY, POST, "1/indexes/*/clear", "documents"),
    lost(
        "qdrant",
        ANY,
        POST,
        "collections/*/points/delete",
        "documents",
    ),
    // Brokers
    lost("rabbitmq", ANY, DELETE, "api/queues/**", "queue"),
    lost("rabbitmq", ANY, DELETE, "api/vhosts/*", "vhost"),
    lost("rabbitmq", ANY, DELETE, "api/exchanges/**", "exchange"),
    // Keys and series
    lost("influxdb", ANY, POST, "api/v2/delete", "rows"),
    lost("etcd", ANY, POST, "v3/kv/deleterange", "keys"),
    lost(
        "prometheus",
        ANY,
        PUT,
        "api/v1/admin/tsdb/delete_series",
        "rows",
    ),
    // Solr acts on a GET too.
    lost(
        "solr",
        ANY,
        ALL,
        "solr/admin/collections?action=DELETE",
        "collection",
    ),
    lost(
        "solr",
        ANY,
        ALL,
        "solr/admin/cores?action=UNLOAD",
        "collection",
    ),
];

impl Analyser<'_> {
    /// What a request asks a store to do; false where the address is of none that is known.
    pub(crate) fn store_request(
        &mut self,
        method: &str,
        address: &str,
        bodies: &[&Text],
        span: Span,
    ) -> bool {
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let port = place.rsplit_once(':').map_or("", |(_, port)| port);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let context = place.rsplit('@').next().unwrap_or(place).to_owned();
        let server = |provider| Server {
            provider,
            context: Some(&context),
        };
        // ClickHouse takes SQL as the body or as `query=`.
        if port == "8123" {
            for body in bodies {
                self.sql(body, "clickhouse", Some(&context));
            }
            self.sql_of_query(query, "query=", "clickhouse", &context, span);
            return true;
        }
        // InfluxDB takes `q=DROP DATABASE x`.
        if path == "query" || port == "8086" {
            for body in bodies {
                if let Some(code) = body.text.strip_prefix("q=") {
                    self.sql(
                        &Text::known(unescaped(code), body.span),
                        "influxdb",
                        Some(&context),
                    );
                }
            }
            self.sql_of_query(query, "q=", "influxdb", &context, span);
            if path == "query" {
                return true;
            }
        }
        // Solr deletes by a body.
        if path.starts_with("solr/") && path.contains("/update") {
            let deletes = bodies
                .iter()
                .map(|body| body.text.as_str())
                .chain([query])
                .find(|text| text.contains("delete"));
            if let Some(text) = deletes {
                let text = unescaped(text);
                let kind = if text.contains("*:*") {
                    server("solr").destroy("documents", path)
                } else {
                    server("solr").change("documents", path)
                };
                self.emit(kind, span, Certainty::Likely);
            }
            return true;
        }
        for shape in SHAPES {
            if !shape.ports.is_empty() && !shape.ports.contains(&port)
                || !shape.methods.contains(&method)
            {
                continue;
            }
            let Some(name) = fits(shape.path, path, query) else {
                continue;
            };
            let server = server(shape.provider);
            let kind = if shape.destroys {
                server.destroy(shape.resource, name)
            } else {
                server.change(shape.resource, name)
            };
            self.emit(kind, span, Certainty::Likely);
            return true;
        }
        false
    }

    fn sql_of_query(
        &mut self,
        query: &str,
        name: &str,
        provider: &str,
        context: &String,
        span: Span,
    ) {
        for part in query.split('&') {
            if let Some(code) = part.strip_prefix(name) {
                self.sql(&Text::known(unescaped(code), span), provider, Some(context));
            }
        }
    }
}

/// The name in a path that fits a shape.
fn fits<'p>(shape: &str, path: &'p str, query: &str) -> Option<&'p str> {
    let (shape, asked) = shape.split_once('?').unwrap_or((shape, ""));
    if !asked.is_empty()
        && !query
            .split('&')
            .any(|part| part.eq_ignore_ascii_case(asked))
    {
        return None;
    }
    let mut name = "";
    let mut segments = path.trim_end_matches('/').split('/');
    for wanted in shape.split('/') {
        if wanted == "**" {
            if name.is_empty() {
                name = segments.next().unwrap_or("");
            }
            return Some(name);
        }
        let segment = segments.next()?;
        if wanted == "*" {
            // An index does not begin with an underscore; `_all` and `*` are all of them.
            if segment.is_empty() || segment.starts_with('_') && segment != "_all" {
                return None;
            }
            if name.is_empty() {
                name = segment;
            }
        } else if wanted != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(name)
}

/// `%20` and `+` made readable.
fn unescaped(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(next) = bytes.next() {
        match next {
            b'+' => out.push(b' '),
            b'%' => {
                let mut rest = bytes.clone();
                let digits = [rest.next(), rest.next()];
                let value = match digits {
                    [Some(high), Some(low)] => {
                        let digit = |byte: u8| char::from(byte).to_digit(16);
                        digit(high)
                            .zip(digit(low))
                            .and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
                    }
                    _ => None,
                };
                match value {
                    Some(value) => {
                        out.push(value);
                        bytes = rest;
                    }
                    None => out.push(next),
                }
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{fits, unescaped};

    #[test]
    fn paths() {
        assert_eq!(fits("*", "logs", ""), Some("logs"));
        assert_eq!(fits("*", "_search", ""), None);
        assert_eq!(fits("*", "logs/_doc", ""), None);
        assert_eq!(fits("*/_doc/*", "logs/_doc/1", ""), Some("logs"));
        assert_eq!(fits("api/queues/**", "api/queues/v/q", ""), Some("v"));
        assert_eq!(fits("a?action=DELETE", "a", "x=1&action=DELETE"), Some(""));
        assert_eq!(unescaped("DROP%20TABLE+a%"), "DROP TABLE a%");
    }
}
