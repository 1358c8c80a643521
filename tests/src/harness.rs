//! The real binary under test: started on a written configuration in a directory of its own, talked to over HTTP only.

mod host;
mod lab;
mod obstacle;
pub mod orders;
mod process;
mod receiver;
mod said;

pub use self::{
    host::{Answer, Host, Setup},
    lab::Lab,
    obstacle::not_run,
    process::{binary, plugin, target_directory},
    receiver::{Answers, Receiver},
    said::{Said, answer, jackfield},
};
