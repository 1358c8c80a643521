//! The contracts, one module and one trait each: those of `jackfield:order` here, those of `jackfield:cpe` in [`cpe`], those of `jackfield:tenant` in
//! [`tenant`].

pub mod activation;
pub mod billing;
pub mod catalog;
pub mod cpe;
pub mod inventory;
pub mod provisioning;
pub mod tenant;

/// A named value, as in TMF633 and TMF639.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Characteristic {
    /// For example `bandwidth`.
    pub name: String,
    /// Always text: `100`, `true`, `2031-05-01`.
    pub value: String,
}

impl Characteristic {
    /// A named value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// The value with that name.
pub fn characteristic<'a>(list: &'a [Characteristic], name: &str) -> Option<&'a str> {
    list.iter().find(|it| it.name == name).map(|it| it.value.as_str())
}

/// One service that an offering consists of, and the kind of resource it needs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ServiceSpec {
    /// Unique within one decomposition, for example `broadband-access`.
    pub name: String,
    /// The kind of resource: 1 to 32 characters of `[a-z0-9_]`.
    pub resource_type: String,
    /// What the catalogue says about this service.
    pub characteristics: Vec<Characteristic>,
}

/// A resource that was taken for a service.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Resource {
    /// Unique among all resources of its type.
    pub id: String,
    /// The kind, as in the service spec.
    pub resource_type: String,
    /// The name of the service spec it was taken for.
    pub service: String,
    /// The network element that has it, or that it is configured on.
    pub network_element: String,
    /// What later steps need to know about it.
    pub characteristics: Vec<Characteristic>,
}

/// Defines the trait of an effectful contract and the names of its results. The four verbs are the same for all.
macro_rules! effectful {
    ($(#[$doc:meta])* $contract:ident) => {
        /// How `apply`, `resume` and `undo` end well.
        pub type Outcome = crate::Outcome<Receipt>;
        /// What `observe` found outside.
        pub type Observed = crate::Observed<Receipt>;

        $(#[$doc])*
        #[diagnostic::on_unimplemented(
            message = "`{Self}` does not implement a contract that `export!` names",
            note = "write an `impl` of the contract's trait for `{Self}`, or take the contract out of `export!`"
        )]
        pub trait $contract {
            /// Makes the effect. May be called more than once with the same idempotency key.
            ///
            /// # Errors
            /// See [`Failure`](crate::Failure).
            fn apply(call: &crate::Call, request: Request) -> Result<Outcome, crate::Failure>;

            /// Goes on after [`Pending`](crate::Pending), with the checkpoint that came with it.
            ///
            /// # Errors
            /// See [`Failure`](crate::Failure). Unless implemented: rejected with the code `unsupported`.
            fn resume(call: &crate::Call, checkpoint: String, signal: crate::Signal) -> Result<Outcome, crate::Failure> {
                let _ = (call, checkpoint, signal);
                Err(crate::Failure::unsupported("resume"))
            }

            /// Says what is there now, without changing it.
            ///
            /// # Errors
            /// See [`Failure`](crate::Failure). Unless implemented it answers `Unsupported`, which is not a failure.
            fn observe(call: &crate::Call, request: Request) -> Result<Observed, crate::Failure> {
                let _ = (call, request);
                Ok(Observed::Unsupported)
            }

            /// Takes the effect away. Called with the receipt that `apply` returned, possibly twice.
            ///
            /// # Errors
            /// See [`Failure`](crate::Failure). Unless implemented: rejected with the code `unsupported`.
            fn undo(call: &crate::Call, receipt: Receipt) -> Result<Outcome, crate::Failure> {
                let _ = (call, receipt);
                Err(crate::Failure::unsupported("undo"))
            }
        }
    };
}
pub(crate) use effectful;
