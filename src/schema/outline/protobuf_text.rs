//! Reads the text of a `.proto` file: messages, fields and enums.
//!
//! Rules: services, extensions, options and reserved ranges are passed over. What is no Protobuf is an error with its line.

/// What a file defines.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Empty when there is none.
    pub package: String,
    /// In the order of the text, the inner ones after the ones they stand in.
    pub messages: Vec<Message>,
    pub enums: Vec<Enum>,
}

/// A message, with its name in the package: `Outer.Inner`.
#[derive(Debug)]
pub(super) struct Message {
    pub name: String,
    pub fields: Vec<Field>,
}

/// An enum, with its name in the package and its values as `NAME = 1`.
#[derive(Debug)]
pub(super) struct Enum {
    pub name: String,
    pub values: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Field {
    pub label: String,
    pub ty: String,
    pub name: String,
    pub number: String,
    pub oneof: Option<String>,
    pub default: Option<String>,
}

/// Messages in messages.
const MOST_NESTED: usize = 60;

/// Bytes of a word, and of a name with those of the messages around it. Such a name is kept for each message and field.
const MOST_BYTES: usize = 1_000;

/// Parts of a name: a type is looked for from each.
const MOST_PARTS: usize = 60;

/// Reads it.
///
/// # Errors
/// What is wrong, with its line.
pub(super) fn read(text: &str) -> Result<File, String> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0, file: File::default() };
    while let Some(word) = reader.next() {
        match word.as_str() {
            "package" => {
                reader.file.package = reader.word()?;
                reader.expect(";")?;
            }
            "message" => reader.message("", 0)?,
            "enum" => reader.enumeration("")?,
            "syntax" | "edition" | "import" | "option" => reader.pass(";")?,
            "service" | "extend" => reader.pass("}")?,
            ";" => {}
            other => return Err(reader.unexpected("a definition", other)),
        }
    }
    Ok(reader.file)
}

/// A word, number, text or sign, with its line.
type Token = (String, usize);

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut line = 1;
    let mut advance = |rest: &mut &str, to: usize| {
        let (passed, more) = rest.split_at(to);
        line += passed.matches('\n').count();
        *rest = more;
        (passed.to_owned(), line)
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            advance(&mut rest, first.len_utf8());
        } else if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            advance(&mut rest, end);
        } else if rest.starts_with("/*") {
            let end = rest.find("*/").ok_or("a comment has no end")?;
            advance(&mut rest, end + 2);
        } else if first == '"' || first == '\'' {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == first && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            let (end, _) = end.ok_or("a text has no end")?;
            tokens.push(advance(&mut rest, end + 1));
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let (word, line) = advance(&mut rest, end);
            if end > MOST_BYTES {
                return Err(format!("line {line}: a word has more than {MOST_BYTES} bytes"));
            }
            if word.split('.').count() > MOST_PARTS {
                return Err(format!("line {line}: a name has more than {MOST_PARTS} parts"));
            }
            tokens.push((word, line));
        } else {
            tokens.push(advance(&mut rest, first.len_utf8()));
        }
    }
    Ok(tokens)
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    file: File,
}

