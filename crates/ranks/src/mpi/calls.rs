//! The functions of MPI that a group needs, in each of the three binary interfaces.
//!
//! A handle is an `int` in MPICH's family and a pointer in the others; the constants are those of the headers `mpi.h` of
//! MPICH 4.0.2, `mpi.h` of Open MPI 4.1.4 and `mpi_abi.h` of MPICH 5 (MPI 5.0, chapter 20).

use crate::error::{Error, Result};
use libloading::os::unix::Library;
use std::ffi::{c_char, c_int, c_void};
use std::fmt::{Display, Formatter};

/// A binary interface of MPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Abi {
    /// That of MPI 5.0: handles are pointers that hold constants.
    Standard,
    /// MPICH's, which Intel MPI and Cray MPI share: handles are integers.
    Mpich,
    /// Open MPI's: handles are addresses of variables.
    OpenMpi,
}

impl Display for Abi {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Standard => "standard ABI of MPI 5",
            Self::Mpich => "ABI of MPICH's family",
            Self::OpenMpi => "ABI of Open MPI",
        })
    }
}

/// What [`Calls::init`] asks for: threads use the library one after the other.
const SERIALIZED: [c_int; 2] = [2048, 2];

/// Bytes of the longest version or error of any interface.
const LONGEST: usize = 8192;

/// The functions, for handles of type `H`.
struct Functions<H> {
    init_thread: unsafe extern "C" fn(*mut c_int, *mut c_void, c_int, *mut c_int) -> c_int,
    finalize: unsafe extern "C" fn() -> c_int,
    version: unsafe extern "C" fn(*mut c_char, *mut c_int) -> c_int,
    error_string: unsafe extern "C" fn(c_int, *mut c_char, *mut c_int) -> c_int,
    rank: unsafe extern "C" fn(H, *mut c_int) -> c_int,
    size: unsafe extern "C" fn(H, *mut c_int) -> c_int,
    set_errhandler: unsafe extern "C" fn(H, H) -> c_int,
    allreduce: unsafe extern "C" fn(*const c_void, *mut c_void, c_int, H, H, H) -> c_int,
    bcast: unsafe extern "C" fn(*mut c_void, c_int, H, c_int, H) -> c_int,
    abort: unsafe extern "C" fn(H, c_int) -> c_int,
    world: H,
    int32: H,
    byte: H,
    sum: H,
    errors_return: H,
    in_place: *const c_void,
    serialized: c_int,
}

/// A library's functions.
pub(super) trait Calls: Send + Sync {
    /// Starts MPI; whether threads may use it one after the other.
    fn init(&self) -> Result<bool>;
    fn finalize(&self) -> Result<()>;
    fn version(&self) -> Result<String>;
    fn rank(&self) -> Result<usize>;
    fn size(&self) -> Result<usize>;
    /// Errors are returned from now on; without it they end the program.
    fn return_errors(&self) -> Result<()>;
    /// Sums over all ranks, in place; at most `c_int::MAX` values.
    fn sum(&self, values: &mut [i32]) -> Result<()>;
    /// The bytes of one rank to all; at most `c_int::MAX`.
    fn broadcast(&self, bytes: &mut [u8], root: usize) -> Result<()>;
    fn abort(&self, code: c_int);
}

// SAFETY: the pointers are addresses of functions and variables of a library that is never closed, or constants, and
// are only handed back to it.
unsafe impl<H> Send for Functions<H> {}
// SAFETY: as above.
unsafe impl<H> Sync for Functions<H> {}

impl<H: Copy> Functions<H> {
    fn check(&self, operation: &'static str, code: c_int) -> Result<()> {
        if code == 0 {
            return Ok(());
        }
        let (mut text, mut len) = (vec![0_u8; LONGEST], 0);
        // SAFETY: the buffer is longer than any library's longest text.
        let known = unsafe { (self.error_string)(code, text.as_mut_ptr().cast(), &raw mut len) } == 0;
        let reason = if known { text_of(&text, len) } else { format!("error {code}") };
        Err(Error::Operation { operation, reason })
    }
}

fn text_of(bytes: &[u8], len: c_int) -> String {
    let text = &bytes[..usize::try_from(len).unwrap_or(0).min(bytes.len())];
    String::from_utf8_lossy(text).trim_end_matches(['\0', '\n', ' ']).to_string()
}

impl<H: Copy> Calls for Functions<H> {
    fn init(&self) -> Result<bool> {
        let mut provided = 0;
        // SAFETY: MPI-2 lets both pointers to the arguments be null.
        let code = unsafe {
            (self.init_thread)(std::ptr::null_mut(), std::ptr::null_mut(), self.serialized, &raw mut provided)
        };
        self.check("MPI_Init_thread", code)?;
        Ok(provided >= self.serialized)
    }

    fn finalize(&self) -> Result<()> {
        // SAFETY: it takes nothing.
        self.check("MPI_Finalize", unsafe { (self.finalize)() })
    }

    fn version(&self) -> Result<String> {
        let (mut text, mut len) = (vec![0_u8; LONGEST], 0);
        // SAFETY: the buffer is longer than any library's longest version.
        let code = unsafe { (self.version)(text.as_mut_ptr().cast(), &raw mut len) };
        self.check("MPI_Get_library_version", code)?;
        Ok(text_of(&text, len))
    }

    fn rank(&self) -> Result<usize> {
        let mut rank = 0;
        // SAFETY: the communicator is the library's own.
        self.check("MPI_Comm_rank", unsafe { (self.rank)(self.world, &raw mut rank) })?;
        Ok(usize::try_from(rank).unwrap_or(0))
    }

    fn size(&self) -> Result<usize> {
        let mut size = 0;
        // SAFETY: the communicator is the library's own.
        self.check("MPI_Comm_size", unsafe { (self.size)(self.world, &raw mut size) })?;
        Ok(usize::try_from(size).unwrap_or(0))
    }

