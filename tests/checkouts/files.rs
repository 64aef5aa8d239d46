//! What the files of a checkout may be.
