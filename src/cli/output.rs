//! What a command gives back, and the one place that prints it and decides the exit code.
//!
//! Rules: the answer goes to stdout, everything else to stderr; 0 is done or yes, 1 is no, 2 is could not answer; with
//! `--output json` both are JSON; colour only on a terminal and never with `NO_COLOR`; text that came from outside is
//! printed without its control characters.

use std::error::Error;
use std::ffi::OsString;
use std::fmt::{self, Display, Write as _};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::ValueEnum as _;
use serde::Serialize;
use serde_json::{Value, json};

/// The face of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl Format {
    /// The one that a command line asks for which could not be taken: what is said of it has that face all the same.
    pub fn asked(args: impl IntoIterator<Item = OsString>) -> Self {
        let mut args = args.into_iter().take_while(|arg| arg != "--").peekable();
        let mut asked = Self::default();
        while let Some(arg) = args.next() {
            let face = match arg.to_str() {
                Some("--output") => args.peek().and_then(|next| next.to_str()),
                Some(arg) => arg.strip_prefix("--output="),
                None => None,
            };
            asked = face.and_then(|face| Self::from_str(face, false).ok()).unwrap_or(asked);
        }
        asked
    }
}

/// Whether text carries colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// No escape sequences.
    #[default]
    Plain,
    /// Escape sequences for a terminal.
    Ansi,
}

impl Colour {
    /// For a stream that is (or is not) a terminal.
    pub fn of(stream: &impl IsTerminal) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if stream.is_terminal() && !unwanted { Self::Ansi } else { Self::Plain }
    }
}

/// Something that can be shown in both faces. `{:#}` asks `Display` for colours.
pub trait Shown {
    /// For people.
    fn text(&self, colour: Colour) -> String;
    /// For programs.
    fn json(&self) -> Value;
}

impl<T: Serialize + Display> Shown for T {
    fn text(&self, colour: Colour) -> String {
        match colour {
            Colour::Plain => format!("{self}"),
            Colour::Ansi => format!("{self:#}"),
        }
    }

    fn json(&self) -> Value {
        // Only a type that cannot be JSON at all ends here (a map with keys that are no text).
        serde_json::to_value(self).unwrap_or_else(|error| json!({ "error": { "message": error.to_string() } }))
    }
}

/// What the answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done, or yes.
    Yes,
    /// No.
    No,
    /// Neither: it could not be judged.
    Unknown,
}

/// A command's answer.
pub struct Reply {
    value: Box<dyn Shown>,
    answer: Answer,
    help: Option<String>,
    in_lines: bool,
}

impl Reply {
    /// Done, or yes.
    pub fn yes(value: impl Shown + 'static) -> Self {
        Self { value: Box::new(value), answer: Answer::Yes, help: None, in_lines: false }
    }

    /// No: a check failed, something was refused.
    pub fn no(value: impl Shown + 'static) -> Self {
        Self { value: Box::new(value), answer: Answer::No, help: None, in_lines: false }
    }

    /// Not judged: it says why.
    pub fn unknown(value: impl Shown + 'static) -> Self {
        Self { answer: Answer::Unknown, ..Self::no(value) }
    }

    /// What the answer says.
    pub fn answer(&self) -> Answer {
        self.answer
    }

    /// The same; as JSON each element of a list is a line of its own, for programs that read a line at a time.
    #[must_use]
    pub fn in_lines(mut self) -> Self {
        self.in_lines = true;
        self
    }

    /// The same, with a way on that is printed to stderr.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Why there is no answer, or why it is no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What failed, and then each cause: one line each.
    pub lines: Vec<String>,
    /// The way out.
    pub help: Option<String>,
    /// The daemon's name for the cause, when it said one.
    pub cause: Option<String>,
    /// `No` when somebody was asked and refused; `None` when the question was not answered.
    pub answer: Option<Answer>,
}

impl Failure {
    /// Could not answer.
    pub fn new(message: impl Into<String>) -> Self {
        Self { lines: vec![message.into()], help: None, cause: None, answer: None }
    }