    fn return_errors(&self) -> Result<()> {
        // SAFETY: both handles are the library's own.
        let code = unsafe { (self.set_errhandler)(self.world, self.errors_return) };
        self.check("MPI_Comm_set_errhandler", code)
    }

    fn sum(&self, values: &mut [i32]) -> Result<()> {
        let count = c_int::try_from(values.len()).unwrap_or(c_int::MAX);
        let buffer = values.as_mut_ptr().cast();
        // SAFETY: the buffer has `count` values of 32 bits and nobody else's; handles are the library's own.
        let code = unsafe { (self.allreduce)(self.in_place, buffer, count, self.int32, self.sum, self.world) };
        self.check("MPI_Allreduce", code)
    }

    fn broadcast(&self, bytes: &mut [u8], root: usize) -> Result<()> {
        let count = c_int::try_from(bytes.len()).unwrap_or(c_int::MAX);
        let (buffer, root) = (bytes.as_mut_ptr().cast(), c_int::try_from(root).unwrap_or(0));
        // SAFETY: the buffer has `count` bytes and nobody else's; handles are the library's own.
        let code = unsafe { (self.bcast)(buffer, count, self.byte, root, self.world) };
        self.check("MPI_Bcast", code)
    }

    fn abort(&self, code: c_int) {
        // SAFETY: the communicator is the library's own. It does not return.
        let _ended = unsafe { (self.abort)(self.world, code) };
    }
}

/// What of `library` is called `symbol`.
///
/// # Safety
/// It is of type `T`.
unsafe fn symbol<T: Copy>(library: &Library, name: &str, symbol: &str) -> Result<T> {
    // SAFETY: the caller says so.
    match unsafe { library.get::<T>(symbol) } {
        Ok(found) => Ok(*found),
        Err(_) => Err(Error::NoSymbol { library: name.into(), symbol: symbol.into() }),
    }
}

/// Handles and constants of an interface: world, 32-bit integers, bytes, sum, errors that return, in place.
struct Constants<H> {
    handles: [H; 5],
    in_place: isize,
    serialized: c_int,
}

fn functions<H: Copy + 'static>(library: &Library, name: &str, constants: &Constants<H>) -> Result<Box<dyn Calls>> {
    let Constants { handles: [world, int32, byte, sum, errors_return], in_place, serialized } = *constants;
    // SAFETY: these are the types of the functions in the headers, with `H` for handles.
    let functions = unsafe {
        Functions {
            init_thread: symbol(library, name, "MPI_Init_thread")?,
            finalize: symbol(library, name, "MPI_Finalize")?,
            version: symbol(library, name, "MPI_Get_library_version")?,
            error_string: symbol(library, name, "MPI_Error_string")?,
            rank: symbol(library, name, "MPI_Comm_rank")?,
            size: symbol(library, name, "MPI_Comm_size")?,
            set_errhandler: symbol(library, name, "MPI_Comm_set_errhandler")?,
            allreduce: symbol(library, name, "MPI_Allreduce")?,
            bcast: symbol(library, name, "MPI_Bcast")?,
            abort: symbol(library, name, "MPI_Abort")?,
            world,
            int32,
            byte,
            sum,
            errors_return,
            in_place: std::ptr::without_provenance(in_place as usize),
            serialized,
        }
    };
    Ok(Box::new(functions))
}

/// The interface of a library, and its functions.
pub(super) fn calls(library: &Library, name: &str) -> Result<(Abi, Box<dyn Calls>)> {
    let abi = abi(library);
    let calls = match abi {
        Abi::Standard => {
            let handles = [0x101, 0x250, 0x247, 0x21, 0x143].map(std::ptr::without_provenance_mut::<c_void>);
            functions(library, name, &Constants { handles, in_place: 1, serialized: SERIALIZED[0] })?
        }
        Abi::Mpich => {
            let handles: [c_int; 5] = [0x4400_0000, 0x4c00_0439, 0x4c00_010d, 0x5800_0003, 0x5400_0001];
            functions(library, name, &Constants { handles, in_place: -1, serialized: SERIALIZED[1] })?
        }
        Abi::OpenMpi => {
            // SAFETY: these are variables, whose addresses are the handles.
            let address = |variable: &str| unsafe { symbol::<*mut c_void>(library, name, variable) };
            let handles = [
                address("ompi_mpi_comm_world")?,
                address("ompi_mpi_int32_t")?,
                address("ompi_mpi_byte")?,
                address("ompi_mpi_op_sum")?,
                address("ompi_mpi_errors_return")?,
            ];
            functions(library, name, &Constants { handles, in_place: 1, serialized: SERIALIZED[1] })?
        }
    };
    Ok((abi, calls))
}

/// MPICH 5 knows `MPI_Abi_get_version` in both of its libraries, and says in that of its own interface that it has none.
fn abi(library: &Library) -> Abi {
    type Version = unsafe extern "C" fn(*mut c_int, *mut c_int) -> c_int;
    // SAFETY: this is its type in MPI 5.0.
    if let Ok(version) = unsafe { library.get::<Version>("MPI_Abi_get_version") } {
        let (mut major, mut minor) = (-1, -1);
        // SAFETY: both pointers are of integers; MPI 5.0 lets it be called before MPI is started.
        let code = unsafe { version(&raw mut major, &raw mut minor) };
        if code == 0 && major >= 1 {
            return Abi::Standard;
        }
    }
    // SAFETY: only whether it is there is asked.
    match unsafe { library.get::<*mut c_void>("ompi_mpi_comm_world") } {
        Ok(_) => Abi::OpenMpi,
        Err(_) => Abi::Mpich,
    }
}
