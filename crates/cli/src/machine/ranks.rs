//! This process as one of several ranks, where an MPI launcher started it as one: `mpirun -n 8 dbn pretrain`.
//!
//! Rank 0 prints and writes; the others are silent. Whatever ends one of them ends all.

use crate::failure::{Failure, Result};
use deepbelief_ranks::{Alone, Group, LIBRARY, Launcher};
use deepbelief_rbm::Shared;
use std::sync::{Arc, OnceLock};

/// The value of `DEEPBELIEF_MPI` with which processes of a launcher know nothing of each other.
const NONE: &str = "none";

/// Exit code where an operation between ranks does not end.
const HANGS: u8 = 2;

/// The group, once it has come together.
static GROUP: OnceLock<Together> = OnceLock::new();

/// The command that goes on from the last save, once there is one.
static RESUME: OnceLock<String> = OnceLock::new();

/// The ranks of this program.
struct Together {
    launcher: Launcher,
    group: Arc<dyn Group>,
    #[cfg(unix)]
    mpi: Arc<deepbelief_ranks::Mpi>,
}

/// What started this process as one of several ranks.
pub(crate) fn launcher() -> Result<Option<Launcher>> {
    if named().is_some_and(|name| name == NONE) {
        return Ok(None);
    }
    Ok(Launcher::of_process()?)
}

/// The library that the user names.
fn named() -> Option<std::ffi::OsString> {
    std::env::var_os(LIBRARY).filter(|name| !name.is_empty())
}

/// Refuses ranks for a verb that one process does.
pub(crate) fn refused(launcher: &Launcher, verb: &str) -> Failure {
    let (name, ranks) = (launcher.name, launcher.ranks);
    Failure::new(format!("{verb} is done by one process, but {name} started {ranks}")).hint(
        "start it without the launcher; or, for processes that know nothing of each other, with DEEPBELIEF_MPI=none",
    )
}

/// The ranks come together.
#[cfg(unix)]
pub(crate) fn join(launcher: Launcher) -> Result<()> {
    use crate::failure::Explain;
    use deepbelief_ranks::{Error, Mpi, TIMEOUT};
    let limit = match std::env::var(TIMEOUT) {
        Err(_) => 900,
        Ok(text) => text.parse().ok().filter(|&seconds| seconds > 0).ok_or_else(|| {
            Failure::new(format!("{TIMEOUT} is {text:?}; it must be a whole number of seconds, at least 1"))
        })?,
    };
    let rank = launcher.rank;
    let hangs = move |operation| {
        tracing::error!(
            "rank {rank}: {operation} has not ended in {limit} seconds: another rank hangs, or the network does; \
             {TIMEOUT} sets the limit{}",
            goes_on().map_or(String::new(), |words| format!("; {words}"))
        );
        HANGS
    };
    let started = Mpi::start(&launcher, named().as_deref(), std::time::Duration::from_secs(limit), hangs);
    let hint = match &started {
        Err(Error::NoLibrary { .. }) => {
            Some(format!("install the library that belongs to the launcher, or name one: {LIBRARY}=/path/to/libmpi.so"))
        }
        Err(Error::Worlds { .. }) => Some(format!(
            "name the launcher's own library, {LIBRARY}=/path/to/libmpi.so, or start the program with the launcher of \
             this one; under Slurm, see srun --mpi=list"
        )),
        _ => None,
    };
    let started = match hint {
        Some(hint) => started.or_hint(|| hint),
        None => started.map_err(Failure::from),
    };
    let mpi = Arc::new(started?);
    let group: Arc<dyn Group> = Arc::<Mpi>::clone(&mpi);
    let ours = Together { launcher, group, mpi };
    // A panic ends this rank alone; the others would wait for it.
    let said = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        said(panic);
        if let Some(words) = goes_on() {
            tracing::error!("rank {rank} panicked: {words}");
        }
        abort(101);
    }));
    drop(GROUP.set(ours));
    Ok(())
}

/// They cannot.
#[cfg(not(unix))]
pub(crate) fn join(launcher: Launcher) -> Result<()> {
    Err(deepbelief_ranks::Error::Platform { launcher: launcher.name, ranks: launcher.ranks }.into())
}

/// From here on there is something that `command` goes on from: rank 0 knows it, and tells all. It also says so at once,
/// as a launcher that loses a rank gives the others no time to speak.
pub(crate) fn resumed_by(command: &str) -> Result<()> {
    if !are_several() {
        return Ok(());
    }
    let mut bytes = command.as_bytes().to_vec();
    group().broadcast(&mut bytes)?;
    let command = String::from_utf8_lossy(&bytes).into_owned();
    tracing::info!("ranks:   if one is lost, go on from the last save with: {command}");
    drop(RESUME.set(command));
    Ok(())
}

/// What to do once a rank is lost, where something was saved.
pub(crate) fn goes_on() -> Option<String> {
    RESUME.get().map(|command| format!("go on from the last save with: {command}"))
}

/// The ranks of this program; this process alone, where no launcher started it.
pub(crate) fn group() -> Arc<dyn Group> {
    GROUP.get().map_or_else(|| Arc::new(Alone) as Arc<dyn Group>, |ours| Arc::clone(&ours.group))
}