    /// Asked, and the answer is no.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { answer: Some(Answer::No), ..Self::new(message) }
    }

    /// The same, with `error` and its sources as causes.
    #[must_use]
    pub fn because(mut self, error: &dyn Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let line = error.to_string();
            if self.lines.last() != Some(&line) {
                self.lines.push(line);
            }
            next = error.source();
        }
        self
    }

    /// The same, with a way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn text(&self, colour: Colour) -> String {
        let mut out = String::new();
        for (i, line) in self.lines.iter().flat_map(|line| line.lines()).enumerate() {
            let word = if i == 0 { "error" } else { "cause" };
            let word = Painted(colour, Paint::Red, if i == 0 { word } else { "  cause" });
            let _ = writeln!(out, "{word}: {}", plain(line));
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "{}: {}", Painted(colour, Paint::Cyan, "help"), plain(help));
        }
        out
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let (message, causes) = match self.lines.split_first() {
            Some((first, rest)) => (first.as_str(), rest),
            None => ("", &[][..]),
        };
        json!({ "error": { "cause": self.cause, "message": message, "causes": causes, "help": self.help } })
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut failure = Self { lines: Vec::new(), help: None, cause: None, answer: None };
        failure = failure.because(&error);
        failure
    }
}

/// Prints what came out and gives the exit code that goes with it.
pub fn finish(result: &Result<Reply, Failure>, format: Format) -> ExitCode {
    let (stdout, mut stderr) = (io::stdout(), io::stderr());
    let (on_stdout, on_stderr) = (Colour::of(&stdout), Colour::of(&stderr));
    let (out, err) = printed(result, format, on_stdout, on_stderr);
    // The answer first, then the way on from it.
    if !written(&out) {
        return ExitCode::from(2);
    }
    // Nobody is left to be told when stderr is closed.
    let _ = stderr.write_all(err.as_bytes());
    ExitCode::from(code(result))
}

/// Writes `text` to stdout; false, and said on stderr, when it cannot be. A reader that went away (`| head`) has what it
/// wanted.
fn written(text: &str) -> bool {
    let mut stdout = io::stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let failure = Failure::new("the answer cannot be written")
                .because(&error)
                .help("what was asked for may have been done all the same: only the answer is lost");
            let _ = io::stderr().write_all(failure.text(Colour::of(&io::stderr())).as_bytes());
            false
        }
        _ => true,
    }
}

/// Prints why a command line was not taken, or the help that was asked for, and gives the exit code that goes with it.
pub fn not_parsed(error: &clap::Error, format: Format) -> ExitCode {
    if error.use_stderr() {
        if format == Format::Json {
            return finish(&Err(usage(error)), format);
        }
        // Nobody is left to be told when stderr is closed.
        let _ = error.print();
        return ExitCode::from(2);
    }
    let text = error.render();
    let text = if Colour::of(&io::stdout()) == Colour::Ansi { text.ansi().to_string() } else { text.to_string() };
    if written(&text) { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

/// What is wrong with a command line, its parts apart.
fn usage(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let is_help = |line: &&str| ["tip:", "Usage:", "For more information"].iter().any(|word| line.starts_with(word));
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let (help, told): (Vec<&str>, Vec<&str>) = lines.partition(is_help);
    let told = told.iter().map(|line| line.strip_prefix("error: ").unwrap_or(line).to_owned());
    Failure { lines: told.collect(), help: Some(help.join("; ")), cause: None, answer: None }
}

fn code(result: &Result<Reply, Failure>) -> u8 {
    let answer = match result {
        Ok(reply) => Some(reply.answer),
        Err(failure) => failure.answer,
    };
    match answer {
        Some(Answer::Yes) => 0,
        Some(Answer::No) => 1,
        Some(Answer::Unknown) | None => 2,
    }
}

/// What goes to stdout and what goes to stderr.
fn printed(result: &Result<Reply, Failure>, format: Format, on_stdout: Colour, on_stderr: Colour) -> (String, String) {
    let line = |text: String| if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" };
    let pretty = |value: &Value| line(format!("{value:#}"));
    match (result, format) {
        (Ok(reply), Format::Json) => match reply.value.json() {
            Value::Array(elements) if reply.in_lines => {
                (elements.iter().map(|element| format!("{element}\n")).collect(), String::new())
            }
            value => (pretty(&value), String::new()),
        },
        (Ok(reply), Format::Text) => {
            let help =
                reply.help.iter().map(|help| format!("{}: {}\n", Painted(on_stderr, Paint::Cyan, "help"), plain(help)));
            (line(reply.value.text(on_stdout)), help.collect())
        }
        (Err(failure), Format::Json) => (String::new(), pretty(&failure.json())),
        (Err(failure), Format::Text) => (String::new(), failure.text(on_stderr)),
    }
}

/// A colour for a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Good.
    Green,
    /// Bad.
    Red,
    /// To be looked at.
    Yellow,
    /// A hint, an address, a name.
    Cyan,
    /// A heading.
    Bold,
}

/// Text in a colour.
pub struct Painted<T>(pub Colour, pub Paint, pub T);

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.1 {
            Paint::Green => "32",
            Paint::Red => "31",
            Paint::Yellow => "33",
            Paint::Cyan => "36",
            Paint::Bold => "1",
        };
        match self.0 {
            Colour::Plain => self.2.fmt(f),
            Colour::Ansi => {
                write!(f, "\x1b[{digits}m")?;
                self.2.fmt(f)?;
                f.write_str("\x1b[0m")
            }
        }
    }
}

