//! A process that drives the reference set over a real store and kills itself at a point it was told; the tests enumerate the points.

pub mod args;
pub mod child;
mod early;
mod effect_points;
mod journal_points;
pub mod ledger;
mod operator;
mod outside;
pub mod points;
mod providers;
pub mod reference;
pub mod report;
