//! The real binary under test: started on a written configuration in a directory of its own, talked to over HTTP only.

mod host;
mod lab;
mod process;

pub use self::{
    host::{Answer, Host, Setup},
    lab::Lab,
    process::{binary, plugin, target_directory},
};
