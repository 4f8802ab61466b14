//! Whether a request was meant for this node: its host must be a name of this machine's loopback,
//! so that no web page can lead a browser here under a name of its own, and a page of another
//! origin may not ask at all. No header that would let it is ever sent.

use std::net::IpAddr;

use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::{HeaderMap, Uri};
use bary_api::problem::{Kind, Refused};

/// Says of a browser's request where the page that makes it comes from.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Checks a request that came over TCP.
///
/// # Errors
/// Where it is not for this node, or from a page of another origin.
pub(crate) fn check(uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().map(|host| host.to_str().unwrap_or_default());
    let authority = uri.authority().map(|authority| authority.as_str());
    if hosts.next().is_some() || (host.is_none() && authority.is_none()) {
        return Err(refused("the request names no host, or several", ""));
    }
    for named in host.iter().chain(&authority) {
        if !is_loopback(named) {
            return Err(refused("the request is for another host", named));
        }
    }
    let same = host.or(authority).unwrap_or_default();
    for origin in headers.get_all(ORIGIN) {
        if origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://")) != Some(same) {
            return Err(refused("pages of another origin may not ask this node", ""));
        }
    }
    for site in headers.get_all(FETCH_SITE) {
        if !matches!(site.as_bytes(), b"same-origin" | b"none") {
            return Err(refused("pages of another site may not ask this node", ""));
        }
    }
    Ok(())
}

/// Whether a host, with or without a port, is this machine to itself.
pub(crate) fn is_loopback(host: &str) -> bool {
    let port_is_good = |port: &str| {
        !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())
    };
    let name = if let Some(rest) = host.strip_prefix('[') {
        match rest.split_once(']') {
            Some((name, "")) => name,
            Some((name, port)) if port.strip_prefix(':').is_some_and(port_is_good) => name,
            _ => return false,
        }
    } else {
        match host.split_once(':') {
            None => host,
            Some((name, port)) if port_is_good(port) => name,
            Some(_) => return false,
        }
    };
    let is_named = name.eq_ignore_ascii_case("localhost");
    is_named || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn refused(title: &str, named: &str) -> Refused {
    let title = match named {
        "" => title.to_owned(),
        named => format!("{title}: `{}`", named.escape_default()),
    };
    Refused::new(Kind::Denied, title).help("use http://127.0.0.1 or http://localhost and the port")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(uri: &str, headers: &[(&'static str, &'static str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("it is a value"));
        }
        check(&uri.parse().expect("it is a URI"), &map).is_ok()
    }

    #[test]
    fn only_names_of_the_loopback_are_hosts() {
        for host in ["localhost", "LocalHost:9876", "127.0.0.1:1", "127.9.9.9", "[::1]:80", "[::1]"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "10.0.0.1:9876",
            "localhost:",
            "localhost:x",
            "localhost:1@evil",
            "[::1",
            "[::1]x",
            "[::2]:1",
            "::1",
            "0.0.0.0:9876",
            "localhost:123456",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_request_is_for_one_host_that_is_here() {
        assert!(asked("/v1/info", &[("host", "localhost:9876")]));
        assert!(asked("http://127.0.0.1:9876/x", &[]), "HTTP/2 says it in the authority");
        assert!(!asked("/v1/info", &[]));
        assert!(!asked("/v1/info", &[("host", "rebound.example:9876")]));
        assert!(!asked("/v1/info", &[("host", "localhost"), ("host", "localhost")]));
        assert!(!asked("http://evil.example/", &[("host", "localhost")]));
    }

    #[test]
    fn a_page_asks_only_where_it_came_from() {
        let host = ("host", "localhost:9876");
        assert!(asked("/", &[host, ("origin", "http://localhost:9876")]));
        for origin in
            ["null", "http://evil.example", "http://localhost:1", "https://localhost:9876"]
        {
            assert!(!asked("/", &[host, ("origin", origin)]), "{origin}");
        }
        assert!(asked("/", &[host, ("sec-fetch-site", "same-origin")]));
        assert!(!asked("/", &[host, ("sec-fetch-site", "cross-site")]));
        assert!(!asked("/", &[host, ("sec-fetch-site", "same-site")]));
    }
}
