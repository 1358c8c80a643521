//! What a device is known by.
