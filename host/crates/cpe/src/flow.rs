//! The pipelines and what carries them out.
