//! Processes that work on one model together: ranks.
//!
//! A [`Group`] adds integers up over all ranks and hands bytes around. Sums of integers are exact in any order, so that
//! no library, network or number of ranks changes a bit of them: what is built on a group is the same for all of them.
//!
//! | group | ranks are |
//! |---|---|
//! | [`Alone`] | one: this process |
//! | [`Threads`] | threads of this process, for tests |
//! | [`Mpi`] | processes that an MPI launcher started, on any number of machines |
//!
//! MPI is loaded when the program runs: one binary works with every library, and without any.
//!
//! ```
//! use deepbelief_ranks::{Group, Threads};
//! let sums = Threads::run(3, |group| {
//!     let mut values = [1, group.rank() as i32];
//!     group.sum(&mut values)?;
//!     Ok::<_, deepbelief_ranks::Error>(values)
//! });
//! assert!(sums.into_iter().all(|sum| sum.unwrap() == [3, 0 + 1 + 2]));
//! ```

mod alone;
mod error;
mod group;
mod launcher;
#[cfg(unix)]
mod mpi;
mod threads;

pub use alone::Alone;
pub use error::{Error, Result};
pub use group::Group;
pub use launcher::{Family, LIBRARY, Launcher, TIMEOUT};
#[cfg(unix)]
pub use mpi::{Library, Mpi};
pub use threads::Threads;
