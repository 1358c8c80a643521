//! Bearer tokens (RFC 6750). The name of the token's owner travels with the request, for the audit trail.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{config::ADMIN, serve::Tokens};

/// Who sent a request.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) String);

/// Lets a request through that carries a known token.
pub(crate) async fn require(State(tokens): State<Arc<Tokens>>, mut request: Request, next: Next) -> Response {
    let credentials = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    let bearer = credentials.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer")).map(|(_, token)| token.trim_start());
    let Some(owner) = bearer.and_then(|token| tokens.owner(token)).map(str::to_owned) else {
        let body = json!({
            "code": "40",
            "reason": "unauthorized",
            "message": "expected `Authorization: Bearer TOKEN` with a token that this host knows",
            "status": "401",
        });
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], axum::Json(body)).into_response();
    };
    request.extensions_mut().insert(Caller(owner));
    next.run(request).await
}

/// Tells the interface of devices whose token it was.
pub(super) async fn by(mut request: Request) -> Request {
    if let Some(Caller(name)) = request.extensions().get() {
        let by = cpe::api::By(name.clone());
        request.extensions_mut().insert(by);
    }
    request
}

/// Who decided, for the journal and the audit trail: whose token it was, or the name that was given with it. The administrator's token is that of the machine, whoever
/// uses it; anybody else who names another person is named as well.
pub(super) fn signed(by: Option<String>, caller: String) -> String {
    match by {
        None => caller,
        Some(by) if by == caller || caller == ADMIN => by,
        Some(by) => format!("{by} (token of {caller})"),
    }
}
