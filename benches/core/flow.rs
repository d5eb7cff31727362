//! Projects of any size: two change topics, and statements behind them.
//!
//! Every second group of statements hangs on `cdc_a`, which evolves; the others on `cdc_b`, so half of a project becomes
//! green and the other half needs its proof that it does not.

use std::collections::BTreeMap;

use cyanotype::plan::project::{self, File};

/// How the statements of a group hang together.
#[derive(Clone, Copy)]
pub enum Shape {
    /// Groups of 20, one after the other.
    Chains,
    /// Groups of 10 layers of 10; each statement joins two of the layer above.
    Diamonds,
    /// Two groups only, whatever the size: layers of 10, each statement joins two of the layer above.
    Deep,
}

impl Shape {
    /// As the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chains => "chains of 20",
            Self::Diamonds => "diamonds, 10 layers",
            Self::Deep => "diamonds, all layers",
        }
    }

    fn group(self, count: usize) -> usize {
        match self {
            Self::Chains => 20,
            Self::Diamonds => 100,
            Self::Deep => count.div_ceil(2),
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Chains => 1,
            Self::Diamonds | Self::Deep => 10,
        }
    }
}

/// The files of a project with `count` statements.
pub fn files(shape: Shape, count: usize) -> Vec<File> {
    let mut files: Vec<File> = ["a", "b"].map(|side| (format!("pipelines/ddl.cdc_{side}.sql"), reader(side))).into();
    for number in 0..count {
        let (group, place) = (number / shape.group(count), number % shape.group(count));
        let name = |place: usize| format!("flow_{group}_{place}");
        let own = name(place);
        let select = match (place.checked_sub(shape.width()), shape) {
            (None, _) => format!("{COLUMNS}\nFROM cdc_{}\nWHERE quantity > 0", if group % 2 == 0 { "a" } else { "b" }),
            (Some(above), Shape::Chains) => format!("{COLUMNS}\nFROM {}\nWHERE status <> 'draft'", name(above)),
            (Some(above), _) => {
                let layer = above - above % 10;
                let (left, right) = (name(above), name(layer + (above + 1) % 10));
                format!("{JOINED}\nFROM {left} AS l\nJOIN {right} AS r ON l.order_id = r.order_id")
            }
        };
        files.push((format!("pipelines/{own}/ddl.{own}.sql"), written(&own)));
        files.push((format!("pipelines/{own}/dml.{own}.sql"), format!("INSERT INTO {own}\nSELECT\n{select};\n")));
    }
    files
}

/// The placeholders of the files.
pub fn vars() -> BTreeMap<String, String> {
    ["KAFKA", "REGISTRY", "TOPIC_PREFIX"].map(|name| (name.to_owned(), name.to_lowercase())).into()
}

/// The project read, or what is wrong with it.
pub fn read(files: &[File]) -> Result<project::Project, String> {
    let project = project::read(files, &vars());
    match project.diagnostics.first() {
        Some(problem) => Err(problem.message.clone()),
        None => Ok(project),
    }
}

const COLUMNS: &str = "    order_id,\n    customer_id,\n    UPPER(status) AS status,\n    ordered_at,\n    note,\n    amount,\n    quantity";
const JOINED: &str = "    l.order_id,\n    l.customer_id,\n    r.status,\n    l.ordered_at,\n    COALESCE(l.note, r.note) AS note,\n    \
     CAST(l.amount + r.amount AS DECIMAL(12, 2)) AS amount,\n    r.quantity";

const TABLE: &str = "    order_id    BIGINT NOT NULL,
    customer_id BIGINT,
    status      STRING,         -- as the shop calls it
    ordered_at  TIMESTAMP(3),
    note        STRING,
    amount      DECIMAL(12, 2),
    quantity    INT,
    PRIMARY KEY (order_id) NOT ENFORCED
";

fn reader(side: &str) -> String {
    format!(
        "CREATE TABLE cdc_{side} (\n{TABLE}) WITH (
    'connector' = 'kafka',
    'topic' = 'shop.shop.{side}',
    'properties.bootstrap.servers' = '${{KAFKA}}',
    'properties.group.id' = '${{TOPIC_PREFIX}}.cdc_{side}',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'debezium-avro-confluent',
    'debezium-avro-confluent.url' = '${{REGISTRY}}'\n);\n"
    )
}

fn written(name: &str) -> String {
    format!(
        "-- A table of a drawn project.\nCREATE TABLE {name} (\n{TABLE}) WITH (
    'connector' = 'upsert-kafka',
    'topic' = '${{TOPIC_PREFIX}}.{name}',
    'properties.bootstrap.servers' = '${{KAFKA}}',
    'properties.group.id' = '${{TOPIC_PREFIX}}.{name}',
    'key.format' = 'avro-confluent',
    'key.avro-confluent.url' = '${{REGISTRY}}',
    'value.format' = 'avro-confluent',
    'value.avro-confluent.url' = '${{REGISTRY}}'\n);\n"
    )
}
