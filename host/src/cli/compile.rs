//! `jackfield compile-worker TASK`: how the host compiles a plugin in a process of its own. Not for people.

use std::process::ExitCode;

/// What the host asks a compiler with.
const ARGUMENT: &str = "compile-worker";

/// The task, if this process was started to compile.
pub(crate) fn compile_task() -> Option<String> {
    let mut arguments = std::env::args().skip(1);
    (arguments.next()? == ARGUMENT).then(|| arguments.next().unwrap_or_default())
}

/// Compiles from standard input to standard output.
pub(crate) fn compile(task: &str) -> ExitCode {
    match plugin_runtime::compile_worker(task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            super::output::complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}
