//! The files of the page, which are in the program: a path comes in; a file with its kind and a tag that changes with it goes
//! out. No file of the machine is read.

use std::sync::LazyLock;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use matgrad::elaborate::Property;
use matgrad::functions::ENTRIES;
use matgrad::syntax::{KEYWORDS, TYPES};
use serde_json::{Value, json};

use super::gallery::EXAMPLES;

/// A file.
pub struct Asset {
    /// Where it is asked for.
    pub path: &'static str,
    /// What it is.
    pub kind: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const FONT: &str = "font/woff2";
const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! page {
    ($path:literal, $kind:expr, $file:literal) => {
        Asset { path: $path, kind: $kind, bytes: include_bytes!(concat!("../../assets/page/", $file)) }
    };
}

/// All files.
pub const ASSETS: &[Asset] = &[
    page!("/", HTML, "index.html"),
    page!("/api/", HTML, "api.html"),
    page!("/page.css", CSS, "page.css"),
    page!("/main.js", SCRIPT, "main.js"),
    page!("/address.js", SCRIPT, "address.js"),
    page!("/ask.js", SCRIPT, "ask.js"),
    page!("/editor.js", SCRIPT, "editor.js"),
    page!("/language.js", SCRIPT, "language.js"),
    page!("/derive.js", SCRIPT, "derive.js"),
    page!("/steps.js", SCRIPT, "steps.js"),
    page!("/sizes.js", SCRIPT, "sizes.js"),
    page!("/formats.js", SCRIPT, "formats.js"),
    page!("/graph.js", SCRIPT, "graph.js"),
    page!("/verify.js", SCRIPT, "verify.js"),
    page!("/train.js", SCRIPT, "train.js"),
    page!("/curves.js", SCRIPT, "curves.js"),
    page!("/icon.svg", "image/svg+xml", "icon.svg"),
    Asset { path: "/answer.css", kind: CSS, bytes: include_bytes!("../../../assets/page.css") },
    page!("/math.woff2", FONT, "fonts/stix-two-math.woff2"),
    page!("/text.woff2", FONT, "fonts/stix-two-text.woff2"),
    page!("/text-italic.woff2", FONT, "fonts/stix-two-text-italic.woff2"),
    page!("/fonts.txt", "text/plain; charset=utf-8", "fonts/STIX-OFL.txt"),
];

/// An asset as an answer; nothing of it where the client has it already.
pub fn answer(asset: &Asset, asked: &HeaderMap) -> Response {
    sent(asset.kind, Bytes::from_static(asset.bytes), asked)
}

/// What the editor knows of the language, and the gallery.
pub fn words(asked: &HeaderMap) -> Response {
    static WORDS: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(known().to_string()));
    sent(super::reply::JSON, WORDS.clone(), asked)
}

fn sent(kind: &'static str, bytes: Bytes, asked: &HeaderMap) -> Response {
    let tag = format!("\"{:016x}\"", sum(&bytes));
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = Response::new(if known { Body::empty() } else { Body::from(bytes) });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // Another version of the program answers at the same address.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// A sum over bytes (Fowler, Noll and Vo's).
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn known() -> Value {
    let functions: Vec<Value> = ENTRIES
        .iter()
        .map(|entry| {
            let arity = entry.signature.arity();
            json!({
                "name": entry.name,
                "title": entry.title,
                "least": arity.start(),
                "most": arity.end(),
                "differential": entry.differential,
            })
        })
        .collect();
    let types: Vec<Value> = TYPES.iter().map(|(name, sizes)| json!({ "name": name, "sizes": sizes })).collect();
    let examples: Vec<Value> = EXAMPLES
        .iter()
        .map(|example| {
            json!({
                "name": example.name,
                "chapter": example.chapter,
                "title": example.title,
                "program": example.program,
            })
        })
        .collect();
    let targets: Vec<&str> = matgrad::emit::TARGETS.iter().map(|(name, _)| *name).collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "keywords": KEYWORDS,
        "types": types,
        "properties": Property::names().collect::<Vec<_>>(),
        "functions": functions,
        "targets": targets,
        "examples": examples,
    })
}

#[cfg(test)]
mod tests {
    use super::ASSETS;

    /// Names of files that are asked for by a text, between quotes.
    fn asked_for(text: &str) -> Vec<String> {
        let words = text.split(['"', '\'', '(', ')', '`']);
        let local = words.filter(|word| word.ends_with(".js") || word.ends_with(".css") || word.ends_with(".woff2"));
        local.map(|word| word.trim_start_matches("./").trim_start_matches('/').to_owned()).collect()
    }

    #[test]
    fn all_that_the_page_asks_for_is_there_and_small() {
        let mut all = 0;
        for asset in ASSETS {
            if !asset.path.contains("api") && !asset.path.ends_with(".txt") {
                all += asset.bytes.len();
            }
            let Ok(text) = std::str::from_utf8(asset.bytes) else { continue };
            for name in asked_for(text) {
                assert!(ASSETS.iter().any(|known| known.path == format!("/{name}")), "{}: {name}", asset.path);
            }
        }
        assert!(all + super::known().to_string().len() < 300_000, "{all} bytes");
    }

    #[test]
    fn nothing_in_a_page_runs_or_comes_from_elsewhere() {
        for asset in ASSETS {
            let Ok(text) = std::str::from_utf8(asset.bytes) else { continue };
            if asset.kind == super::HTML {
                for wrong in ["style=", "<style", "onclick", "javascript:", "https://"] {
                    assert!(!text.contains(wrong), "{}: {wrong}", asset.path);
                }
            }
            if asset.kind == super::SCRIPT {
                for wrong in ["eval(", "new Function", "https://", "localStorage"] {
                    assert!(!text.contains(wrong), "{}: {wrong}", asset.path);
                }
            }
        }
    }
}
