//! Properties of edit sets, over tables in many layouts.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::column::{Column, ColumnType, Nullable};

/// A table as its author thinks of it.
#[derive(Clone, Debug)]
struct Model {
    name: String,
    /// Name and definition.
    columns: Vec<(String, String)>,
    /// Key and watermark.
    rest: Vec<String>,
    options: Vec<(String, String)>,
}

/// How it is set out.
#[derive(Clone, Debug)]
struct Layout {
    commas: Commas,
    newline: &'static str,
    indent: usize,
    /// Comments at the items, in order; what is left over is not used.
    comments: Vec<Comment>,
    /// The closing bracket on the last item's line.
    closes_at_once: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Commas {
    OneLine,
    Tight,
    Behind,
    InFront,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comment {
    None,
    Line,
    Block,
    Above,
}

/// A change, of a column or an option that no other one changes.
#[derive(Clone, Debug)]
enum Operation {
    RenameTable,
    AddColumn,
    RemoveColumn(String),
    SetType(String),
    RenameColumn(String),
    SetOption(String),
    AddOption,
    RemoveOption(String),
}

impl Model {
    fn items(&self) -> Vec<String> {
        self.columns.iter().map(|(name, definition)| format!("{name} {definition}")).chain(self.rest.clone()).collect()
    }

    fn settings(&self) -> Vec<String> {
        self.options.iter().map(|(key, value)| format!("'{key}' = '{value}'")).collect()
    }

    fn text(&self, layout: &Layout) -> String {
        let (elements, options) = (layout.list(&self.items(), "item"), layout.list(&self.settings(), "option"));
        let eol = layout.newline;
        format!("-- {}{eol}CREATE TABLE {} {elements} COMMENT 'x'{eol}WITH {options};{eol}", self.name, self.name)
    }

    fn make(&mut self, operation: &Operation) {
        match operation {
            Operation::RenameTable => self.name = format!("{}_v2", self.name),
            Operation::AddColumn => {
                let physical = |(_, definition): &(String, String)| {
                    !definition.contains("AS ") && !definition.contains("METADATA")
                };
                let at = self.columns.iter().rposition(physical).map_or(0, |at| at + 1);
                self.columns.insert(at, ("added".to_owned(), "DATE".to_owned()));
            }
            Operation::RemoveColumn(name) => self.columns.retain(|(column, _)| column != name),
            Operation::SetType(name) => {
                self.columns.iter_mut().filter(|(column, _)| column == name).for_each(|(_, definition)| {
                    let behind = [" METADATA", " COMMENT"].iter().find_map(|word| definition.find(word));
                    let behind = behind.map_or("", |at| &definition[at..]);
                    *definition = format!("DECIMAL(9, 2) NOT NULL{behind}");
                });
            }
            Operation::RenameColumn(name) => {
                let named = self.columns.iter_mut().filter(|(column, _)| column == name);
                named.for_each(|(column, _)| *column = format!("`{name} x`"));
            }
            Operation::SetOption(name) => {
                self.options.iter_mut().filter(|(key, _)| key == name).for_each(|(_, value)| *value = "set".to_owned());
            }
            Operation::AddOption => self.options.push(("added".to_owned(), "yes".to_owned())),
            Operation::RemoveOption(name) => self.options.retain(|(key, _)| key != name),
        }
    }
}

impl Layout {
    fn list(&self, items: &[String], what: &str) -> String {
        let (eol, indent) = (self.newline, " ".repeat(self.indent));
        let lines = matches!(self.commas, Commas::Behind | Commas::InFront);
        let mut text = "(".to_owned();
        for (i, item) in items.iter().enumerate() {
            let last = i + 1 == items.len();
            let comment = match self.comments.get(i).unwrap_or(&Comment::None) {
                Comment::None | Comment::Above => String::new(),
                Comment::Line if lines && !(last && self.closes_at_once) => format!(" -- {what} {i}"),
                Comment::Line | Comment::Block => format!(" /* {what} {i} */"),
            };
            let above = if self.comments.get(i) == Some(&Comment::Above) {
                format!("{eol}{indent}-- above {i}")
            } else {
                String::new()
            };
            let comma = if last { "" } else { "," };
            text += &match self.commas {
                Commas::OneLine => format!("{}{item}{comment}{comma}", if i == 0 { "" } else { " " }),
                Commas::Tight => format!("{item}{comment}{comma}"),
                Commas::Behind => format!("{above}{eol}{indent}{item}{comma}{comment}"),
                Commas::InFront => format!("{above}{eol}{indent}{}{item}{comment}", if i == 0 { "  " } else { ", " }),
            };
        }
        if lines && !self.closes_at_once { text + eol + ")" } else { text + ")" }
    }
}

fn layout() -> impl Strategy<Value = Layout> {
    let commas = prop::sample::select(vec![Commas::OneLine, Commas::Tight, Commas::Behind, Commas::InFront]);
    let comment =
        prop::sample::select(vec![Comment::None, Comment::None, Comment::Line, Comment::Block, Comment::Above]);
    let newline = prop::sample::select(vec!["\n", "\r\n"]);
    (commas, newline, 0..5_usize, prop::collection::vec(comment, 9), any::<bool>()).prop_map(
        |(commas, newline, indent, comments, closes_at_once)| Layout {
            commas,
            newline,
            indent,
            comments,
            closes_at_once,
        },
    )
}

fn model() -> impl Strategy<Value = Model> {
    let definition = prop::sample::select(vec![
        "INT",
        "ROW<x INT, y DECIMAL(3, 1)> NOT NULL",
        "MAP<STRING, ARRAY<INT>> COMMENT 'a, b'",
        "AS COALESCE(1, 2)",
        "STRING METADATA FROM 'k' VIRTUAL",
    ]);
    let (columns, options) = (prop::collection::vec(definition, 1..6), 0..4_usize);
    (columns, options, any::<bool>(), any::<bool>()).prop_map(|(definitions, options, key, time)| {
        let mut columns: Vec<(String, String)> =
            definitions.iter().enumerate().map(|(i, definition)| (format!("c{i}"), (*definition).to_owned())).collect();
        let mut rest = Vec::new();
        if key {
            columns.insert(0, ("id".to_owned(), "BIGINT".to_owned()));
            rest.push("PRIMARY KEY (id) NOT ENFORCED".to_owned());
        }
        if time {
            rest.push("WATERMARK FOR ts AS ts - INTERVAL '1' SECOND".to_owned());
        }
        let options = (0..options).map(|i| (format!("k{i}"), format!("v{i}"))).collect();
        Model { name: "orders".to_owned(), columns, rest, options }
    })
}

/// For each column and option at most one change, in any order.
fn operations(model: &Model) -> impl Strategy<Value = Vec<Operation>> + use<> {
    let columns: Vec<(String, bool)> = model
        .columns
        .iter()
        .filter(|(name, _)| name != "id")
        .map(|(name, definition)| (name.clone(), definition.starts_with("AS ")))
        .collect();
    let options: Vec<String> = model.options.iter().map(|(key, _)| key.clone()).collect();
    (prop::collection::vec(0..4_u8, 6), prop::collection::vec(0..3_u8, 4), any::<[bool; 3]>())
        .prop_map(move |(kinds, option_kinds, others)| {
            let mut found = Vec::new();
            for ((name, computed), kind) in columns.iter().zip(kinds) {
                found.extend(match kind {
                    0 => Some(Operation::RemoveColumn(name.clone())),
                    1 if !computed => Some(Operation::SetType(name.clone())),
                    2 => Some(Operation::RenameColumn(name.clone())),
                    _ => None,
                });
            }
            for (key, kind) in options.iter().zip(option_kinds) {
                found.extend(match kind {
                    0 => Some(Operation::RemoveOption(key.clone())),
                    1 => Some(Operation::SetOption(key.clone())),
                    _ => None,
                });
            }
            let more = [Operation::RenameTable, Operation::AddColumn, Operation::AddOption];
            found.extend(more.into_iter().zip(others).filter(|(_, taken)| *taken).map(|(operation, _)| operation));
            found
        })
        .prop_shuffle()
}

fn case() -> impl Strategy<Value = (Model, Layout, Vec<Operation>)> {
    (model(), layout()).prop_flat_map(|(model, layout)| {
        let operations = operations(&model);
        (Just(model), Just(layout), operations)
    })
}

fn edited(text: &str, operations: &[Operation]) -> Result<String, CannotEdit> {
    let statement = one(text);
    let StatementKind::CreateTable(table) = &statement.kind else { panic!("a table: {text}") };
    let mut edits = EditSet::new(text);
    let new_type = Nullable { ty: ColumnType::Decimal { precision: 9, scale: 2 }, nullable: false };
    for operation in operations {
        match operation {
            Operation::RenameTable => edits.rename_table(&statement, "orders", "orders_v2"),
            Operation::AddColumn => edits.add_column(table, &Column::nullable("added", ColumnType::Date))?,
            Operation::RemoveColumn(name) => edits.remove_column(table, name)?,
            Operation::SetType(name) => edits.set_type(table, name, &new_type)?,
            Operation::RenameColumn(name) => edits.rename_column(table, name, &format!("{name} x"))?,
            Operation::SetOption(key) => edits.set_option(table, key, "set"),
            Operation::AddOption => edits.set_option(table, "added", "yes"),
            Operation::RemoveOption(key) => edits.remove_option(table, key)?,
        };
    }
    edits.apply()
}

/// Everything but blanks and comments.
fn words_of(text: &str) -> Vec<&str> {
    lexer::tokenize(text).iter().filter(|t| !t.kind.is_trivia()).map(|t| t.text(text)).collect()
}

/// Everything but blanks.
fn pieces_of(text: &str) -> Vec<&str> {
    lexer::tokenize(text).iter().filter(|t| t.kind != TokenKind::Whitespace).map(|t| t.text(text)).collect()
}

fn comments_of(text: &str) -> BTreeMap<&str, usize> {
    let is_comment = |t: &&Token| matches!(t.kind, TokenKind::LineComment | TokenKind::BlockComment);
    let mut counted = BTreeMap::new();
    for comment in lexer::tokenize(text).iter().filter(is_comment) {
        *counted.entry(comment.text(text)).or_default() += 1;
    }
    counted
}

fn blank_lines(text: &str) -> usize {
    text.lines().filter(|line| line.trim().is_empty()).count()
}

/// New columns are lined up with the others, which other changes may have put out of line; and a blank behind a comma may
/// have gone with a removed item.
fn with_single_blanks(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if !(c == ' ' && out.ends_with([' ', ','])) {
            out.push(c);
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// The words are those of the changed table, whatever the layout; comments that are not beside a removed item stay, and
    /// so do line ends.
    #[test]
    fn the_changed_text_is_the_changed_table((model, layout, operations) in case()) {
        let text = model.text(&layout);
        let Ok(changed) = edited(&text, &operations) else { return Ok(()) };
        let mut wanted = model.clone();
        operations.iter().for_each(|operation| wanted.make(operation));
        let one_line = Layout { commas: Commas::OneLine, ..layout.clone() };
        let wanted = wanted.text(&one_line);
        prop_assert_eq!(words_of(&changed), words_of(&wanted), "{}\n=>\n{}", text, changed);
        let (before, after) = (comments_of(&text), comments_of(&changed));
        prop_assert!(after.iter().all(|(comment, count)| before.get(comment) >= Some(count)), "{}\n=>\n{}", text, changed);
        for (comment, count) in &before {
            let item = |what: &str| comment.split_once(what).and_then(|(_, n)| n.trim_end_matches(" */").parse::<usize>().ok());
            let removed = |operation: &Operation| match operation {
                Operation::RemoveColumn(name) => item(" item ").and_then(|i| model.columns.get(i)).is_some_and(|c| c.0 == *name),
                Operation::RemoveOption(key) => item(" option ").and_then(|i| model.options.get(i)).is_some_and(|o| o.0 == *key),
                _ => false,
            };
            let kept = if operations.iter().any(removed) { None } else { Some(count) };
            prop_assert_eq!(after.get(comment), kept, "{}: {}\n=>\n{}", comment, text, changed);
        }
        prop_assert!(blank_lines(&changed) <= blank_lines(&text), "{}\n=>\n{}", text, changed);
        prop_assert_eq!(changed.matches('\n').count(), changed.matches(layout.newline).count());
        prop_assert!(changed.lines().all(|line| line.trim_end() == line), "{}\n=>\n{}", text, changed);
    }

    #[test]
    fn the_order_of_operations_does_not_matter((model, layout, operations) in case(), turn in 0..9_usize) {
        let text = model.text(&layout);
        let mut turned = operations.clone();
        turned.reverse();
        turned.rotate_left(turn.min(operations.len()));
        let (one, other) = (edited(&text, &operations), edited(&text, &turned));
        prop_assert_eq!(one.is_ok(), other.is_ok());
        if let (Ok(one), Ok(other)) = (one, other) {
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn two_steps_come_to_the_same_as_one((model, layout, operations) in case(), at in any::<prop::sample::Index>()) {
        let text = model.text(&layout);
        let Ok(at_once) = edited(&text, &operations) else { return Ok(()) };
        let (first, second) = operations.split_at(at.index(operations.len() + 1));
        let between = edited(&text, first).expect("a part of what can be done");
        // The table has its new name in the second step.
        let Ok(after) = edited(&between, second) else { panic!("{text}\n=>\n{between}") };
        prop_assert_eq!(pieces_of(&after), pieces_of(&at_once), "{}\n=>\n{}", text, between);
        // A list of one item does not tell where its commas would stand, and a comment keeps a bracket on the next line.
        if layout.commas != Commas::InFront && !layout.closes_at_once {
            let (after, at_once) = (with_single_blanks(&after), with_single_blanks(&at_once));
            prop_assert_eq!(after, at_once, "{}\n=>\n{}", text, between);
        }
    }

    #[test]
    fn what_is_added_can_be_taken_away((model, layout, _) in case()) {
        let text = model.text(&layout);
        let added = edited(&text, &[Operation::AddColumn, Operation::AddOption]).expect("an addition");
        let taken = [Operation::RemoveColumn("added".to_owned()), Operation::RemoveOption("added".to_owned())];
        prop_assert_eq!(edited(&added, &taken), Ok(text), "{}", added);
    }
}
