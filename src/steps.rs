//! How much work was done, for tests that show that it grows no faster than the text. Outside of tests nothing is counted.
//!
//! A step is a token that was looked at, a byte that was searched more than once, or a part of a tree or of a result that was
//! visited.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts `n` steps.
#[inline(always)]
#[cfg_attr(not(test), expect(unused_variables, reason = "counted in tests only"))]
pub(crate) fn count(n: usize) {
    #[cfg(test)]
    STEPS.with(|steps| steps.set(steps.get().saturating_add(n)));
}

/// What `work` gives, and how many steps this thread took for it.
#[cfg(test)]
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = STEPS.with(std::cell::Cell::get);
    let made = work();
    (made, STEPS.with(std::cell::Cell::get) - before)
}
