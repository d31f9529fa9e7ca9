//! What a client asks: bytes come in, an object whose fields are read by name and kind goes out. A field that nobody reads is
//! a mistake of the client's, and is told.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use http_body::Body as _;
use matgrad::derivation::Detail;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::reply::Reply;

/// So long a body may take to come.
const BODY: Duration = Duration::from_secs(30);
/// So much of a body that is too large is read all the same, so that its sender hears why it is refused.
const DRAINED: usize = 64 << 20;

/// The object of a request.
#[derive(Debug)]
pub struct Asked {
    fields: Map<String, Value>,
    read: RefCell<BTreeSet<&'static str>>,
}

impl Asked {
    /// Of a request with a body of JSON, no longer than `limit` bytes.
    pub async fn of(request: Request, limit: usize) -> Result<Asked, Reply> {
        Asked::of_bytes(&body(request, limit).await?)
    }

    /// Of a body.
    pub fn of_bytes(bytes: &[u8]) -> Result<Asked, Reply> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => Ok(Asked { fields, read: RefCell::default() }),
            Ok(_) => Err(wrong("the body of a request is a JSON object")),
            Err(error) => Err(wrong(&format!("the body of the request is no JSON: {error}"))),
        }
    }

    fn get(&self, name: &'static str) -> Option<&Value> {
        self.read.borrow_mut().insert(name);
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// A text, if it is there.
    pub fn text(&self, name: &'static str) -> Result<Option<String>, Reply> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(wrong(&format!("`{name}` is a text"))),
        }
    }

    /// A text that must be there.
    pub fn required(&self, name: &'static str) -> Result<String, Reply> {
        self.text(name)?.ok_or_else(|| wrong(&format!("`{name}` is missing")))
    }

    /// One of some words; the first where none is there.
    pub fn word(&self, name: &'static str, words: &[&'static str]) -> Result<&'static str, Reply> {
        let Some(text) = self.text(name)? else { return Ok(words[0]) };
        let known = words.iter().find(|word| **word == text);
        known.copied().ok_or_else(|| wrong(&format!("`{name}` is one of {}", words.join(", "))))
    }

    /// Whether something is wanted.
    pub fn flag(&self, name: &'static str) -> Result<bool, Reply> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(wrong(&format!("`{name}` is true or false"))),
        }
    }

    /// A whole number.
    pub fn whole(&self, name: &'static str, default: u64) -> Result<u64, Reply> {
        match self.get(name) {
            None => Ok(default),
            Some(value) => value.as_u64().ok_or_else(|| wrong(&format!("`{name}` is a whole number from 0"))),
        }
    }

    /// An object; an empty one where there is none.
    pub fn object(&self, name: &'static str) -> Result<Map<String, Value>, Reply> {
        match self.get(name) {
            None => Ok(Map::new()),
            Some(Value::Object(fields)) => Ok(fields.clone()),
            Some(_) => Err(wrong(&format!("`{name}` is an object"))),
        }
    }

    /// How much of the derivation is wanted.
    pub fn steps(&self, default: &'static str) -> Result<Detail, Reply> {
        let mut words = vec![default];
        words.extend(["none", "brief", "full"].into_iter().filter(|word| *word != default));
        Ok(match self.word("steps", &words)? {
            "none" => Detail::None,
            "brief" => Detail::Brief,
            _ => Detail::Full,
        })
    }

    /// Where mistakes of the program are told: with a status of their own, or inside a usual answer.
    pub fn told_inside(&self) -> Result<bool, Reply> {
        Ok(self.word("errors", &["status", "inside"])? == "inside")
    }

    /// When all fields were read: whether there are others.
    pub fn finish(&self) -> Result<(), Reply> {
        let read = self.read.borrow();
        match self.fields.keys().find(|name| !read.contains(name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let known: Vec<&str> = read.iter().copied().collect();
                Err(wrong(&format!("nothing is called `{name}` here; there are {}", known.join(", "))))
            }
        }
    }
}

/// The body of a request, of JSON, no longer than `limit` bytes.
pub async fn body(request: Request, limit: usize) -> Result<Vec<u8>, Reply> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // A form of another site cannot send this kind.
    if kind.split(';').next().unwrap_or_default().trim() != "application/json" {
        let why = "the body of a request is JSON: send it with `Content-Type: application/json`";
        return Err(Reply::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    match timeout(BODY, bytes_of(request.into_body(), limit)).await {
        Ok(bytes) => bytes,
        Err(_) => Err(Reply::refused(StatusCode::REQUEST_TIMEOUT, "the body of the request did not come")),
    }
}

/// The client asks for what there is not.
pub fn wrong(why: &str) -> Reply {
    Reply::refused(StatusCode::BAD_REQUEST, why)
}

/// A body; the rest of one that is too large is read and forgotten.
async fn bytes_of(mut body: Body, limit: usize) -> Result<Vec<u8>, Reply> {
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| wrong("the body of the request broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > DRAINED {
            break;
        }
        if length > limit {
            bytes = Vec::new();
        } else {
            bytes.extend_from_slice(&data);
        }
    }
    match length > limit {
        false => Ok(bytes),
        true => Err(Reply::refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("the request is larger than {} kB, which is the limit here", limit >> 10),
        )),
    }
}
