//! A project drawn from a seed: tables, a chain of statements, and the column that is added.
//!
//! Rules: the same seed draws the same project; everything of it has one drawn prefix; the truth query is drawn with it.

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};

use super::case::{Belongings, Carried, Case, Change, DecidedBy, Fact, Need, Project, Table};
use super::failure::{During as _, Failure, Outcome};
use super::generated_connect::{sink, source};
use super::generated_rows::Rows;
use super::generated_sql::{Item, Source, Statement};
use super::place::Place;

/// A drawn project.
pub struct Generated {
    case: Case,
    schema: String,
    seed: u64,
    sources: Vec<Source>,
    statements: Vec<Statement>,
    sink: String,
}

/// The seed of this run: `CYANOTYPE_SEED`, else drawn.
///
/// # Errors
/// The variable holds no number.
pub fn seed() -> Outcome<u64> {
    match std::env::var("CYANOTYPE_SEED") {
        Ok(text) => text.trim().parse().map_err(|_| Failure::new(format!("CYANOTYPE_SEED={text} is not a number"))),
        Err(_) => Ok(rand::rng().random_range(0..1_000_000)),
    }
}

impl Generated {
    /// The project of that seed, with two to five statements in its chain; `longest` bounds them further.
    ///
    /// # Errors
    /// Never for a seed; a failure is a mistake in the drawing.
    pub fn draw(seed: u64, longest: usize) -> Outcome<Self> {
        let rng = &mut StdRng::seed_from_u64(seed);
        let middle = rng.random_range(0..=3).min(longest.saturating_sub(2));
        let schema = format!("gen{}", seed % 100_000);
        let sources = sources(rng);
        let change = change(rng, &schema, &sources)?;
        let (chain, others) = statements(rng, &sources, middle)?;
        let fact = chain.last().during("the fact")?.clone();
        let sink = sink(&schema, &fact);
        let statements: Vec<Statement> = others.iter().chain(&chain).cloned().collect();
        let truth = |upto: &Statement, added: Option<&str>| {
            let mut parts: Vec<String> =
                sources.iter().enumerate().map(|(i, source)| source.truth(&schema, added.filter(|_| i == 0))).collect();
            for statement in &statements {
                parts.push(statement.truth(added));
                if statement.physical == upto.physical {
                    break;
                }
            }
            format!("WITH {} SELECT * FROM {}", parts.join(",\n"), upto.physical)
        };
        let mut carried = Vec::new();
        for statement in &chain {
            if statement.passes.is_none() {
                break;
            }
            let columns: Vec<&str> = statement.key.iter().map(String::as_str).chain([change.column.as_str()]).collect();
            let whole = truth(statement, Some(&change.column));
            let truth = format!("SELECT {} FROM ({whole}) AS truth", columns.join(", "));
            carried.push(Carried { table: statement.logical.clone(), truth, need: Need::Must });
        }
        let warehouse = format!("{schema}_wh");
        let table = |statement: &Statement| {
            let (logical, version) = cyanotype::model::name::split(&statement.physical);
            let green = cyanotype::model::name::physical(logical, version.next());
            Table { logical: statement.logical.clone(), blue: statement.physical.clone(), green }
        };
        let kept = |statement: &Statement| Table { green: statement.physical.clone(), ..table(statement) };
        let (source_json, publication) = source(&schema, &sources);
        let mut schema_sql = format!("CREATE SCHEMA {schema}; CREATE SCHEMA {warehouse};\n");
        schema_sql.extend(sources.iter().map(|source| source.table_sql(&schema)));
        schema_sql.push_str(&publication);
        let case = Case {
            name: schema.clone(),
            job_prefix: format!("{schema}-"),
            journal: format!("{schema}-journal"),
            topic_prefix: schema.clone(),
            schema_sql,
            sources: vec![source_json],
            inputs: sources.iter().map(|source| format!("{schema}.{schema}.{}", source.name)).collect(),
            cascade: chain.iter().map(table).collect(),
            outside: others.iter().map(kept).collect(),
            decided_by: DecidedBy::Event,
            facts: vec![Fact {
                table: fact.logical.clone(),
                connector: format!("{schema}-sink"),
                warehouse: format!("{warehouse}.{}", fact.logical),
                before: truth(&fact, None),
                after: truth(&fact, Some(&change.column)),
            }],
            carried,
            appended: None,
            belongings: Belongings {
                connectors: vec![format!("{schema}-sink"), format!("{schema}-source")],
                topics: vec![format!("{schema}.")],
                slots: vec![schema.clone()],
                publications: vec![schema.clone()],
                schemas: vec![schema.clone(), warehouse],
            },
            change,
        };
        Ok(Self { case, schema, seed, sources, statements, sink })
    }

    /// What was drawn, in a few lines.
    pub fn describe(&self) -> String {
        let change = &self.case.change;
        let mut text = format!("seed {}: {} gets {} {}\n", self.seed, change.table, change.column, change.definition);
        for statement in &self.statements {
            let from: Vec<&str> = statement.from.split_whitespace().collect();
            text.push_str(&format!("  {} {}\n", statement.physical, from.join(" ")));
        }
        text
    }
}