/// Whether there are several.
pub(crate) fn are_several() -> bool {
    GROUP.get().is_some()
}

/// What started them.
pub(crate) fn started_by() -> Option<&'static Launcher> {
    GROUP.get().map(|ours| &ours.launcher)
}

/// The library that they speak by: its name, its interface, and what it says of itself.
pub(crate) fn library_in_words() -> (String, String, String) {
    #[cfg(unix)]
    if let Some(ours) = GROUP.get() {
        let library = ours.mpi.library();
        return (library.name().into(), library.abi(), library.version().into());
    }
    Default::default()
}

/// The end of a program that did what it was asked to, which waits for the other ranks.
pub(crate) fn finish() -> Result<()> {
    #[cfg(unix)]
    if let Some(ours) = GROUP.get() {
        ours.mpi.finish()?;
    }
    Ok(())
}

/// Ends all ranks, with this exit code.
pub(crate) fn abort(code: u8) {
    group().abort(code);
}

/// Whether any rank says so.
pub(crate) fn any(own: bool) -> Result<bool> {
    Ok(group().any(own)?)
}

/// Work that rank 0 does first, as it may put right what the others then find.
pub(crate) fn first_then_others<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let group = group();
    if group.is_first() {
        let done = work()?;
        group.barrier()?;
        return Ok(done);
    }
    group.barrier()?;
    work()
}

/// The chains that the ranks of this program share.
pub(crate) fn shared() -> Shared {
    Shared::among(&group())
}

/// A number that ranks can give each other.
pub(crate) trait Number: Copy {
    fn write(self, bytes: &mut Vec<u8>);

    /// The numbers that such bytes are.
    fn read(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Number for $type {
            fn write(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_ne_bytes());
            }

            fn read(bytes: &[u8]) -> Vec<Self> {
                bytes.as_chunks().0.iter().map(|number| Self::from_ne_bytes(*number)).collect()
            }
        }
    )*};
}

number!(f32, f64);

/// Numbers that come of each of so many pieces of work, of which every rank does some; all ranks get them, in order.
pub(crate) fn each<N: Number>(pieces: usize, mut work: impl FnMut(usize) -> Result<Vec<N>>) -> Result<Vec<Vec<N>>> {
    let group = group();
    let (rank, ranks) = (group.rank(), group.size());
    let own = (rank..pieces).step_by(ranks).map(&mut work).collect::<Result<Vec<_>>>()?;
    if ranks == 1 {
        return Ok(own);
    }
    // The lengths, then the numbers.
    let lengths: Vec<u8> = own.iter().flat_map(|numbers| (numbers.len() as u64).to_ne_bytes()).collect();
    let mut numbers = Vec::new();
    own.iter().flatten().for_each(|number| number.write(&mut numbers));
    let (lengths, numbers) = (group.gather(&lengths)?, group.gather(&numbers)?);
    let numbers: Vec<Vec<N>> = numbers.iter().map(|bytes| N::read(bytes)).collect();
    let mut left: Vec<&[N]> = numbers.iter().map(|numbers| &numbers[..]).collect();
    let piece = |piece: usize| {
        let (of, at) = (piece % ranks, piece / ranks);
        let length = u64::from_ne_bytes(lengths[of].as_chunks().0[at]) as usize;
        let (own, rest) = left[of].split_at(length);
        left[of] = rest;
        own.to_vec()
    };
    Ok((0..pieces).map(piece).collect())
}

/// Pieces of work that are this rank's own, where [`each`] shares them out.
pub(crate) fn own_pieces(pieces: usize) -> impl Iterator<Item = usize> {
    let group = group();
    (group.rank()..pieces).step_by(group.size())
}

/// Rows that are this rank's own, where [`each`] shares them out so many at a time.
pub(crate) fn own_rows(rows: usize, at_once: usize) -> usize {
    own_pieces(rows.div_ceil(at_once)).map(|piece| at_once.min(rows - at_once * piece)).sum()
}

/// Refuses to go on where ranks have others `settings` and data than rank 0.
pub(crate) fn require_same(settings: &str) -> Result<()> {
    let all = group().gather(settings.as_bytes())?;
    match all.iter().position(|theirs| *theirs != all[0]) {
        None => Ok(()),
        Some(rank) => Err(Failure::new(format!("rank {rank} has other settings or data than rank 0"))
            .hint("start all ranks with the same words, and have the same data on every machine")),
    }
}

/// How many there are, behind what one of them is.
pub(crate) fn in_words() -> String {
    started_by().map_or(String::new(), |launcher| format!(", each of {} ranks", launcher.ranks))
}

/// Threads of this rank, where the user wants one a core: its share of the processors that ranks on this machine are
/// not bound to, and all of those that it is.
pub(crate) fn threads(wanted: usize) -> usize {
    let here = started_by().and_then(|launcher| launcher.here).unwrap_or(1);
    match std::thread::available_parallelism() {
        Ok(free) if wanted == 0 && here > 1 && free.get() >= processors() => (free.get() / here).max(1),
        _ => wanted,
    }
}

/// Processors of this machine.
fn processors() -> usize {
    let cpus = sysinfo::RefreshKind::nothing().with_cpu(sysinfo::CpuRefreshKind::nothing());
    sysinfo::System::new_with_specifics(cpus).cpus().len()
}
