//! The commands of the program.

pub(crate) mod devices;
pub(crate) mod storm;