impl Reader {
    fn next(&mut self) -> Option<String> {
        let (token, _) = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token.clone())
    }

    fn sees(&self, token: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|(next, _)| next == token)
    }

    fn unexpected(&self, wanted: &str, found: &str) -> String {
        let line = self.tokens.get(self.at.saturating_sub(1)).map_or(1, |(_, line)| *line);
        format!("line {line}: {wanted} is expected, not `{}`", crate::schema::parse::clip(found))
    }

    fn expect(&mut self, wanted: &str) -> Result<(), String> {
        let found = self.next().unwrap_or_default();
        if found == wanted { Ok(()) } else { Err(self.unexpected(&format!("`{wanted}`"), &found)) }
    }

    fn word(&mut self) -> Result<String, String> {
        let found = self.next().unwrap_or_default();
        let is_word = found.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        if is_word { Ok(found) } else { Err(self.unexpected("a name", &found)) }
    }

    /// Passes over everything up to the token, braces inside left out.
    fn pass(&mut self, until: &str) -> Result<(), String> {
        let mut open = 0_usize;
        while let Some(token) = self.next() {
            match token.as_str() {
                "{" => open += 1,
                "}" => open = open.saturating_sub(1),
                _ => {}
            }
            if open == 0 && token == until {
                return Ok(());
            }
        }
        Err(format!("`{until}` is missing at the end"))
    }

    /// The next word as a name inside `outer`.
    fn inside(&mut self, outer: &str) -> Result<String, String> {
        let name = self.word()?;
        self.inside_of(outer, &name)
    }

    fn inside_of(&self, outer: &str, name: &str) -> Result<String, String> {
        let full = if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") };
        let line = self.tokens.get(self.at.saturating_sub(1)).map_or(1, |(_, line)| *line);
        if full.len() <= MOST_BYTES {
            Ok(full)
        } else {
            Err(format!("line {line}: a name has more than {MOST_BYTES} bytes"))
        }
    }

    fn message(&mut self, outer: &str, depth: usize) -> Result<(), String> {
        let name = self.inside(outer)?;
        self.expect("{")?;
        self.body(name, depth)
    }

    fn body(&mut self, name: String, depth: usize) -> Result<(), String> {
        if depth > MOST_NESTED {
            return Err(format!("messages are nested deeper than {MOST_NESTED} levels"));
        }
        let place = self.file.messages.len();
        self.file.messages.push(Message { name: name.clone(), fields: Vec::new() });
        let mut fields = Vec::new();
        let mut oneof = None;
        loop {
            let Some(word) = self.next() else { return Err(format!("message {name} has no end")) };
            // A field's type may be called as a keyword is; then a name and `=` follow.
            let is_field = self.tokens.get(self.at + 1).is_some_and(|(sign, _)| sign == "=");
            match word.as_str() {
                "}" if oneof.is_some() => oneof = None,
                "}" => break,
                ";" => {}
                "message" if !is_field => self.message(&name, depth + 1)?,
                "enum" if !is_field => self.enumeration(&name)?,
                "oneof" if !is_field => {
                    oneof = Some(self.word()?);
                    self.expect("{")?;
                }
                "option" | "reserved" | "extensions" if !is_field => self.pass(";")?,
                "extend" if !is_field => self.pass("}")?,
                _ => fields.push(self.field(word, &name, oneof.clone(), depth)?),
            }
        }
        if let Some(message) = self.file.messages.get_mut(place) {
            message.fields = fields;
        }
        Ok(())
    }

    fn field(&mut self, first: String, message: &str, oneof: Option<String>, depth: usize) -> Result<Field, String> {
        let mut field = Field { ty: first, oneof, ..Field::default() };
        let is_label = ["repeated", "optional", "required"].contains(&field.ty.as_str());
        let names_a_type = self.tokens.get(self.at + 1).is_none_or(|(sign, _)| sign != "=");
        if is_label && names_a_type {
            field.label = std::mem::replace(&mut field.ty, self.word()?);
        }
        if field.ty == "map" && self.sees("<") {
            self.expect("<")?;
            let key = self.word()?;
            self.expect(",")?;
            let value = self.word()?;
            self.expect(">")?;
            field.label = format!("map of {key} to");
            field.ty = value;
        }
        if !field.ty.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '.') {
            return Err(self.unexpected("a field's type", &field.ty));
        }
        field.name = self.word()?;
        self.expect("=")?;
        field.number = self.word()?;
        if self.sees("[") {
            self.options(&mut field)?;
        }
        if field.ty == "group" && self.sees("{") {
            self.expect("{")?;
            field.ty = field.name.clone();
            field.name = field.name.to_lowercase();
            self.body(self.inside_of(message, &field.ty)?, depth + 1)?;
            return Ok(field);
        }
        self.expect(";")?;
        Ok(field)
    }

    fn options(&mut self, field: &mut Field) -> Result<(), String> {
        let mut open = 0_usize;
        while let Some(token) = self.next() {
            match token.as_str() {
                "[" | "{" => open += 1,
                "]" | "}" => open = open.saturating_sub(1),
                "default" if open == 1 && self.sees("=") => {
                    self.expect("=")?;
                    let sign = if self.sees("-") { self.next() } else { None };
                    field.default = Some(sign.unwrap_or_default() + &self.next().unwrap_or_default());
                }
                _ => {}
            }
            if open == 0 {
                return Ok(());
            }
        }
        Err("`]` is missing at the end".to_owned())
    }

    fn enumeration(&mut self, outer: &str) -> Result<(), String> {
        let name = self.inside(outer)?;
        self.expect("{")?;
        let mut values = Vec::new();
        loop {
            let word = self.word_or("}")?;
            match word.as_str() {
                "}" => break,
                ";" => {}
                "option" | "reserved" if !self.sees("=") => self.pass(";")?,
                _ => {
                    self.expect("=")?;
                    let sign = if self.sees("-") { self.next() } else { None };
                    values.push(format!("{word} = {}{}", sign.unwrap_or_default(), self.word()?));
                    self.pass(";")?;
                }
            }
        }
        self.file.enums.push(Enum { name, values });
        Ok(())
    }

    /// A name, the token, or `;`.
    fn word_or(&mut self, token: &str) -> Result<String, String> {
        if self.sees(token) || self.sees(";") { Ok(self.next().unwrap_or_default()) } else { self.word() }
    }
}
