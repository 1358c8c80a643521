//! `jackfield:order/billing`: makes the customer pay.

/// What to bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The id of the order.
    pub order: String,
    /// The id of the customer, if the order names one.
    pub customer: Option<String>,
    /// The id of the product offering.
    pub offering: String,
    /// The plan that the catalogue names, if any.
    pub plan: Option<String>,
    /// The id of the active service.
    pub service_id: String,
    /// The first day to bill, if the order names one: a date `YYYY-MM-DD`.
    pub requested_date: Option<String>,
}

/// What will be billed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The id of the billing account.
    pub account: String,
    /// The plan.
    pub plan: String,
    /// The first day that is billed: a date `YYYY-MM-DD`.
    pub effective_date: String,
}

crate::contracts::effectful! {
    /// Set-up of billing. `apply` sets it up, `undo` ends it.
    Billing
}
