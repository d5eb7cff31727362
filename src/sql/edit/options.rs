//! Options of `WITH (...)` and of hints.

use super::{CannotEdit, EditSet, Joint, refused};
use crate::diagnostic::{Edit, Span};
use crate::sql::layout::{List, newline_of};
use crate::sql::tree::{CreateTable, Hint};

/// Behind a column list that is inserted at the same place.
const WITH_COMES_LATER: u8 = 1;

impl EditSet<'_> {
    /// Gives option `key` of a table the value `value`, both without quotes: in its place, or as a new last option in the
    /// layout of the others, with a `WITH` clause if there is none.
    pub fn set_option(&mut self, table: &CreateTable, key: &str, value: &str) -> &mut Self {
        let operation = format!("set option '{key}'");
        let literal = string_literal(value);
        if let Some(option) = table.option(key) {
            return self.replace(operation, option.value_span, literal);
        }
        let option = format!("{} = {literal}", string_literal(key));
        let Some(brackets) = table.options_span else { return self.first_options(operation, table, option) };
        let items: Vec<Span> = table.options.iter().map(|o| o.key_span.join(o.value_span)).collect();
        if let (Some(edit), Some(last)) =
            (List::new(self.text, &items).and_then(|l| l.append_one(&option)), items.last())
        {
            return self.append(operation, edit, last.end, Joint::default());
        }
        let inside = Span::new(brackets.start + 1, brackets.start + 1);
        let joint = Joint { between: ", ".to_owned(), ..Joint::default() };
        self.append(operation, Edit { span: inside, text: option }, inside.start, joint)
    }

    /// A `WITH` clause: it comes after everything but `LIKE`.
    fn first_options(&mut self, operation: String, table: &CreateTable, option: String) -> &mut Self {
        let newline = newline_of(self.text);
        let (at, before, behind) = match &table.like {
            Some(like) => (like.span.start, "", " "),
            // The query of CREATE TABLE ... AS comes after the options.
            None => (table.options_place, " ", ""),
        };
        let joint = Joint {
            order: WITH_COMES_LATER,
            before: format!("{before}WITH ({newline}  "),
            between: format!(",{newline}  "),
            behind: format!("{newline}){behind}"),
        };
        self.append(operation, Edit { span: Span::new(at, at), text: option }, at, joint)
    }

    /// Takes option `key` away, wherever it is given.
    ///
    /// # Errors
    /// There is no such option.
    pub fn remove_option(&mut self, table: &CreateTable, key: &str) -> Result<&mut Self, CannotEdit> {
        let operation = format!("remove option '{key}'");
        let given: Vec<Span> =
            table.options.iter().filter(|o| o.key == key).map(|o| o.key_span.join(o.value_span)).collect();
        let (Some(brackets), false) = (table.options_span, given.is_empty()) else {
            return Err(refused(operation, format!("`{}` has no such option", table.name.dotted()), None));
        };
        given.into_iter().for_each(|option| self.take_out(operation.clone(), brackets, option));
        Ok(self)
    }

    /// Gives option `key` of a hint such as `OPTIONS('key' = 'value')` the value `value`, both without quotes: in its place,
    /// or as a new last one.
    ///
    /// # Errors
    /// The hint has no options, or its value is not one text in single quotes.
    pub fn set_hint_option(&mut self, hint: &Hint, key: &str, value: &str) -> Result<&mut Self, CannotEdit> {
        let operation = format!("set option '{key}' of hint {}", hint.name.name);
        let given = hint.args.iter().rev().find(|arg| arg.key.as_ref().is_some_and(|k| k.ident.name == key));
        if let Some(arg) = given {
            if !arg.value.is_string || self.goes_on(arg.value.ident.span.end + 1) {
                return Err(refused(
                    operation,
                    "its value is not one text in single quotes",
                    Some(arg.value.ident.span),
                ));
            }
            return Ok(self.replace(operation, arg.value.ident.span, value.replace('\'', "''")));
        }
        let last = hint.args.last().filter(|arg| arg.key.is_some() && arg.value.is_string);
        let end = last.map(|arg| arg.value.ident.span.end + 1).filter(|end| !self.goes_on(*end));
        let Some(end) = end else {
            return Err(refused(operation, "the hint has no options", Some(hint.name.span)));
        };
        let text = format!(", {} = {}", string_literal(key), string_literal(value));
        Ok(self.append(operation, Edit { span: Span::new(end, end), text }, end, Joint::default()))
    }

    /// True if a literal that ends here has another part: texts in a row are one.
    fn goes_on(&self, end: usize) -> bool {
        self.text.get(end..).is_some_and(|rest| rest.trim_start().starts_with('\''))
    }
}

/// `text` as a string literal.
fn string_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
