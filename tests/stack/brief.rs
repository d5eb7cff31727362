//! The story as tests tell it: a line for each stage and fact, none of the long texts.

use std::time::Instant;

use crate::story::narrator::Narrator;

/// Prints short lines.
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
