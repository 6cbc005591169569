//! Instruction sets chosen at run time.
//!
//! Every kernel is written once, as plain loops over arrays of 32 floats, and compiled once per
//! [`Level`]; the compiler turns the loops into the level's vectors. No kernel uses fused
//! multiply-add or lets the compiler reorder a sum, so **all levels, and all platforms, give
//! the same bits**; a level changes the speed only.

use std::sync::OnceLock;

/// An instruction set this processor has. Values other than [`Level::portable`] exist only if
/// the processor was seen to support them, which is what makes dispatch sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(pub(crate) Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// What the compilation target guarantees: SSE2 on x86-64, NEON on aarch64.
    #[must_use]
    pub fn portable() -> Self {
        Self(Kind::Portable)
    }

    /// Every level this processor supports, slowest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "other architectures have one level")]
        let mut levels = vec![Self::portable()];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
                levels.push(Self(Kind::Avx2));
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                {
                    levels.push(Self(Kind::Avx512));
                }
            }
        }
        levels
    }

    /// The fastest level this processor supports.
    #[must_use]
    pub fn detect() -> Self {
        static BEST: OnceLock<Level> = OnceLock::new();
        *BEST.get_or_init(|| Self::available().pop().unwrap_or_else(Self::portable))
    }

    /// A short name: `avx512`, `avx2`, `neon` or `portable`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            Kind::Portable if cfg!(target_arch = "aarch64") => "neon",
            Kind::Portable => "portable",
        }
    }
}

/// Keeps a loop over rows a loop over rows. A row of 32 floats is two vectors of 512 bits. Where what is done with it is
/// little, the compiler would rather make vectors of the first floats of 16 rows, of the second floats and so on, which it
/// has to gather and scatter: several times as slow. It does not see what this does, which is nothing.
#[inline(always)]
pub(crate) fn row_by_row() {
    // SAFETY: there is no instruction in it.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!("", options(nomem, nostack, preserves_flags));
    }
}

/// Compiles a function once per [`Level`] and adds the level as its first argument. Helpers it
/// calls must be `#[inline(always)]` to be compiled for the level too.
macro_rules! dispatch {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        $vis fn $name(level: $crate::simd::Level, $($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,popcnt")]
            fn avx2($($arg: $ty),*) $(-> $ret)? {
                body($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,popcnt")]
            fn avx512($($arg: $ty),*) $(-> $ret)? {
                body($($arg),*)
            }

            match level.0 {
                $crate::simd::Kind::Portable => body($($arg),*),
                // SAFETY: a Level of this kind is made only after the processor was asked.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Kind::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Kind::Avx512 => unsafe { avx512($($arg),*) },
            }
        }
    };
}
pub(crate) use dispatch;
