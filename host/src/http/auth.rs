//! Bearer tokens (RFC 6750) and what their roles open. The name of the token's owner travels with the request, for the audit trail.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;
use tracing::info;

use super::access::{Verdict, judge};
use crate::{
    config::{ADMIN, Role},
    serve::{Host, Tokens},
};

/// Who sent a request.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub(crate) String);

/// The sender may do everything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Administers(pub(super) bool);

/// What is needed to judge a request.
pub(crate) struct Guard {
    pub(crate) tokens: Tokens,
    pub(crate) open: Option<OpenSignUp>,
}

/// What anybody may do where anybody may sign up: that, and look at the tenant that the ticket is for.
pub(crate) struct OpenSignUp(tenants::api::Key);

impl OpenSignUp {
    /// `None` where signing up needs a token.
    pub(crate) fn of(host: &Host) -> Option<Self> {
        let api = host.tenants.as_ref().map(|tenants| &tenants.api)?;
        api.options.sign_up.open.then(|| Self(api.key.clone()))
    }

    fn lets(&self, request: &Request) -> bool {
        let path = request.uri().path();
        let Some(rest) = path.strip_prefix(tenants::api::BASE) else { return false };
        if rest.is_empty() {
            return request.method() == Method::POST;
        }
        let id = rest.strip_prefix('/').map(|rest| rest.strip_suffix("/events").unwrap_or(rest)).unwrap_or_default();
        let ticket = request.uri().query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("ticket=")));
        request.method() == Method::GET && ticket.is_some_and(|ticket| self.0.opens(id, ticket))
    }
}

/// Lets a request through that carries a known token with a role that opens the route.
pub(crate) async fn require(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let credentials = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    let bearer = credentials.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer")).map(|(_, token)| token.trim_start());
    if credentials.is_none() && guard.open.as_ref().is_some_and(|open| open.lets(&request)) {
        return next.run(request).await;
    }
    let Some(owner) = bearer.and_then(|token| guard.tokens.owner(token)) else {
        let expected = "expected `Authorization: Bearer TOKEN` with a token that this host knows";
        let refused = refused(StatusCode::UNAUTHORIZED, "40", "unauthorized", expected);
        return ([(header::WWW_AUTHENTICATE, "Bearer")], refused).into_response();
    };
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.as_ref().map(MatchedPath::as_str);
    match judge(request.method(), path, &owner.roles) {
        Verdict::Open => {}
        Verdict::Closed(fitting) => {
            let what = format!("{} {}", request.method(), path.unwrap_or_default());
            let message = forbidden(&what, &fitting, &owner.name, owner.roles.iter().copied());
            info!("refused: {message}");
            return refused(StatusCode::FORBIDDEN, "51", "forbidden", &message);
        }
        Verdict::NoMethod(allowed) => {
            let message = "this path has no such method: expected one of those in the header Allow";
            let refused = refused(StatusCode::METHOD_NOT_ALLOWED, "61", "Method not allowed", message);
            return ([(header::ALLOW, allowed)], refused).into_response();
        }
    }
    let administers = Administers(owner.roles.contains(&Role::Admin));
    let caller = Caller(owner.name.clone());
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(administers);
    next.run(request).await
}

fn forbidden(what: &str, fitting: &[Role], owner: &str, roles: impl Iterator<Item = Role>) -> String {
    let fitting: Vec<&str> = fitting.iter().map(|role| role.name()).collect();
    format!("{what} needs the role {}; the token `{owner}` has {}", fitting.join(" or "), Role::list(roles))
}

/// An answer in the form of TMF630, which all of the interface shares here.
fn refused(status: StatusCode, code: &str, reason: &str, message: &str) -> Response {
    let body = json!({"code": code, "reason": reason, "message": message, "status": status.as_str()});
    (status, axum::Json(body)).into_response()
}

/// Tells the interface of devices whose token it was: it stands in the audit trail and in the runs of commands.
pub(super) async fn by(mut request: Request) -> Request {
    if let Some(Caller(name)) = request.extensions().get() {
        let by = cpe::api::By(name.clone());
        request.extensions_mut().insert(by);
    }
    request
}

/// Tells the interface of tenants whose token it was.
pub(super) async fn by_tenants(mut request: Request) -> Request {
    if let Some(Caller(name)) = request.extensions().get() {
        let by = tenants::api::By(name.clone());
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
