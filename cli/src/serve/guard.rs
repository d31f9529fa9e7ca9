//! Who may ask, and what an answer may do in a browser: the heads of requests come in and are let through or refused; answers
//! go out with the headers that keep a page from doing anything but what this one does.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::reply::Reply;

/// Scripts, styles, fonts and data of this server only; no script in a page, no frame, no form.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The name that the server was told to listen at.
#[derive(Clone, Debug)]
pub struct Own(pub Arc<str>);

/// Refuses what a page of somebody else may have sent; gives every answer its headers.
pub async fn guarded(State(own): State<Own>, request: Request, next: Next) -> Response {
    let refused = refusal(&own.0, request.method(), request.headers());
    let mut response = match refused {
        Some(why) => Reply::refused(StatusCode::FORBIDDEN, why).into(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Why a request is not answered, if it is not. A page of another site can reach a server on the loopback: by its own name,
/// which it lets point here (then `Host` is that name), or by a request across sites (then `Origin` is its own).
fn refusal(own: &str, method: &Method, headers: &HeaderMap) -> Option<&'static str> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let Some(host) = text(header::HOST) else { return Some("a request names its host") };
    if headers.get_all(header::HOST).iter().count() > 1 || !is_own(own, host) {
        return Some("this server answers to its address, to localhost and to the name behind --host only");
    }
    if let Some(origin) = text(header::ORIGIN) {
        let same = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if same != Some(host) {
            return Some("this server answers pages of its own only");
        }
    }
    let site = text(HeaderName::from_static("sec-fetch-site"));
    let own_page = site.is_none_or(|site| site == "same-origin" || site == "none");
    // A link from elsewhere may lead here; nothing else from elsewhere may.
    let is_link = method == Method::GET && text(HeaderName::from_static("sec-fetch-mode")) == Some("navigate");
    if !own_page && !is_link {
        return Some("this server answers pages of its own only");
    }
    None
}

/// Whether a `Host` is an address, this machine, or the name that was told. An address cannot be made to point elsewhere.
fn is_own(own: &str, host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(name, _)| name),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.eq_ignore_ascii_case(own) || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, Method};

    use super::refusal;

    fn refused(method: Method, headers: &[(&'static str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        refusal("desk.example", &method, &map).is_some()
    }

    #[test]
    fn names_that_point_here_are_no_hosts_of_ours() {
        for host in
            ["127.0.0.1", "127.0.0.1:7878", "localhost:1", "[::1]:7878", "LOCALHOST", "desk.example:80", "10.0.0.7:1"]
        {
            assert!(!refused(Method::GET, &[("host", host)]), "{host}");
        }
        for host in
            ["evil.example", "evil.example:7878", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::1"]
        {
            assert!(refused(Method::GET, &[("host", host)]), "{host}");
        }
        assert!(refused(Method::GET, &[]));
        assert!(refused(Method::GET, &[("host", "localhost"), ("host", "evil.example")]));
    }

    #[test]
    fn pages_of_others_ask_in_vain() {
        let host = ("host", "127.0.0.1:7878");
        assert!(!refused(Method::POST, &[host, ("origin", "http://127.0.0.1:7878")]));
        for origin in ["http://evil.example", "null", "http://127.0.0.1:80", "file://"] {
            assert!(refused(Method::POST, &[host, ("origin", origin)]), "{origin}");
        }
        assert!(refused(Method::POST, &[host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]));
        assert!(refused(Method::GET, &[host, ("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")]));
        assert!(!refused(Method::GET, &[host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")]));
        assert!(!refused(Method::GET, &[host, ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")]));
    }
}
