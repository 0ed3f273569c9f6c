//! The client's files, embedded as they were written, each packed once at the start.

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use rust_embed::RustEmbed;
use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _, io::Write as _};

#[derive(RustEmbed)]
#[folder = "../../web"]
#[include = "*.html"]
#[include = "src/*"]
#[include = "styles/*"]
#[include = "vendor/*"]
#[include = "locales/*"]
#[include = "fonts/*"]
#[exclude = "*/node_modules/*"]
struct Web;

/// To whoever mistyped an address.
pub const NO_PAGE: &str = "Không có trang này. Hãy mở lại đường liên kết đã nhận.\n\n\
    There is no such page. Open the link that you were given.\n";

/// Every file of the client, ready to be sent.
#[derive(Debug, Default)]
pub struct Assets {
    files: BTreeMap<String, Asset>,
}

#[derive(Debug)]
struct Asset {
    mime: &'static str,
    etag: String,
    plain: Bytes,
    packed: Option<Bytes>,
}

impl Assets {
    /// Unpacks and packs them.
    #[must_use]
    pub fn load() -> Self {
        let file = |path: Cow<'static, str>| {
            let embedded = Web::get(&path)?;
            let asset = Asset::new(
                &path,
                Bytes::from(embedded.data.into_owned()),
                &embedded.metadata.sha256_hash(),
            );
            Some((path.into_owned(), asset))
        };
        Self {
            files: Web::iter().filter_map(file).collect(),
        }
    }

    /// Answers a request for a file, 404 if there is none.
    #[must_use]
    pub fn respond(&self, path: &str, request: &HeaderMap) -> Response {
        match self.files.get(path.trim_start_matches('/')) {
            Some(asset) => asset.respond(request),
            None => (StatusCode::NOT_FOUND, NO_PAGE).into_response(),
        }
    }
}

impl Asset {
    fn new(path: &str, plain: Bytes, hash: &[u8]) -> Self {
        let mime = mime(path);
        // Fonts are packed already.
        let packed = if mime.starts_with("font/") {
            None
        } else {
            gzip(&plain)
        };
        let etag = hash
            .iter()
            .take(12)
            .fold(String::from('"'), |mut etag, byte| {
                let _ = write!(etag, "{byte:02x}");
                etag
            })
            + "\"";
        Self {
            mime,
            etag,
            plain,
            packed,
        }
    }

    fn respond(&self, request: &HeaderMap) -> Response {
        let has = |name, wanted: &str| {
            request
                .get(name)
                .and_then(|value| value.to_str().ok())
                .is_some_and(|value| value.contains(wanted))
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.mime));
        // Asked again every time, answered 304: after an update of the server no page runs old code.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            headers.insert(header::ETAG, etag);
        }
        if has(header::IF_NONE_MATCH, &self.etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        match &self.packed {
            Some(packed) if has(header::ACCEPT_ENCODING, "gzip") => {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                (headers, packed.clone()).into_response()
            }
            Some(_) | None => (headers, self.plain.clone()).into_response(),
        }
    }
}

fn gzip(plain: &[u8]) -> Option<Bytes> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(plain).ok()?;
    packer.finish().ok().map(Bytes::from)
}

fn mime(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        _ => "text/plain; charset=utf-8",
    }
}
