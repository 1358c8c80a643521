//! The interface for operators and programs: devices and what is done with them.
