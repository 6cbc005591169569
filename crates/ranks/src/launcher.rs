//! What started the program, as its environment says.
//!
//! The names of the variables are those that Open MPI 4.1.4 and MPICH 4.0.2 set (`mpirun -n 2 env`), and those of
//! Slurm's manual of `srun`. `SLURM_NTASKS` is no sign of ranks: a batch script has it, whose programs are started once.

use crate::error::{Error, Result};

/// The environment variable that names a library: a path, or a name that the system's loader finds.
pub const LIBRARY: &str = "DEEPBELIEF_MPI";

/// The environment variable that says after how many seconds an operation between ranks counts as hanging.
pub const TIMEOUT: &str = "DEEPBELIEF_MPI_TIMEOUT";

/// Which libraries belong to a launcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Open MPI's.
    OpenMpi,
    /// MPICH's, Intel's and Cray's, and those of the standard's own ABI.
    Mpich,
    /// Either: the launcher serves both.
    Any,
}

/// What started the program as one of several ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launcher {
    /// What it is called.
    pub name: &'static str,
    /// Which libraries belong to it.
    pub family: Family,
    /// Which of the ranks this process is.
    pub rank: usize,
    /// How many ranks were started.
    pub ranks: usize,
    /// How many of them are on this machine, where that is said.
    pub here: Option<usize>,
    /// Which of those this is, where that is said.
    pub place: Option<usize>,
}

/// The variables of a launcher: of its rank, of the number of ranks, of the number on this machine, of the place there.
const LAUNCHERS: [(&str, Family, [&str; 4]); 3] = [
    (
        "mpirun of Open MPI",
        Family::OpenMpi,
        ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"],
    ),
    ("mpirun of MPICH's family", Family::Mpich, ["PMI_RANK", "PMI_SIZE", "MPI_LOCALNRANKS", "MPI_LOCALRANKID"]),
    ("srun", Family::Any, ["SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "", "SLURM_LOCALID"]),
];

impl Launcher {
    /// What the environment of this process says; none where no launcher started it, or one that started it alone.
    ///
    /// # Errors
    /// [`Error::Environment`].
    pub fn of_process() -> Result<Option<Self>> {
        Self::of(|variable| std::env::var(variable).ok())
    }

    fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>> {
        for (name, family, [rank, ranks, here, place]) in LAUNCHERS {
            let number = |name: &'static str| {
                let Some(value) = variable(name) else { return Ok(None) };
                value.trim().parse().map(Some).map_err(|_| Error::Environment { variable: name, value })
            };
            let (Some(rank), Some(ranks)) = (number(rank)?, number(ranks)?) else { continue };
            if ranks > 1 {
                let (here, place) = (number(here)?.filter(|&here| here > 0), number(place)?);
                return Ok(Some(Self { name, family, rank, ranks, here, place }));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launcher(variables: &[(&str, &str)]) -> Result<Option<Launcher>> {
        Launcher::of(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into()))
    }

    #[test]
    fn ranks_are_found_in_the_environment_of_every_launcher() {
        let found = |variables: &[_]| launcher(variables).unwrap().map(|at| (at.family, at.rank, at.ranks, at.here));
        let open_mpi =
            [("OMPI_COMM_WORLD_RANK", "2"), ("OMPI_COMM_WORLD_SIZE", "4"), ("OMPI_COMM_WORLD_LOCAL_SIZE", "2")];
        assert_eq!(found(&open_mpi), Some((Family::OpenMpi, 2, 4, Some(2))));
        let mpich = [("PMI_RANK", "0"), ("PMI_SIZE", "3"), ("MPI_LOCALNRANKS", "3")];
        assert_eq!(found(&mpich), Some((Family::Mpich, 0, 3, Some(3))));
        // srun with PMI-2 sets both; either way the ranks are the same.
        let slurm = [("SLURM_PROCID", "5"), ("SLURM_STEP_NUM_TASKS", "8")];
        assert_eq!(found(&slurm), Some((Family::Any, 5, 8, None)));
    }

    #[test]
    fn a_program_started_once_has_no_launcher() {
        let batch = [("SLURM_PROCID", "0"), ("SLURM_NTASKS", "8")];
        let alone = [("PMI_RANK", "0"), ("PMI_SIZE", "1")];
        for variables in [&[][..], &batch, &alone] {
            assert_eq!(launcher(variables).unwrap(), None);
        }
    }

    #[test]
    fn what_is_no_number_is_an_error() {
        let error = launcher(&[("PMI_RANK", "0"), ("PMI_SIZE", "two")]).unwrap_err();
        assert_eq!(error.to_string(), "PMI_SIZE is \"two\", which is not a number of ranks");
    }
}
