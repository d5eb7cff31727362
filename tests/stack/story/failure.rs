//! Failures as one sentence, and waiting for something with a deadline.

use std::fmt;
use std::time::{Duration, Instant};

/// What did not come true, for a person.
pub struct Failure(String);

/// A result whose error is a sentence.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a test prints when it returns one.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// Turns any error into a failure that says during what it happened.
pub trait During<T> {
    /// The same, with what was being done in front.
    fn during(self, what: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: std::error::Error> During<T> for Result<T, E> {
    fn during(self, what: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| {
            let mut text = format!("{what}: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                text.push_str(&format!(": {cause}"));
                source = cause.source();
            }
            Failure(text)
        })
    }
}

impl<T> During<T> for Option<T> {
    fn during(self, what: impl fmt::Display) -> Outcome<T> {
        self.ok_or_else(|| Failure(format!("{what}: not there")))
    }
}

/// `Ok` when it holds, else a failure with that text.
pub fn ensure(holds: bool, text: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(Failure(text())) }
}

/// How often something is looked at unless said otherwise.
pub const LOOK: Duration = Duration::from_millis(200);

/// One look at something that is waited for.
pub enum Look<T> {
    /// It is there.
    There(T),
    /// Not yet, because.
    NotYet(String),
}

/// Looks again and again until it is there. An error is taken as "not yet": what is waited for may be starting.
///
/// # Errors
/// After `limit`: what was waited for, and why it was not there at the last look.
pub async fn until<T>(what: &str, limit: Duration, mut look: impl AsyncFnMut() -> Outcome<Look<T>>) -> Outcome<T> {
    until_each(what, limit, LOOK, &mut look).await
}

/// The same, looking each `pause`.
///
/// # Errors
/// See [`until`].
pub async fn until_each<T>(
    what: &str,
    limit: Duration,
    pause: Duration,
    look: &mut impl AsyncFnMut() -> Outcome<Look<T>>,
) -> Outcome<T> {
    let began = Instant::now();
    loop {
        let why = match look().await {
            Ok(Look::There(found)) => return Ok(found),
            Ok(Look::NotYet(why)) => why,
            Err(error) => error.to_string(),
        };
        if began.elapsed() > limit {
            return Err(Failure(format!("{what}: not within {} s; last look: {why}", limit.as_secs())));
        }
        tokio::time::sleep(pause).await;
    }
}
