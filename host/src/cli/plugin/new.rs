//! `jackfield plugin new`: a crate with a working implementation of a contract, its tests, and the files to try it out.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use crate::cli::{exit::Problem, output};

/// What the templates call the plugin.
const PLACEHOLDER: &str = "plugin-name";

/// A plugin to begin.
#[derive(Debug, Args)]
pub(in crate::cli) struct New {
    /// The name of the plugin and of its crate: 1 to 64 characters of [a-z0-9-], beginning with a letter.
    name: String,
    /// The contract that it implements.
    #[arg(long)]
    contract: Contract,
    /// The directory to make. Default: the plugin's name, here.
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// The directory of the crate `jackfield-plugin-sdk`. Default: the one of the source tree that DIR or the present directory is in; otherwise the crate is
    /// taken from the registry.
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
}

/// The contracts that plugins implement.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Contract {
    /// Take a resource.
    Inventory,
    /// Say what an offering consists of.
    Catalog,
    /// Configure a resource.
    Provisioning,
    /// Switch a service on.
    Activation,
    /// Set up billing.
    Billing,
    /// Make the place where a tenant keeps files.
    Storage,
    /// Fill the database of a tenant.
    Seed,
    /// Tell another system of a tenant.
    Integration,
    /// Send a message to a person.
    Mail,
    /// Build the parameters of a device.
    Configuration,
    /// Write the records of a tenant.
    Dns,
}

/// What differs from contract to contract.
struct Template {
    /// `src/lib.rs`.
    lib: &'static str,
    /// What the operator grants, for `plugin call`.
    grant: &'static str,
    /// A request, for `plugin call`.
    request: &'static str,
    /// What the README says about it.
    about: &'static str,
}

macro_rules! template {
    ($name:literal, $about:literal) => {
        Template {
            lib: include_str!(concat!("templates/", $name, "/lib.rs")),
            grant: include_str!(concat!("templates/", $name, "/grant.toml")),
            request: include_str!(concat!("templates/", $name, "/request.json")),
            about: $about,
        }
    };
}

impl Contract {
    fn template(self) -> Template {
        match self {
            Self::Inventory => {
                template!("inventory", "takes resources from the list in the setting `resources`, and keeps in the host's store which are taken")
            }
            Self::Catalog => template!("catalog", "answers what an offering consists of from the setting `offerings`"),
            Self::Provisioning => template!("provisioning", "writes the configuration of a resource to the REST interface at the endpoint `element`"),
            Self::Activation => {
                template!("activation", "switches a service on over the REST interface at the endpoint `activation`, which may take a while")
            }
            Self::Billing => template!("billing", "sets up an account over the REST interface at the endpoint `billing`"),
            Self::Storage => template!("storage", "makes the bucket of a tenant through the REST interface at the endpoint `storage`"),
            Self::Seed => template!("seed", "writes the first rows into the database of a tenant"),
            Self::Integration => template!("integration", "tells the system at the endpoint `crm` of a tenant"),
            Self::Mail => template!("mail", "hands messages to the mail vendor at the endpoint `mail`"),
            Self::Configuration => template!("configuration", "builds the parameters of a device from the setting `parameters`"),
            Self::Dns => template!("dns", "writes the records of tenants through the REST interface at the endpoint `dns`"),
        }
    }
}

