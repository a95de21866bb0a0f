//! `/api/v1/openapi.json`: what other systems may ask for and what they get.
//!
//! The document is kept by hand: the answers are written by hand too, so that nothing could be
//! derived but names. It cannot drift unseen: a test holds its addresses against the routes, and
//! `tests/openapi` asks a running daemon for everything in it and checks every answer.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};

const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /api/v1/openapi.json`: no secret, and whoever writes the other system has no session.
pub(super) async fn show() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    /// Not for other systems: what the command line and the pages ask for.
    const OURS: [&str; 4] = [
        "/api/v1/urge",
        "/api/v1/clock",
        "/api/v1/users",
        "/api/v1/tokens",
    ];

    #[test]
    fn every_public_route_is_in_the_document_and_no_other() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let told: BTreeSet<&str> = document["paths"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let sources = [
            include_str!("mod.rs"),
            include_str!("../reply/mod.rs"),
            include_str!("../reply/on_behalf.rs"),
        ];
        let routes: BTreeSet<&str> = sources
            .iter()
            .flat_map(|text| text.split('"'))
            .filter(|text| text.starts_with("/api/v1/") && !text.contains(' '))
            .filter(|route| !OURS.iter().any(|ours| route.starts_with(ours)))
            .collect();
        assert_eq!(told, routes);
    }

    #[test]
    fn every_name_the_document_refers_to_is_there() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        for after in DOCUMENT.split("\"#/").skip(1) {
            let path = after.split('"').next().unwrap();
            assert!(document.pointer(&format!("/{path}")).is_some(), "{path}");
        }
    }
}
