//! The auto-configuration server: the pipeline `cpe` and the CWMP sessions (TR-069) through which it speaks with devices.

pub mod acs;
pub mod api;
pub mod device;
mod digest;
pub mod flow;
pub mod quirks;
mod setting;
pub mod soap;
pub mod value;
pub mod wake;

pub use setting::BadSetting;