impl Project for Generated {
    type Traffic = Rows;

    fn case(&self) -> &Case {
        &self.case
    }

    fn lay_out(&self, place: &Place) -> Outcome {
        for source in &self.sources {
            let (schema, name) = (&self.schema, &source.name);
            let file = format!("pipelines/sources/{schema}/src_{name}/sql-scripts/ddl.{}.sql", source.reader());
            place.write(&file, &source.reader_sql(schema))?;
        }
        for statement in &self.statements {
            place.write(&statement.file(&self.schema, "ddl"), &statement.ddl())?;
            place.write(&statement.file(&self.schema, "dml"), &statement.dml())?;
        }
        place.write(&format!("connectors/{}-sink.json", self.schema), &self.sink)
    }

    async fn start(&self, postgres: &str) -> Outcome<Rows> {
        Rows::start(postgres, &self.schema, &self.sources, self.seed).await
    }
}

/// Two or three tables; the first refers to the others and is the one that evolves.
fn sources(rng: &mut StdRng) -> Vec<Source> {
    let mut words = ["parcel", "depot", "meter", "ticket", "vessel", "permit", "sensor", "voucher"];
    words.shuffle(rng);
    let [first, second, third, ..] = words;
    // A name that begins with another one must not be taken for it.
    let second = if rng.random_bool(0.5) { format!("{first}_log") } else { second.to_owned() };
    let mut label = |choice: [&str; 3]| choice.choose(rng).copied().unwrap_or("label").to_owned();
    let column = |name: &str, postgres, flink| (name.to_owned(), postgres, flink);
    let mut main = vec![
        column("id", "bigint", "BIGINT"),
        column("first_ref", "bigint", "BIGINT"),
        (label(["label", "title", "caption"]), "text", "STRING"),
        (label(["amount", "cost", "weight"]), "numeric(10,2)", "DECIMAL(10, 2)"),
        (label(["pieces", "units", "steps"]), "integer", "INT"),
    ];
    let mut tables = vec![Source {
        name: second,
        columns: vec![column("key_no", "bigint", "BIGINT"), (label(["owner", "place", "region"]), "text", "STRING")],
    }];
    if rng.random_bool(0.5) {
        main.push(column("second_ref", "bigint", "BIGINT"));
        tables.push(Source {
            name: third.to_owned(),
            columns: vec![column("key_no", "bigint", "BIGINT"), column("is_open", "boolean", "BOOLEAN")],
        });
    }
    tables.insert(0, Source { name: first.to_owned(), columns: main });
    tables
}

/// The column that is added: name and type; NOT NULL with a default, nullable with a default that nobody sets to NULL, or
/// nullable without one.
fn change(rng: &mut StdRng, schema: &str, sources: &[Source]) -> Outcome<Change> {
    let column = ["grade", "zone", "stage_no", "checked", "rank", "value", "level", "origin_code"].choose(rng).copied();
    let (precision, scale) = (rng.random_range(6..=12), rng.random_range(0..=4));
    let text = ["plain", "it''s new", "", "-- né"].choose(rng).copied().unwrap_or("plain");
    let number = |n: i32| format!("{n}{}{}", if scale > 0 { "." } else { "" }, "5".repeat(scale));
    let (kind, default, values) = match rng.random_range(0..5) {
        0 => ("text".to_owned(), text.to_owned(), vec!["red".to_owned(), "it''s blue".to_owned()]),
        1 => ("integer".to_owned(), "7".to_owned(), vec!["-1".to_owned(), "2147483647".to_owned()]),
        2 => ("bigint".to_owned(), "0".to_owned(), vec!["9007199254740993".to_owned(), "-5".to_owned()]),
        3 => ("boolean".to_owned(), "false".to_owned(), vec!["true".to_owned(), "false".to_owned()]),
        _ => (
            format!("numeric({precision},{scale})"),
            number(if precision % 2 == 0 { 1 } else { -12 }),
            vec![number(-20), number(33)],
        ),
    };
    let (constraint, with_default) = match rng.random_range(0..6) {
        0..3 => (" NOT NULL", true),
        3 | 4 => ("", true),
        _ => ("", false),
    };
    let table = &sources.first().during("a source table")?.name;
    // PostgreSQL writes `f` for false; the quote is doubled in SQL only.
    let old = if kind == "boolean" { "f".to_owned() } else { default.replace("''", "'") };
    Ok(Change {
        table: format!("{schema}.{table}"),
        subject: format!("{schema}.{schema}.{table}-value"),
        column: column.unwrap_or("grade").to_owned(),
        definition: if with_default { format!("{kind}{constraint} DEFAULT '{default}'") } else { kind },
        old_value: with_default.then_some(old),
        values,
    })
}