impl New {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        self.check_name()?;
        let directory = self.path.clone().unwrap_or_else(|| PathBuf::from(&self.name));
        let directory = std::path::absolute(&directory).with_context(|| format!("{} is no path", directory.display()))?;
        if directory.exists() {
            bail!("{} exists already: name another directory with --path", directory.display());
        }
        let sdk = self.sdk(&directory)?;
        let template = self.contract.template();
        let files = [
            ("Cargo.toml", self.cargo_toml(&directory, &sdk)),
            ("src/lib.rs", template.lib.replace(PLACEHOLDER, &self.name)),
            ("grant.toml", template.grant.to_owned()),
            ("request.json", template.request.to_owned()),
            ("README.md", self.readme(template.about)),
            (".gitignore", "/target\n".to_owned()),
        ];
        for (name, text) in files {
            let file = directory.join(name);
            let made = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, text));
            made.with_context(|| format!("{} cannot be written", file.display()))?;
        }
        output::say(&format!("made {}; its README.md says how to test, build and try it", directory.display()))?;
        Ok(ExitCode::SUCCESS)
    }

    fn check_name(&self) -> anyhow::Result<()> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let begins = self.name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        if begins && self.name.len() <= 64 && self.name.bytes().all(fits) && !self.name.ends_with('-') {
            return Ok(());
        }
        let expected = "expected 1 to 64 characters of [a-z0-9-], beginning with a letter and not ending with a hyphen";
        Err(Problem::Usage(format!("`{}` cannot be the name of a plugin: {expected}", self.name)).into())
    }

    /// The dependency on the SDK, as Cargo writes it.
    fn sdk(&self, directory: &Path) -> anyhow::Result<String> {
        let given = match &self.sdk {
            Some(sdk) if is_sdk(sdk) => Some(sdk.canonicalize()?),
            Some(sdk) => bail!("--sdk: {} does not hold the crate jackfield-plugin-sdk: expected the directory with its Cargo.toml", sdk.display()),
            None => enclosing_sdk(directory).or_else(|| enclosing_sdk(&std::env::current_dir().ok()?)),
        };
        Ok(match given {
            // A literal string: a path may hold backslashes.
            Some(path) => format!("{{ path = '{}' }}", path.display()),
            None => format!("\"{}\"", env!("CARGO_PKG_VERSION")),
        })
    }

    fn cargo_toml(&self, directory: &Path, sdk: &str) -> String {
        let name = &self.name;
        // The plugins of the source tree are members of its workspace; anywhere else the crate stands for itself.
        let member = directory.parent().is_some_and(|parent| parent.ends_with("plugins") && enclosing_sdk(directory).is_some());
        let workspace = if member {
            ""
        } else {
            "\n[workspace]\n\n# Small, without debug information; names stay for backtraces.\n[profile.release]\nopt-level = \"s\"\nlto = true\ncodegen-units = 1\nstrip = \"debuginfo\"\n"
        };
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\nrust-version = \"1.95\"\npublish = false\n\n[lib]\n# A component for the host, and a library for the tests.\ncrate-type = [\"cdylib\", \"rlib\"]\n\n[dependencies]\njackfield-plugin-sdk = {sdk}\nserde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n{workspace}"
        )
    }

    fn readme(&self, about: &str) -> String {
        let (name, contract) = (&self.name, self.contract.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned()));
        let component = format!("target/wasm32-wasip2/release/{}.wasm", name.replace('-', "_"));
        format!(
            "# {name}\n\nA Jackfield plugin for the contract `{contract}`. It {about}.\n\n```sh\ncargo test                                        # needs neither WebAssembly nor a host\nrustup target add wasm32-wasip2                   # once\ncargo build --release --target wasm32-wasip2\n\njackfield plugin check {component}\njackfield plugin call {component} --grant grant.toml --input @request.json\n```\n\n`plugin check` prints what to add to the configuration of a host. `grant.toml` is what an operator would grant; `request.json` is\nwhat the host would ask.\n"
        )
    }
}

fn is_sdk(directory: &Path) -> bool {
    fs::read_to_string(directory.join("Cargo.toml")).is_ok_and(|text| text.contains("name = \"jackfield-plugin-sdk\""))
}

/// The SDK of the source tree that a directory is in.
fn enclosing_sdk(directory: &Path) -> Option<PathBuf> {
    directory.ancestors().map(|ancestor| ancestor.join("plugin-sdk")).find(|sdk| is_sdk(sdk))
}
