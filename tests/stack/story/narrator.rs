//! Who tells the story: the demo at length, the tests in few lines.

use std::time::Instant;

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

/// Prints a line for each stage and fact, none of the long texts.
pub struct Brief {
    name: String,
    began: Instant,
}

impl Brief {
    /// Lines begin with the name and the seconds since now.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), began: Instant::now() }
    }

    fn print(&self, text: &str) {
        println!("{} {:6.1} s  {text}", self.name, self.began.elapsed().as_secs_f64());
    }
}

impl Narrator for Brief {
    fn stage(&mut self, title: &str) {
        self.print(title);
    }

    fn say(&mut self, line: &str) {
        self.print(&format!("  {line}"));
    }

    fn text(&mut self, _text: &str) {}

    fn step(&mut self, line: &str) {
        self.print(&format!("    {line}"));
    }
}