/// The colour that a formatter was asked for: `{:#}` is with.
pub fn colour(f: &fmt::Formatter<'_>) -> Colour {
    if f.alternate() { Colour::Ansi } else { Colour::Plain }
}

/// Text from outside as one line without control characters, so that it cannot drive the terminal.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => ' ',
            c if c.is_control() => '\u{fffd}',
            // Marks that turn the direction of writing can make a line read as another one.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// `1 table`, `2 tables`.
pub fn count(n: usize, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}

/// Columns under headings, two spaces between them, nothing behind the last.
pub fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let wide = |text: &String| text.chars().count();
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (i, cell) in row.iter().enumerate() {
            match widths.get_mut(i) {
                Some(width) => *width = (*width).max(wide(cell)),
                None => widths.push(wide(cell)),
            }
        }
    }
    rows.iter()
        .map(|row| {
            let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Count {
        n: u32,
    }

    impl Display for Count {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}", Painted(colour(f), Paint::Green, self.n))
        }
    }

    fn print(result: &Result<Reply, Failure>, format: Format) -> (String, String) {
        printed(result, format, Colour::Plain, Colour::Plain)
    }

    #[test]
    fn one_result_has_two_faces() {
        let reply = Ok(Reply::yes(Count { n: 3 }));
        assert_eq!(print(&reply, Format::Text), ("3\n".to_owned(), String::new()));
        assert_eq!(print(&reply, Format::Json), ("{\n  \"n\": 3\n}\n".to_owned(), String::new()));
        assert_eq!(printed(&reply, Format::Text, Colour::Ansi, Colour::Plain).0, "\x1b[32m3\x1b[0m\n");
    }

    #[test]
    fn yes_is_0_no_is_1_and_no_answer_is_2() {
        assert_eq!(code(&Ok(Reply::yes(Count { n: 1 }))), 0);
        assert_eq!(code(&Ok(Reply::no(Count { n: 1 }))), 1);
        assert_eq!(code(&Err(Failure::refused("no"))), 1);
        assert_eq!(code(&Err(Failure::new("lost"))), 2);
    }

    #[test]
    fn a_failure_is_one_line_for_each_cause_and_help_apart() {
        let inner = io::Error::new(io::ErrorKind::NotFound, "no such file");
        let failure = Err(Failure::new("the plan cannot be read").because(&inner).help("name another file"));
        let text = "error: the plan cannot be read\n  cause: no such file\nhelp: name another file\n";
        assert_eq!(print(&failure, Format::Text), (String::new(), text.to_owned()));
        let (out, err) = print(&failure, Format::Json);
        let json: Value = serde_json::from_str(&err).unwrap();
        assert!(out.is_empty());
        assert_eq!(json["error"]["message"], "the plan cannot be read");
        assert_eq!(json["error"]["causes"][0], "no such file");
        assert_eq!(json["error"]["help"], "name another file");
    }

    #[test]
    fn text_from_outside_cannot_drive_the_terminal() {
        assert_eq!(plain("a\x1b[2Jb\nc\u{202e}d"), "a\u{fffd}[2Jb c\u{fffd}d");
    }

    #[test]
    fn a_command_line_that_is_wrong_asks_for_a_face_all_the_same() {
        let asked = |line: &str| Format::asked(line.split(' ').map(OsString::from));
        assert_eq!(asked("cyanotype plan --output json --odd"), Format::Json);
        assert_eq!(asked("cyanotype --output=json nothing"), Format::Json);
        assert_eq!(asked("cyanotype plan --odd"), Format::Text);
        assert_eq!(asked("cyanotype plan --output jason"), Format::Text);
        assert_eq!(asked("cyanotype plan --output json --output text"), Format::Text);
        assert_eq!(asked("cyanotype parse -- --output json"), Format::Text);
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".to_owned(), "bb".to_owned()], vec!["ccc".to_owned(), "d".to_owned()]];
        assert_eq!(columns(&rows), ["a    bb", "ccc  d"]);
    }
}
