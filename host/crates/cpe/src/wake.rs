//! Asking a device to begin a session.
