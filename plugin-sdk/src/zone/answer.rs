//! Which failure an HTTP answer of a vendor is.

use super::{DNS_FAILED, NOT_AUTHORISED, UNKNOWN_ZONE};
use crate::{Failure, http::Response};

/// Goes on with a 2xx answer. 401 and 403 are [`NOT_AUTHORISED`], 404 is [`UNKNOWN_ZONE`], both rejected; the rest is as
/// [`Response::require_success`] says, with [`DNS_FAILED`].
///
/// # Errors
/// As listed.
pub fn success(answer: Response) -> Result<Response, Failure> {
    let code = match answer.status() {
        401 | 403 => NOT_AUTHORISED,
        404 => UNKNOWN_ZONE,
        _ => DNS_FAILED,
    };
    answer.require_success(code)
}
