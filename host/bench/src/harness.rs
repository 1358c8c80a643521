//! What every figure needs: statistics, measuring in turn, the machine, the report and the check.

pub(crate) mod check;
pub(crate) mod field;
pub(crate) mod machine;
pub(crate) mod report;
pub(crate) mod rounds;
pub(crate) mod statistics;
