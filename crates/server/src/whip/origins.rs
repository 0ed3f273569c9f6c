//! Pages of other servers may publish and watch, as RFC 9725 wants it (section 4.2, by Fetch's CORS protocol).
//!
//! `/ws` turns them away because a browser's device answers there. Here nothing but the token counts, which a page has to
//! bring itself: no cookie, no key of the browser's, so a foreign page gets no further than any other program.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

const SHARED: [(HeaderName, HeaderValue); 4] = [
    (
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    ),
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("POST, PATCH, DELETE"),
    ),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("authorization, content-type, if-match"),
    ),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("location, etag, accept-patch, retry-after"),
    ),
];

/// Lets the page that asked read the answer, a refusal too.
pub async fn share(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().extend(SHARED);
    response
}
