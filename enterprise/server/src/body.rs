//! Bodies and query strings, with errors in the API's own form.

use std::collections::HashMap;

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use jiff::Timestamp;

use crate::failure::{Answer, Failure};

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Answer<Self> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(Failure::invalid(format!(
                "the body cannot be read: {}",
                rejection.body_text()
            ))),
        }
    }
}

/// The parameters of the query string.
pub(crate) struct Parameters(HashMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        let Query(values) = Query::<HashMap<String, String>>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Failure::invalid(rejection.body_text()))?;
        Ok(Self(values))
    }
}

impl Parameters {
    /// A text; empty counts as absent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    /// A number between bounds.
    pub(crate) fn number(
        &self,
        name: &str,
        bounds: std::ops::RangeInclusive<u32>,
        otherwise: u32,
    ) -> Answer<u32> {
        let Some(text) = self.text(name) else {
            return Ok(otherwise);
        };
        text.parse()
            .ok()
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| {
                Failure::invalid(format!(
                    "`{name}` is a number from {} to {}",
                    bounds.start(),
                    bounds.end()
                ))
            })
    }

    /// A moment in milliseconds since 1970: RFC 3339, or a date (its beginning in UTC).
    pub(crate) fn moment(&self, name: &str) -> Answer<Option<i64>> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let moment = text.parse::<Timestamp>().ok().or_else(|| {
            let date: jiff::civil::Date = text.parse().ok()?;
            date.to_zoned(jiff::tz::TimeZone::UTC)
                .ok()
                .map(|zoned| zoned.timestamp())
        });
        moment
            .map(|moment| Some(moment.as_millisecond()))
            .ok_or_else(|| {
                Failure::invalid(format!(
                    "`{name}` is not a time; write 2026-01-31 or 2026-01-31T12:00:00Z"
                ))
            })
    }
}
