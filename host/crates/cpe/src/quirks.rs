//! How devices differ from the standard, as data.
