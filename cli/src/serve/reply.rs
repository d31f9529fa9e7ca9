//! What goes back to a client: a status, a kind of text and the text; and mistakes as JSON with their places.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use matgrad::diagnostic::{Diagnostic, LineIndex, Span, render};
use serde_json::{Value, json};

use super::work::Refusal;

/// So many mistakes are told.
const MOST: usize = 50;

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// How it went.
    pub status: StatusCode,
    /// What the text is.
    pub kind: &'static str,
    /// The text.
    pub text: String,
}

pub const JSON: &str = "application/json";
pub const PLAIN: &str = "text/plain; charset=utf-8";
pub const HTML: &str = "text/html; charset=utf-8";

impl Reply {
    /// Text of a kind, of a request that went well.
    pub fn text(kind: &'static str, text: String) -> Reply {
        Reply { status: StatusCode::OK, kind, text }
    }

    /// An object, of a request that went well.
    pub fn json(value: &Value) -> Reply {
        Reply::text(JSON, value.to_string())
    }

    /// Why a request is not answered, in a sentence.
    pub fn refused(status: StatusCode, why: &str) -> Reply {
        Reply { status, kind: JSON, text: json!({ "error": why }).to_string() }
    }

    /// The mistakes of a program, each with its place in the text.
    pub fn mistakes(errors: &[Diagnostic], source: &str) -> Reply {
        let text = render(errors, source, "program");
        let list = diagnostics(errors, source);
        let value = json!({ "error": text, "errors": list });
        Reply { status: StatusCode::UNPROCESSABLE_ENTITY, kind: JSON, text: value.to_string() }
    }

    /// With a mistake of the program told inside a usual answer: a browser complains of any other status by itself.
    pub fn inside(mut self) -> Reply {
        if self.status == StatusCode::UNPROCESSABLE_ENTITY {
            self.status = StatusCode::OK;
        }
        self
    }
}

/// Errors or notes with their places: `start` and `end` count UTF-16 units, as JavaScript does; lines and columns are from 1.
pub fn diagnostics(list: &[Diagnostic], source: &str) -> Vec<Value> {
    let lines = LineIndex::new(source);
    let place = |span: Span| {
        let (line, column) = lines.place(source, span.start as usize);
        json!({ "start": units(source, span.start), "end": units(source, span.end), "line": line, "column": column })
    };
    let one = |diagnostic: &Diagnostic| {
        let related: Vec<Value> = diagnostic
            .related
            .iter()
            .take(4)
            .map(|(span, message)| json!({ "place": place(*span), "message": message }))
            .collect();
        json!({
            "message": diagnostic.message,
            "hint": diagnostic.hint,
            "place": diagnostic.span.map(place),
            "related": related,
        })
    };
    list.iter().take(MOST).map(one).collect()
}

/// How many UTF-16 units stand before a byte.
pub fn units(source: &str, byte: u32) -> usize {
    let byte = source.floor_char_boundary((byte as usize).min(source.len()));
    source[..byte].encode_utf16().count()
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Reply {
        let status = match refusal {
            Refusal::Busy | Refusal::TooLong(_) => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Reply::refused(status, &refusal.words())
    }
}

impl From<Reply> for Response {
    fn from(reply: Reply) -> Response {
        let mut response = Response::new(Body::from(reply.text));
        *response.status_mut() = reply.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if reply.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::units;

    #[test]
    fn places_are_counted_as_javascript_does() {
        let source = "λ𝟏x";
        assert_eq!([0, 2, 6, 7, 99].map(|byte| units(source, byte)), [0, 1, 3, 4, 4]);
        assert_eq!(units(source, 4), 1);
    }
}
