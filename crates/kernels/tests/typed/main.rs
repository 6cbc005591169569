//! RBMs of any units on the CPU: against the formulas in double precision, against each other, over all threads and
//! instruction sets.

mod direction;
mod draws;
mod equal;
mod gauges;
mod reference;
mod setup;
mod stability;
mod updates;
