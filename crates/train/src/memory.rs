//! Memory that stays flat over a long run.
//!
//! Batches have as many tokens as their texts, so no two steps allocate blocks of the same sizes.
//! The heap of glibc fills with holes from that and grows by two thirds in 300 steps; allocators
//! that return every large block at once stay flat, but lose a fifth of the time to page faults.
//! So libtorch allocates from jemalloc, which here keeps what is freed, and the trainer hands it
//! back to the system once in a while.

/// Steps between two returns of freed memory. The step after a return takes a third of a second
/// more, since it faults its pages in again.
const STEPS: u64 = 16;

/// Returns freed memory to the system where the step is one of those after which that is due.
pub(crate) fn after_step(step: u64) {
    if step.is_multiple_of(STEPS) {
        allocator::purge();
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod allocator {
    use std::ffi::{CStr, c_char};

    /// Large blocks live with the others and nothing is returned unasked.
    #[unsafe(export_name = "malloc_conf")]
    static OPTIONS: Option<&'static c_char> = Some({
        let options: &CStr = c"oversize_threshold:0,dirty_decay_ms:-1,muzzy_decay_ms:0";
        // SAFETY: a C string has at least its end.
        unsafe { &*options.as_ptr() }
    });

    /// The number of all arenas in jemalloc's names (`MALLCTL_ARENAS_ALL`).
    const PURGE: &CStr = c"arena.4096.purge";

    pub(super) fn purge() {
        let null = std::ptr::null_mut();
        // SAFETY: the name ends in a zero and this control reads and writes no value.
        let failed =
            unsafe { tikv_jemalloc_sys::mallctl(PURGE.as_ptr(), null, null.cast(), null, 0) };
        debug_assert_eq!(failed, 0);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod allocator {
    pub(super) fn purge() {}
}
