//! Deep belief nets.