/// The chain over the first table, and the statements of the other tables.
fn statements(rng: &mut StdRng, sources: &[Source], middle: usize) -> Outcome<(Vec<Statement>, Vec<Statement>)> {
    let (main, rest) = sources.split_first().during("a source table")?;
    let other = |source| Statement { passes: None, ..source_statement(source, "") };
    let others: Vec<Statement> = rest.iter().map(other).collect();
    let (amount, pieces) = match main.columns.as_slice() {
        [_, _, _, (amount, ..), (pieces, ..), ..] => (amount.clone(), pieces.clone()),
        _ => return Err(Failure::new("the first table has too few columns")),
    };
    let filter = if rng.random_bool(0.5) { format!("\nWHERE a.{pieces} > 4") } else { String::new() };
    let mut chain = vec![source_statement(main, &filter)];
    let mut joined = false;
    for step in 0..middle {
        let input = chain.last().during("the statement before")?.clone();
        let name = format!("int_{}_{}", main.name, step + 1);
        let join = (!joined && rng.random_bool(0.5)).then(|| others.first()).flatten();
        joined |= join.is_some();
        let filter = match join {
            Some(_) => String::new(),
            None => format!("\nWHERE a.{amount} > {}", rng.random_range(5..60)),
        };
        chain.push(pass_on("intermediates", &name, &input, join, "first_ref", &filter));
    }
    let input = chain.last().during("the statement before")?.clone();
    let name = format!("fct_{}", main.name);
    chain.push(match rng.random_range(0..3) {
        0 => aggregate(&name, &input, &amount, &pieces),
        _ => match others.as_slice() {
            [_, second] => pass_on("facts", &name, &input, Some(second), "second_ref", ""),
            [first] if !joined => pass_on("facts", &name, &input, Some(first), "first_ref", ""),
            _ => pass_on("facts", &name, &input, None, "", ""),
        },
    });
    version(rng, &mut chain);
    Ok((chain, others))
}

/// Some statements already have a suffix: the evolution counts on from it.
fn version(rng: &mut StdRng, chain: &mut [Statement]) {
    let mut renamed: Option<(String, String)> = None;
    for statement in chain {
        if let Some((old, new)) = renamed.take() {
            statement.from = statement.from.replace(&format!("FROM {old} AS a"), &format!("FROM {new} AS a"));
        }
        let suffix = ["", "", "_v2", "_v9"].choose(rng).copied().unwrap_or("");
        if !suffix.is_empty() {
            let old = std::mem::replace(&mut statement.physical, format!("{}{suffix}", statement.logical));
            renamed = Some((old, statement.physical.clone()));
        }
    }
}

fn source_statement(source: &Source, filter: &str) -> Statement {
    let item = |(name, _, kind): &(String, &str, &str)| Item {
        value: format!("a.{name}"),
        name: name.clone(),
        kind: (*kind).to_owned(),
    };
    let name = format!("src_{}", source.name);
    Statement {
        layer: "sources",
        logical: name.clone(),
        physical: name,
        key: source.columns.first().map(|(name, _, _)| name.clone()).into_iter().collect(),
        items: source.columns.iter().map(item).collect(),
        from: format!("FROM {} AS a{filter}", source.reader()),
        passes: Some("a"),
    }
}

fn pass_on(
    layer: &'static str,
    name: &str,
    input: &Statement,
    join: Option<&Statement>,
    reference: &str,
    filter: &str,
) -> Statement {
    let mut items: Vec<Item> =
        input.items.iter().map(|item| Item { value: format!("a.{}", item.name), ..item.clone() }).collect();
    let mut from = format!("FROM {} AS a", input.physical);
    if let Some(other) = join {
        items.extend(other.items.iter().skip(1).map(|item| Item { value: format!("b.{}", item.name), ..item.clone() }));
        let key = other.key.join(", ");
        from.push_str(&format!("\nJOIN {} AS b ON b.{key} = a.{reference}", other.physical));
    }
    from.push_str(filter);
    Statement {
        layer,
        logical: name.to_owned(),
        physical: name.to_owned(),
        key: input.key.clone(),
        items,
        from,
        passes: Some("a"),
    }
}

fn aggregate(name: &str, input: &Statement, amount: &str, pieces: &str) -> Statement {
    let item = |value: String, name: &str, kind: &str| Item { value, name: name.to_owned(), kind: kind.to_owned() };
    Statement {
        layer: "facts",
        logical: name.to_owned(),
        physical: name.to_owned(),
        key: vec!["first_ref".to_owned()],
        items: vec![
            item("a.first_ref".to_owned(), "first_ref", "BIGINT"),
            item("COUNT(*)".to_owned(), "rows_seen", "BIGINT"),
            item(format!("CAST(SUM(a.{amount}) AS DECIMAL(18, 2))"), "total", "DECIMAL(18, 2)"),
            item(format!("SUM(CAST(a.{pieces} AS BIGINT))"), "all_pieces", "BIGINT"),
        ],
        from: format!("FROM {} AS a\nGROUP BY a.first_ref", input.physical),
        passes: None,
    }
}
