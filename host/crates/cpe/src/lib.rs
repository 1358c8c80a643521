//! The auto-configuration server: the pipeline `cpe` and the CWMP sessions (TR-069) through which it speaks with devices.

pub mod acs;
pub mod api;
pub mod device;
mod digest;
pub mod flow;
pub mod quirks;
pub mod soap;
pub mod value;
pub mod wake;
