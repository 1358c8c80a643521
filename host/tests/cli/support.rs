//! Running the binary, once or as a host that serves.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// A directory with a configuration.
pub(crate) struct Place {
    directory: tempfile::TempDir,
}

/// A host that serves until it is dropped.
pub(crate) struct Serving {
    child: Child,
}

impl Place {
    /// A directory whose configuration listens on a free port and takes unsigned plugins.
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// The same with more configuration.
    pub(crate) fn with(more: &str) -> Self {
        Self::of(&format!(
            "[http]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"data/jackfield.db\"\n[trust]\nallow_unsigned = true\n[runtime]\nmax_calls = 1\n{more}"
        ))
    }

    /// A directory with that configuration and nothing else.
    pub(crate) fn of(config: &str) -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap() };
        place.write("jackfield.toml", config);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Runs a command here to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran(jackfield(self.directory.path(), arguments).output().unwrap())
    }

    /// Serves.
    pub(crate) fn serve(&self) -> Serving {
        let mut child = jackfield(self.directory.path(), &["serve"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Whoever serves says so; a host that cannot ends, and its output with it.
        let serves = lines.map_while(Result::ok).any(|line| line.starts_with("jackfield serves on "));
        if !serves {
            let output = child.wait_with_output().unwrap();
            panic!("the host did not start: {}", String::from_utf8_lossy(&output.stderr));
        }
        Serving { child }
    }
}

fn jackfield(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jackfield"));
    command.args(arguments).current_dir(directory).env("JACKFIELD_LOG", "error").env_remove("OTEL_EXPORTER_OTLP_ENDPOINT").stdin(Stdio::null());
    command
}

impl Drop for Serving {
    fn drop(&mut self) {
        // The child may have ended by itself, which is what the test then has found out.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran(Output);

impl Ran {
    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// Expects success and returns what was printed.
    pub(crate) fn good(&self) -> String {
        assert!(self.0.status.success(), "{}\n{}", self.err(), self.out());
        self.out()
    }

    /// Expects success and JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.good()).unwrap()
    }

    /// Expects a failure with that code, every part of the text on standard error, and nothing on standard output but where a first start put its token.
    pub(crate) fn bad(&self, code: i32, expected: &[&str]) {
        assert_eq!(self.0.status.code(), Some(code), "{}\n{}", self.err(), self.out());
        let said: Vec<String> =
            self.out().lines().filter(|line| !line.starts_with("jackfield wrote the administrator's token to ")).map(str::to_owned).collect();
        assert_eq!(said, Vec::<String>::new());
        for part in expected {
            assert!(self.err().contains(part), "expected: {part}\nfound: {}", self.err());
        }
    }
}
