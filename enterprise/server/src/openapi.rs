//! The OpenAPI document, made from the table of endpoints.

use std::collections::BTreeMap;

use cmdai_api::ApiError;
use cmdai_api::console::{PolicyCheck, Role};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    InfoBuilder, OneOfBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required, ResponseBuilder,
    Schema,
};
use utoipa::{PartialSchema, ToSchema};

use crate::endpoints::{Access, Answer, ENDPOINTS, Endpoint, Operation, SchemaOf, Verb};

/// The document.
pub fn document() -> OpenApi {
    let mut schemas: Vec<(String, RefOr<Schema>)> = Vec::new();
    schemas.push((ApiError::name().into_owned(), ApiError::schema()));
    schemas.push((PolicyCheck::name().into_owned(), PolicyCheck::schema()));
    PolicyCheck::schemas(&mut schemas);
    schemas.push((Role::name().into_owned(), Role::schema()));
    let mut items: BTreeMap<&str, PathItem> = BTreeMap::new();
    for endpoint in ENDPOINTS {
        for schema in used(endpoint) {
            (schema.collect)(&mut schemas);
        }
        let method = match endpoint.verb {
            Verb::Get => HttpMethod::Get,
            Verb::Post => HttpMethod::Post,
            Verb::Put => HttpMethod::Put,
            Verb::Delete => HttpMethod::Delete,
        };
        let item = PathItem::new(method, operation(endpoint));
        match items.get_mut(endpoint.path) {
            Some(there) => there.merge_operations(item),
            None => {
                items.insert(endpoint.path, item);
            }
        }
    }
    let paths = items
        .into_iter()
        .fold(PathsBuilder::new(), |paths, (path, item)| {
            paths.path(path, item)
        })
        .build();
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas.into_iter().collect::<BTreeMap<_, _>>())
        .security_scheme(
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("cmdai_session"))),
        )
        .security_scheme(
            "token",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        )
        .build();
    let info = InfoBuilder::new()
        .title("cmdai")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("The API of the server for people and programs. Changing calls with a session cookie also carry the header `x-cmdai: 1`."))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(components))
        .build()
}

fn used(endpoint: &Endpoint) -> Vec<SchemaOf> {
    let mut list: Vec<SchemaOf> = endpoint.body.into_iter().collect();
    match endpoint.answer {
        Answer::Json(schema) | Answer::Lines(schema) => list.push(schema),
        Answer::Stream(schemas) => list.extend_from_slice(schemas),
        Answer::Nothing | Answer::Object | Answer::Html => {}
    }
    list
}

fn reference(schema: SchemaOf) -> Ref {
    Ref::from_schema_name((schema.name)())
}

fn operation(endpoint: &Endpoint) -> utoipa::openapi::path::Operation {
    let mut id = endpoint.name.to_owned();
    if let Some(first) = id.get_mut(0..1) {
        first.make_ascii_lowercase();
    }
    let role = match endpoint.access {
        Access::Open => "nobody needs to be signed in".to_owned(),
        Access::Signed => "signed by another service".to_owned(),
        Access::SignedIn => "any role".to_owned(),
        Access::Role(role) => format!("role: {}", role.as_str()),
    };
    let tag = endpoint
        .path
        .trim_start_matches("/api/v1/")
        .split(['/', '.'])
        .next()
        .unwrap_or("")
        .to_owned();
    let mut operation = OperationBuilder::new()
        .operation_id(Some(id))
        .summary(Some(endpoint.about))
        .description(Some(role))
        .tag(tag);
    let text = || ObjectBuilder::new().schema_type(Type::String);
    for name in endpoint
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True);
        operation = operation.parameter(parameter.schema(Some(text())));
    }
    for query in endpoint.query {
        let parameter = ParameterBuilder::new()
            .name(query.name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False);
        operation = operation.parameter(
            parameter
                .description(Some(query.about))
                .schema(Some(text())),
        );
    }
    if let Some(schema) = endpoint.body {
        let content = ContentBuilder::new()
            .schema(Some(reference(schema)))
            .build();
        let body = RequestBodyBuilder::new()
            .content("application/json", content)
            .required(Some(Required::True))
            .build();
        operation = operation.request_body(Some(body));
    }
    operation = operation.response(
        if matches!(endpoint.answer, Answer::Nothing) {
            "204"
        } else {
            "200"
        },
        good(endpoint.answer),
    );
    let error = |about: &str, name: std::borrow::Cow<'static, str>| {
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(name)))
            .build();
        ResponseBuilder::new()
            .description(about)
            .content("application/json", content)
            .build()
    };
    if endpoint.operation == Operation::PublishPolicy {
        operation =
            operation.response("422", error("the policy is not valid", PolicyCheck::name()));
    }
    operation = operation.response(
        "default",
        error("what is wrong and what to do", ApiError::name()),
    );
    if !matches!(endpoint.access, Access::Open | Access::Signed) {
        let none: [&str; 0] = [];
        operation = operation
            .security(SecurityRequirement::new("session", none))
            .security(SecurityRequirement::new("token", none));
    }
    operation.build()
}

fn good(answer: Answer) -> utoipa::openapi::Response {
    let response = ResponseBuilder::new().description("done");
    let (kind, content) = match answer {
        Answer::Nothing => return response.build(),
        Answer::Json(schema) => (
            "application/json",
            ContentBuilder::new().schema(Some(reference(schema))),
        ),
        Answer::Object => (
            "application/json",
            ContentBuilder::new().schema(Some(ObjectBuilder::new())),
        ),
        Answer::Lines(schema) => (
            "application/x-ndjson",
            ContentBuilder::new().schema(Some(reference(schema))),
        ),
        Answer::Stream(schemas) => {
            let one_of = schemas.iter().fold(OneOfBuilder::new(), |one_of, schema| {
                one_of.item(reference(*schema))
            });
            (
                "text/event-stream",
                ContentBuilder::new().schema(Some(one_of)),
            )
        }
        Answer::Html => (
            "text/html",
            ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))),
        ),
    };
    response.content(kind, content.build()).build()
}
