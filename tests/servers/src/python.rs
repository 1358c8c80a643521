//! Programs from PyPI, in the environment that `cargo xtask test` makes.

use std::{path::PathBuf, process::Command};

use crate::{
    error::Error,
    program::{output, target},
};

/// What is installed, as pip knows it.
const PACKAGES: &str = "'moto[server,s3]' boto3 aiosmtpd";

/// The Python in which a module is.
pub(crate) fn with(module: &str) -> Result<PathBuf, Error> {
    let python = target().join("python/bin/python");
    let import = format!("import importlib.util, sys; sys.exit(importlib.util.find_spec({module:?}) is None)");
    match output(Command::new(&python).args(["-c", &import]), "python") {
        Ok(_) => Ok(python),
        Err(_) => Err(Error::Missing {
            what: format!("the Python module {module} in target/python"),
            package: format!("from PyPI {PACKAGES}"),
            command: format!("python3 -m venv target/python && target/python/bin/pip install {PACKAGES}"),
        }),
    }
}
