//! Who hears the story: the demo tells it at length, the tests in few lines.

/// Hears what happens.
pub trait Narrator {
    /// A new stage begins.
    fn stage(&mut self, title: &str);
    /// Something came true.
    fn say(&mut self, line: &str);
    /// A longer text: a plan, a verdict.
    fn text(&mut self, text: &str);
    /// Something changed while it is waited for.
    fn step(&mut self, line: &str);
}

/// Hears nothing.
pub struct Silent;

impl Narrator for Silent {
    fn stage(&mut self, _title: &str) {}
    fn say(&mut self, _line: &str) {}
    fn text(&mut self, _text: &str) {}
    fn step(&mut self, _line: &str) {}
}
