//! The real binary under test: started on a written configuration in a directory of its own, talked to over HTTP only.

mod host;
mod lab;
pub mod orders;
mod patience;
mod process;
mod receiver;
mod said;

pub use self::{
    host::{Answer, Host, Setup},
    lab::Lab,
    patience::{not_run, until},
    process::{binary, plugin, target_directory},
    receiver::{Answers, Receiver},
    said::{Said, answer, jackfield},
};
