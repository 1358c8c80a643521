//! Values of random types through a real component and back.

pub(crate) const WIT: &str = "package acme:echo@1.0.0;\ninterface nothing { apply: func(); }";
