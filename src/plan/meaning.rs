//! What the statements of a table say, so that texts of different generations, and of files and cluster, can be compared.
//!
//! Rules: words as [`crate::sql::meaning`] has them; names of tables are the logical ones, whatever the generation; options
//! are compared by key, in any order; ids that every generation has for itself (consumer group, client, transactional id)
//! mean nothing; the topic of a written table is its name without the generation, that of a reader table is what it is.

use std::collections::BTreeMap;

use crate::model::manifest::{DeployedTable, Manifest};
use crate::model::name;
use crate::model::verdict::digest_of;
use crate::sql::{self, StatementKind, Word, meaning};

/// Options that hold an id of the generation's own; a job gets others anyway.
pub const OWN_IDS: [&str; 4] =
    ["properties.group.id", "properties.client.id", "client.id.prefix", "sink.transactional-id-prefix"];

/// What the statements of a table say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// Its DDL without the options.
    ddl: Vec<Word>,
    /// Its options.
    options: BTreeMap<String, String>,
    /// Its INSERT; empty if it has none.
    dml: Vec<Word>,
}

impl Meaning {
    /// SHA-256 over the words.
    pub fn digest(&self) -> String {
        let plain = |words: &[Word]| -> Vec<String> {
            let one = |word: &Word| match word {
                Word::Name(name) => format!("name {name}"),
                Word::Other(other) => format!("word {other}"),
            };
            words.iter().map(one).collect()
        };
        digest_of(&(plain(&self.ddl), &self.options, plain(&self.dml)))
    }
}

/// Logical names by physical ones.
pub fn logical(manifest: &Manifest) -> BTreeMap<String, String> {
    manifest.tables.iter().map(|(name, table)| (table.physical.clone(), name.clone())).collect()
}

/// What `table` says; `logical` are the names of the manifest that it is in.
pub fn of(table: &DeployedTable, logical: &BTreeMap<String, String>) -> Meaning {
    let (ddl, options) = words(&table.ddl, logical);
    let own = |(key, value): (String, String)| {
        let written = key == "topic" && table.dml.is_some();
        (key, if written { name::split(&value).0.to_owned() } else { value })
    };
    Meaning {
        ddl,
        options: options.into_iter().filter(|(key, _)| !OWN_IDS.contains(&key.as_str())).map(own).collect(),
        dml: table.dml.as_deref().map(|text| words(text, logical).0).unwrap_or_default(),
    }
}

/// The words of a statement without its options, and these, tables under their logical names.
fn words(text: &str, logical: &BTreeMap<String, String>) -> (Vec<Word>, BTreeMap<String, String>) {
    let text = renamed(text, logical);
    let parsed = sql::parse(&text);
    let words = meaning::words_of(&text, &parsed);
    let mut spans = Vec::new();
    let mut options = BTreeMap::new();
    for statement in parsed.statements() {
        let StatementKind::CreateTable(create) = &statement.kind else { continue };
        spans.extend(create.options_span);
        options.extend(create.options.iter().map(|o| (o.key.clone(), o.value.clone())));
    }
    (words.without(&spans).cloned().collect(), options)
}

/// `text` with other names for its tables. A text that cannot be edited stays as it is: it is compared as it stands.
pub fn renamed(text: &str, names: &BTreeMap<String, String>) -> String {
    let parsed = sql::parse(text);
    let mut edits = sql::EditSet::new(text);
    for statement in parsed.statements() {
        edits.rename_tables(statement, names);
    }
    edits.apply().unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::project;

    const DDL: &str = "CREATE TABLE s (id BIGINT) WITH ('connector' = 'kafka', 'topic' = 't.s', 'format' = 'json');";
    const READER: &str = "CREATE TABLE r (id BIGINT) WITH ('connector' = 'kafka', 'topic' = 'r', 'format' = 'json');";

    fn manifest(reader: &str, ddl: &str, dml: &str) -> Manifest {
        let files = [("r.sql", reader), ("s.sql", ddl), ("dml.s.sql", dml)];
        let files: Vec<_> = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let read = project::read(&files, &BTreeMap::new());
        assert_eq!(read.diagnostics, []);
        read.manifest
    }

    fn said(manifest: &Manifest, table: &str) -> Meaning {
        of(&manifest.tables[table], &logical(manifest))
    }

    #[test]
    fn a_generation_says_what_the_one_before_said() {
        let first = manifest(READER, DDL, "INSERT INTO s SELECT id FROM r;");
        let reader =
            READER.replace("TABLE r", "TABLE r_v3").replace("'format'", "'properties.group.id' = 'x', 'format'");
        let ddl = "create table s_v2 (id bigint) with ('topic' = 't.s_v2', 'format' = 'json', 'connector' = 'kafka')";
        let second = manifest(&reader, ddl, "INSERT INTO s_v2 SELECT r_v3.id FROM r_v3 -- x\n;");
        assert_eq!(said(&first, "r"), said(&second, "r"));
        assert_ne!(said(&first, "s"), said(&second, "s"), "a qualified column is another word");
        let second = manifest(&reader, ddl, "INSERT INTO s_v2 SELECT id FROM r_v3 -- x\n;");
        assert_eq!(said(&first, "s"), said(&second, "s"));
        assert_eq!(said(&first, "s").digest(), said(&second, "s").digest());
    }

    #[test]
    fn the_topic_of_a_reader_table_is_what_it_is() {
        let first = manifest(READER, DDL, "INSERT INTO s SELECT id FROM r;");
        let other = manifest(&READER.replace("'r'", "'r_v2'"), DDL, "INSERT INTO s SELECT id FROM r;");
        assert_ne!(said(&first, "r"), said(&other, "r"));
        let other = manifest(READER, &DDL.replace("'t.s'", "'u.s'"), "INSERT INTO s SELECT id FROM r;");
        assert_ne!(said(&first, "s").digest(), said(&other, "s").digest());
    }
}
