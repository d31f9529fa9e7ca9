//! The files of the page, which are in the program: a path comes in; a file with its kind and a tag that changes with it goes
//! out. No file of the machine is read.

use std::collections::HashMap;
use std::io::Write;
use std::sync::LazyLock;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
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
pub fn answer(asset: &'static Asset, asked: &HeaderMap) -> Response {
    static SMALL: LazyLock<HashMap<&'static str, Bytes>> = LazyLock::new(|| {
        let texts = ASSETS.iter().filter(|asset| asset.kind != FONT);
        texts.map(|asset| (asset.path, compressed(asset.bytes))).collect()
    });
    let form = Form { kind: asset.kind, whole: Bytes::from_static(asset.bytes), small: SMALL.get(asset.path).cloned() };
    sent(form, asked)
}

/// What the editor knows of the language, and the gallery.
pub fn words(asked: &HeaderMap) -> Response {
    static WORDS: LazyLock<[Bytes; 2]> = LazyLock::new(|| {
        let text = known().to_string();
        let small = compressed(text.as_bytes());
        [Bytes::from(text), small]
    });
    let [whole, small] = &*WORDS;
    sent(Form { kind: super::reply::JSON, whole: whole.clone(), small: Some(small.clone()) }, asked)
}

/// A file as it may be sent: whole, or compressed where that is smaller.
struct Form {
    kind: &'static str,
    whole: Bytes,
    small: Option<Bytes>,
}

fn compressed(bytes: &[u8]) -> Bytes {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    let written = out.write_all(bytes);
    debug_assert!(written.is_ok());
    Bytes::from(out.finish().unwrap_or_default())
}

fn sent(Form { kind, whole, small }: Form, asked: &HeaderMap) -> Response {
    let takes = asked.get(header::ACCEPT_ENCODING).and_then(|takes| takes.to_str().ok()).unwrap_or_default();
    let small = small.filter(|_| takes.split(',').any(|one| one.trim() == "gzip"));
    let tag = format!("\"{:016x}{}\"", sum(&whole), if small.is_some() { "z" } else { "" });
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let is_small = small.is_some();
    let mut response = Response::new(if known { Body::empty() } else { Body::from(small.unwrap_or(whole)) });
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    // Another version of the program answers at the same address.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if is_small && !known {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
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
