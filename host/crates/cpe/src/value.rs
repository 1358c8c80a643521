//! Values of parameters: how they are written, and when two of them are the same.
