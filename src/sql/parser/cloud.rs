//! What only Confluent Cloud has: connections, tools, agents, and tables outside of Flink in functions that search them.
//!
//! Source: Confluent's reference of statements (`CREATE AGENT`, `ALTER AGENT`, `CREATE TOOL`, `ALTER TOOL`,
//! `CREATE CONNECTION`, `ALTER CONNECTION`, `SHOW`, `DESCRIBE`) and of search functions, and FLIP-548 where that says more.

use super::{Parse, Parser};
use crate::sql::tree::{Arg, ArgValue, Effects, ExprKind, Ident, NamedObject, ObjectName, ObjectUse, StatementKind};
use crate::sql::tree::{Call, TableArg};

/// The things that only Confluent Cloud creates.
pub(super) const CLOUD_ONLY: &[&str] = &["CONNECTION", "AGENT", "TOOL"];

/// Functions whose first argument is the name of a table, without the word.
const SEARCHES: &[&str] = &["KEY_SEARCH_AGG", "TEXT_SEARCH_AGG", "VECTOR_SEARCH_AGG"];

impl Parser<'_> {
    /// The kind of thing that comes next, if it is one of Confluent Cloud's and a name follows.
    pub(super) fn eat_cloud_kind(&mut self) -> Option<&'static str> {
        let kind = CLOUD_ONLY.iter().find(|word| self.at_word(word))?;
        self.at += 1;
        Some(kind)
    }

    /// After `CREATE CONNECTION`, `CREATE TOOL`, `CREATE AGENT`.
    pub(super) fn create_cloud(&mut self, first: usize, kind: &str) -> Parse<StatementKind> {
        self.eat_words(&["IF", "NOT", "EXISTS"]);
        let mut object = NamedObject::new(kind, self.object_name(&format!("the name of the {}", lower(kind)))?);
        match kind {
            "AGENT" => self.agent_parts(&mut object.uses)?,
            "TOOL" => self.tool_parts(&mut object.uses)?,
            _ => {}
        }
        object.comment = self.comment()?;
        if kind == "AGENT" && !self.at_word("WITH") {
            return Ok(self.about(first, "CREATE", object));
        }
        self.expect_word("WITH")?;
        object.options = self.properties()?;
        Ok(self.about(first, "CREATE", object))
    }

    /// `USING MODEL m USING PROMPT 'text' [USING TOOLS t, u]`, or `USING AGENTS a, b` of an agent that lets others work.
    fn agent_parts(&mut self, uses: &mut Vec<ObjectUse>) -> Parse<()> {
        if self.eat_words(&["USING", "AGENTS"]) {
            return self.used_list("AGENT", uses);
        }
        if !self.at_words(&["USING", "MODEL"]) {
            return Err(self.unexpected("`USING MODEL` or `USING AGENTS`"));
        }
        self.at += 2;
        uses.push(self.used("MODEL")?);
        if !self.eat_words(&["USING", "PROMPT"]) {
            return Err(self.unexpected("`USING PROMPT`"));
        }
        self.string("the prompt in single quotes")?;
        if self.eat_words(&["USING", "TOOLS"]) {
            self.used_list("TOOL", uses)?;
        }
        Ok(())
    }

    /// `USING FUNCTION f`, `USING CONNECTION c`
    fn tool_parts(&mut self, uses: &mut Vec<ObjectUse>) -> Parse<()> {
        if !self.eat_word("USING") {
            return Ok(());
        }
        let kinds = ["FUNCTION", "CONNECTION"];
        let Some(kind) = kinds.iter().find(|word| self.eat_word(word)) else {
            return Err(self.unexpected("`FUNCTION` or `CONNECTION`"));
        };
        uses.push(self.used(kind)?);
        Ok(())
    }

    fn used_list(&mut self, kind: &str, uses: &mut Vec<ObjectUse>) -> Parse<()> {
        uses.extend(self.comma_list(|p| p.used(kind))?);
        Ok(())
    }

    fn used(&mut self, kind: &str) -> Parse<ObjectUse> {
        let name = self.object_name(&format!("the name of the {}", lower(kind)))?;
        Ok(ObjectUse { kind: kind.to_owned(), name })
    }

    /// `USING CONNECTIONS ('c', ...)` of a function: its names are strings.
    pub(super) fn function_connections(&mut self, uses: &mut Vec<ObjectUse>) -> Parse<()> {
        let names = self.bracketed_list(|p| p.string("the name of a connection in single quotes"))?;
        if names.is_empty() {
            self.at -= 1;
            return Err(self.unexpected("the name of a connection in single quotes"));
        }
        uses.extend(names.into_iter().map(|(name, span)| ObjectUse {
            kind: "CONNECTION".to_owned(),
            name: ObjectName { parts: vec![Ident { name, span }], span },
        }));
        Ok(())
    }

    /// After `ALTER CONNECTION`, `ALTER TOOL`, `ALTER AGENT`.
    pub(super) fn alter_cloud(&mut self, first: usize, kind: &str) -> Parse<StatementKind> {
        self.eat_words(&["IF", "EXISTS"]);
        let mut object = NamedObject::new(kind, self.object_name(&format!("the name of the {}", lower(kind)))?);
        if kind == "AGENT" && self.alter_agent(&mut object)? {
            return Ok(self.about(first, "ALTER", object));
        }
        self.rename_or_set(&mut object)?;
        Ok(self.about(first, "ALTER", object))
    }

    /// `SET MODEL m`, `SET PROMPT 'text'`, `ADD TOOL t`, `REMOVE TOOL t`; false if it is none of them.
    fn alter_agent(&mut self, object: &mut NamedObject) -> Parse<bool> {
        if self.eat_words(&["SET", "MODEL"]) {
            object.uses.push(self.used("MODEL")?);
        } else if self.eat_words(&["SET", "PROMPT"]) {
            self.string("the prompt in single quotes")?;
        } else if self.eat_word("ADD") || self.eat_word("REMOVE") {
            self.expect_word("TOOL")?;
            object.uses.push(self.used("TOOL")?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// `RENAME TO name`, `SET (...)`, `RESET (...)`
    pub(super) fn rename_or_set(&mut self, object: &mut NamedObject) -> Parse<()> {
        if self.eat_words(&["RENAME", "TO"]) {
            object.new_name = Some(self.object_name("the new name")?);
            return Ok(());
        }
        object.options = self.set_or_reset("`SET`, `RESET` or `RENAME TO`")?;
        Ok(())
    }

    /// The statement from token `first` up to here, which does something to a thing that is no table.
    pub(super) fn about(&self, first: usize, verb: &str, object: NamedObject) -> StatementKind {
        let keyword =
            if matches!(verb, "SHOW" | "DESCRIBE") { verb.to_owned() } else { format!("{verb} {}", object.kind) };
        self.read_as(first, &keyword, Effects { object: Some(object), ..Effects::default() })
    }
}

/// In a function that searches a table outside of Flink, the name of that table is no column.
pub(super) fn name_external_table(function: &str, call: &mut Call) {
    if !SEARCHES.contains(&function) {
        return;
    }
    let Some(Arg { value, .. }) = call.args.first_mut() else { return };
    if let ArgValue::Expr(expr) = value
        && let ExprKind::Column(name) = &expr.kind
    {
        *value = ArgValue::Table(TableArg { name: name.clone(), partition_by: Vec::new(), order_by: Vec::new() });
    }
}

impl NamedObject {
    pub(super) fn new(kind: &str, name: ObjectName) -> Self {
        Self { kind: kind.to_owned(), name, new_name: None, options: Vec::new(), comment: None, uses: Vec::new() }
    }
}

fn lower(kind: &str) -> String {
    kind.to_ascii_lowercase()
}
