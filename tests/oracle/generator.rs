//! Statements grown from a grammar over the tables of the shop, with columns and types that fit, so that Flink can plan
//! them. Seeded: every run grows the same.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

/// What a column can be used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Type {
    Number,
    Text,
    Time,
}

use Type::{Number, Text, Time};

type Columns = Vec<(String, Type)>;

/// A source of rows: what stands in `FROM`, and its columns with their qualifier.
struct Source {
    from: String,
    columns: Columns,
}

/// A table with its plain columns, and its event time if it is append-only.
type Table = (&'static str, &'static [(&'static str, Type)], Option<&'static str>);

#[rustfmt::skip]
const TABLES: &[Table] = &[
    ("orders", &[("order_id", Number), ("customer_id", Number), ("product_id", Number), ("amount", Number),
        ("currency", Text), ("status", Text), ("amount_with_tax", Number), ("`partition`", Number)], Some("order_time")),
    ("payments", &[("payment_id", Text), ("order_id", Number), ("paid", Number), ("pay_method", Text)], Some("pay_time")),
    ("shipments", &[("shipment_id", Number), ("order_id", Number), ("carrier", Text), ("weight", Number)], Some("ship_time")),
    ("customers", &[("customer_id", Number), ("name", Text), ("city", Text), ("level", Number)], None),
    ("products", &[("product_id", Number), ("title", Text), ("category", Text), ("price", Number)], None),
    ("cdc_stock", &[("product_id", Number), ("warehouse", Text), ("quantity", Number)], None),
    ("big_orders", &[("order_id", Number), ("customer_id", Number), ("amount", Number), ("currency", Text)], None),
    ("order_totals", &[("customer", Number), ("total", Number)], None),
];

/// The tables that generated statements write.
pub const SINKS: &[&str] = &[
    "CREATE TABLE g_append (k BIGINT, v STRING) WITH ('connector' = 'kafka', 'topic' = 'a', 'format' = 'json')",
    "CREATE TABLE g_upsert (k BIGINT, v STRING, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upsert-kafka', 'topic' = 'u')",
    "CREATE TABLE g_all (k BIGINT, v STRING) WITH ('connector' = 'kafka', 'topic' = 'c', 'format' = 'debezium-json')",
];

/// As many statements as asked for. `CYANOTYPE_ORACLE_SEED` gives others than those that every run draws.
pub fn statements(count: usize, seed: u64) -> Vec<String> {
    let seed = seed + std::env::var("CYANOTYPE_ORACLE_SEED").map_or(0, |more| more.parse::<u64>().unwrap());
    let mut grower = Grower { rng: StdRng::seed_from_u64(seed), names: 0 };
    (0..count).map(|_| grower.statement()).collect()
}

struct Grower {
    rng: StdRng,
    names: usize,
}

impl Grower {
    fn one_in(&mut self, n: u32) -> bool {
        self.rng.random_ratio(1, n)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from.choose(&mut self.rng).unwrap()
    }

    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    fn statement(&mut self) -> String {
        self.names = 0;
        let (query, columns) = self.query(2);
        let with_text = columns.iter().find(|(_, ty)| *ty == Text).map(|(name, _)| name.clone());
        // The last one: in most queries it is the one that costs something, which no optimizer may then leave out.
        let number = columns.iter().rfind(|(_, ty)| *ty == Number).map(|(name, _)| name.clone());
        match (number, self.rng.random_range(0..3)) {
            (Some(number), 0 | 1) => {
                let sink = self.pick(&["g_append", "g_upsert", "g_upsert", "g_all", "g_all"]);
                let text = with_text.unwrap_or_else(|| "'x'".to_owned());
                format!("INSERT INTO {sink} SELECT CAST({number} AS BIGINT), {text} FROM ({query})")
            }
            _ => query,
        }
    }

    /// A query and the names and types of its columns.
    fn query(&mut self, depth: u32) -> (String, Columns) {
        match self.rng.random_range(0..14) {
            0 | 1 => self.select(depth),
            2 | 3 => self.aggregate(depth),
            4 => self.window(),
            5 | 6 => self.joined(depth),
            7 => self.set_operation(depth),
            8 => self.top_n(),
            9 => self.over(),
            10 => self.common_table(depth),
            11 => self.semi(depth),
            12 => self.unnested(),
            _ => self.timed_join(),
        }
    }

    fn table(&mut self) -> Source {
        let (table, columns, _) = *TABLES.choose(&mut self.rng).unwrap();
        let alias = self.name("t");
        let columns = columns.iter().map(|(name, ty)| (format!("{alias}.{name}"), *ty)).collect();
        let with_as = self.pick(&["AS ", ""]);
        Source { from: format!("{table} {with_as}{alias}"), columns }
    }

    fn source(&mut self, depth: u32) -> Source {
        if depth == 0 || !self.one_in(3) {
            return self.table();
        }
        let (query, columns) = self.query(depth - 1);
        let alias = self.name("d");
        let columns = columns.into_iter().map(|(name, ty)| (format!("{alias}.{name}"), ty)).collect();
        Source { from: format!("({query}) AS {alias}"), columns }
    }

    fn column(&mut self, columns: &Columns, ty: Type) -> Option<String> {
        let fitting: Vec<&str> = columns.iter().filter(|(_, t)| *t == ty).map(|(name, _)| name.as_str()).collect();
        fitting.choose(&mut self.rng).map(|name| (*name).to_owned())
    }

    fn any_column(&mut self, columns: &Columns) -> (String, Type) {
        let plain: Vec<_> = columns.iter().filter(|(_, ty)| *ty != Time).collect();
        (*plain.choose(&mut self.rng).unwrap()).clone()
    }

    fn number(&mut self, columns: &Columns, depth: u32) -> String {
        let choice = if depth == 0 { 0 } else { self.rng.random_range(0..8) };
        let inner = depth.saturating_sub(1);
        match choice {
            0 | 1 => match (self.column(columns, Number), self.column(columns, Text)) {
                (Some(number), _) => number,
                (None, Some(text)) => format!("CHAR_LENGTH({text})"),
                (None, None) => "EXTRACT(DAY FROM CURRENT_TIMESTAMP)".to_owned(),
            },
            2 => {
                let operator = self.pick(&["+", "-", "*"]);
                format!("({} {operator} {})", self.number(columns, inner), self.number(columns, inner))
            }
            3 => {
                format!("CASE WHEN {} THEN {} ELSE 0 END", self.condition(columns, inner), self.number(columns, inner))
            }
            4 => format!("COALESCE({}, {})", self.number(columns, inner), self.rng.random_range(0..9)),
            5 => format!("CHAR_LENGTH({})", self.text(columns, inner)),
            6 => format!("CAST({} AS INT)", self.number(columns, inner)),
            _ => format!("ABS({})", self.number(columns, inner)),
        }
    }

    fn text(&mut self, columns: &Columns, depth: u32) -> String {
        let choice = if depth == 0 { 0 } else { self.rng.random_range(0..7) };
        let inner = depth.saturating_sub(1);
        match choice {
            0 | 1 => match self.column(columns, Text) {
                Some(text) => text,
                None => format!("CAST({} AS STRING)", self.number(columns, 0)),
            },
            2 => format!("UPPER({})", self.text(columns, inner)),
            3 => format!("{} || {}", self.text(columns, inner), self.text(columns, inner)),
            4 => format!("CAST({} AS STRING)", self.number(columns, inner)),
            5 => format!("SUBSTRING({} FROM 1 FOR 3)", self.text(columns, inner)),
            _ => {
                format!("CASE WHEN {} THEN 'p' ELSE {} END", self.condition(columns, inner), self.text(columns, inner))
            }
        }
    }

    fn condition(&mut self, columns: &Columns, depth: u32) -> String {
        let inner = depth.saturating_sub(1);
        match self.rng.random_range(0..if depth == 0 { 4 } else { 9 }) {
            0 | 1 => {
                let operator = self.pick(&["=", "<>", "<", ">=", ">"]);
                format!("{} {operator} {}", self.number(columns, inner), self.rng.random_range(0..100))
            }
            2 => format!("{} LIKE 'a%'", self.text(columns, inner)),
            3 => format!("{} IS DISTINCT FROM {}", self.number(columns, inner), self.rng.random_range(0..9)),
            4 => format!("{} AND {}", self.condition(columns, inner), self.condition(columns, inner)),
            5 => format!("({} OR {})", self.condition(columns, inner), self.condition(columns, inner)),
            6 => format!("NOT ({})", self.condition(columns, inner)),
            7 => format!("{} BETWEEN 1 AND {}", self.number(columns, inner), self.number(columns, inner)),
            _ => format!("{} IN ('a', 'b')", self.text(columns, inner)),
        }
    }

    /// A select list of one to four items.
    fn items(&mut self, columns: &Columns) -> (String, Columns) {
        let mut items = Vec::new();
        let mut named = Vec::new();
        for _ in 0..self.rng.random_range(1..5) {
            let name = self.name("c");
            let (value, ty) = if self.one_in(2) {
                self.any_column(columns)
            } else if self.one_in(2) {
                (self.number(columns, 2), Number)
            } else {
                (self.text(columns, 2), Text)
            };
            items.push(format!("{value} AS {name}"));
            named.push((name, ty));
        }
        (items.join(", "), named)
    }

    fn filter(&mut self, columns: &Columns) -> String {
        if self.one_in(2) { format!(" WHERE {}", self.condition(columns, 2)) } else { String::new() }
    }

    fn select(&mut self, depth: u32) -> (String, Columns) {
        let source = self.source(depth);
        let (items, named) = self.items(&source.columns);
        let distinct = if self.one_in(6) { "DISTINCT " } else { "" };
        (format!("SELECT {distinct}{items} FROM {}{}", source.from, self.filter(&source.columns)), named)
    }

    fn aggregate_call(&mut self, columns: &Columns) -> String {
        let number = self.number(columns, 1);
        let call = match self.rng.random_range(0..6) {
            0 => "COUNT(*)".to_owned(),
            1 => format!("COUNT(DISTINCT {number})"),
            2 => format!("SUM({number})"),
            3 => format!("MAX({number})"),
            4 => format!("MIN({number})"),
            _ => format!("AVG({number})"),
        };
        if self.one_in(5) { format!("{call} FILTER (WHERE {})", self.condition(columns, 1)) } else { call }
    }

    fn aggregate(&mut self, depth: u32) -> (String, Columns) {
        let source = self.source(depth);
        let (key, ty) = self.any_column(&source.columns);
        let (k, a) = (self.name("c"), self.name("c"));
        let call = self.aggregate_call(&source.columns);
        let filter = self.filter(&source.columns);
        let having = if self.one_in(3) {
            format!(" HAVING {} > 1", self.aggregate_call(&source.columns))
        } else {
            String::new()
        };
        let query = format!("SELECT {key} AS {k}, {call} AS {a} FROM {}{filter} GROUP BY {key}{having}", source.from);
        (query, vec![(k, ty), (a, Number)])
    }

    fn timed(&mut self) -> (&'static str, Columns, &'static str) {
        let timed: Vec<_> = TABLES.iter().filter(|(_, _, time)| time.is_some()).collect();
        let (table, columns, time) = timed.choose(&mut self.rng).unwrap();
        let columns = columns.iter().map(|(name, ty)| ((*name).to_owned(), *ty)).collect();
        (table, columns, time.unwrap())
    }

    fn window(&mut self) -> (String, Columns) {
        let (table, columns, time) = self.timed();
        let function = match self.rng.random_range(0..3) {
            0 => format!("TUMBLE(TABLE {table}, DESCRIPTOR({time}), INTERVAL '10' MINUTES)"),
            1 => format!("HOP(TABLE {table}, DESCRIPTOR({time}), INTERVAL '5' MINUTES, INTERVAL '10' MINUTES)"),
            _ => format!("CUMULATE(TABLE {table}, DESCRIPTOR({time}), INTERVAL '5' MINUTES, INTERVAL '1' HOUR)"),
        };
        let (key, ty) = self.any_column(&columns);
        let (k, a, s) = (self.name("c"), self.name("c"), self.name("c"));
        let call = self.aggregate_call(&columns);
        let filter = self.filter(&columns);
        let query = format!(
            "SELECT {key} AS {k}, {call} AS {a}, window_start AS {s} FROM TABLE({function}){filter} GROUP BY {key}, window_start, window_end"
        );
        (query, vec![(k, ty), (a, Number), (s, Time)])
    }

    fn joined(&mut self, depth: u32) -> (String, Columns) {
        let (left, right) = (self.source(depth), self.source(depth));
        let (Some(a), Some(b)) = (self.column(&left.columns, Number), self.column(&right.columns, Number)) else {
            return self.select(depth);
        };
        let columns: Columns = left.columns.iter().chain(&right.columns).cloned().collect();
        let (items, named) = self.items(&columns);
        let extra = if self.one_in(3) { format!(" AND {}", self.condition(&columns, 1)) } else { String::new() };
        if self.one_in(4) {
            return (format!("SELECT {items} FROM {}, {} WHERE {a} = {b}{extra}", left.from, right.from), named);
        }
        let kind = self.pick(&["JOIN", "INNER JOIN", "LEFT JOIN", "RIGHT OUTER JOIN", "FULL OUTER JOIN"]);
        (format!("SELECT {items} FROM {} {kind} {} ON {a} = {b}{extra}", left.from, right.from), named)
    }

    fn timed_join(&mut self) -> (String, Columns) {
        let columns: Columns = [("o.order_id", Number), ("o.amount", Number), ("o.currency", Text)]
            .map(|(n, t)| (n.to_owned(), t))
            .to_vec();
        let (right, mut more): (&str, Columns) = match self.rng.random_range(0..4) {
            0 => (
                "JOIN rates FOR SYSTEM_TIME AS OF o.order_time AS r ON o.currency = r.currency",
                vec![("r.rate".to_owned(), Number)],
            ),
            1 => (
                "LEFT JOIN products FOR SYSTEM_TIME AS OF o.proc_time AS p ON o.product_id = p.product_id",
                vec![("p.title".to_owned(), Text)],
            ),
            2 => (
                "JOIN payments AS p ON o.order_id = p.order_id AND p.pay_time BETWEEN o.order_time AND o.order_time + INTERVAL '1' HOUR",
                vec![("p.paid".to_owned(), Number)],
            ),
            _ => (
                "LEFT JOIN customers FOR SYSTEM_TIME AS OF o.order_time AS c ON o.customer_id = c.customer_id",
                vec![("c.name".to_owned(), Text)],
            ),
        };
        more.extend(columns);
        let (items, named) = self.items(&more);
        (format!("SELECT {items} FROM orders AS o {right}"), named)
    }

    fn set_operation(&mut self, depth: u32) -> (String, Columns) {
        let (k, v) = (self.name("c"), self.name("c"));
        let mut side = || {
            let source = self.source(depth.saturating_sub(1));
            let (number, text) = (self.number(&source.columns, 1), self.text(&source.columns, 1));
            let filter = self.filter(&source.columns);
            format!(
                "SELECT CAST({number} AS BIGINT) AS {k}, CAST({text} AS STRING) AS {v} FROM {}{filter}",
                source.from
            )
        };
        let (left, right) = (side(), side());
        let operator = self.pick(&["UNION ALL", "UNION ALL", "UNION", "INTERSECT", "EXCEPT"]);
        (format!("{left} {operator} {right}"), vec![(k, Number), (v, Text)])
    }

    fn top_n(&mut self) -> (String, Columns) {
        let (table, columns, time) = self.timed();
        let (part, order) = (self.any_column(&columns).0, self.column(&columns, Number).unwrap());
        let (key, ty) = self.any_column(&columns);
        let k = self.name("c");
        let order = if self.one_in(2) { format!("{time} DESC") } else { format!("{order} DESC") };
        let condition = self.pick(&["rn = 1", "rn <= 3", "rn < 5"]);
        let query = format!(
            "SELECT {key} AS {k} FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {part} ORDER BY {order}) AS rn FROM {table}) WHERE {condition}"
        );
        (query, vec![(k, ty)])
    }

    fn over(&mut self) -> (String, Columns) {
        let (table, columns, time) = self.timed();
        let (part, number) = (self.any_column(&columns).0, self.number(&columns, 1));
        let (key, ty) = self.any_column(&columns);
        let (k, a) = (self.name("c"), self.name("c"));
        let frame = self.pick(&[
            "",
            " ROWS BETWEEN 3 PRECEDING AND CURRENT ROW",
            " RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW",
        ]);
        let query = if self.one_in(3) {
            format!(
                "SELECT {key} AS {k}, SUM({number}) OVER w AS {a} FROM {table} WINDOW w AS (PARTITION BY {part} ORDER BY {time}{frame})"
            )
        } else {
            format!(
                "SELECT {key} AS {k}, SUM({number}) OVER (PARTITION BY {part} ORDER BY {time}{frame}) AS {a} FROM {table}"
            )
        };
        (query, vec![(k, ty), (a, Number)])
    }

    fn common_table(&mut self, depth: u32) -> (String, Columns) {
        let (inner, columns) = self.query(depth.saturating_sub(1));
        // A name that hides a table, at times.
        let cte = if self.one_in(4) { "shipments".to_owned() } else { self.name("w") };
        if columns.iter().all(|(_, ty)| *ty == Time) {
            return (inner, columns);
        }
        let (items, named) = self.items(&columns);
        let filter = self.filter(&columns);
        (format!("WITH {cte} AS ({inner}) SELECT {items} FROM {cte}{filter}"), named)
    }

    fn semi(&mut self, depth: u32) -> (String, Columns) {
        let source = self.source(depth.saturating_sub(1));
        let Some(number) = self.column(&source.columns, Number) else { return self.select(depth) };
        let (items, named) = self.items(&source.columns);
        let inner = self.table();
        let Some(other) = self.column(&inner.columns, Number) else { return self.select(depth) };
        let not = self.pick(&["", "NOT "]);
        let condition = if self.one_in(2) {
            format!("{number} IN (SELECT {other} FROM {}{})", inner.from, self.filter(&inner.columns))
        } else {
            format!("{not}EXISTS (SELECT 1 FROM {} WHERE {other} = {number})", inner.from)
        };
        (format!("SELECT {items} FROM {} WHERE {condition}", source.from), named)
    }

    fn unnested(&mut self) -> (String, Columns) {
        let alias = self.name("t");
        let columns: Columns =
            vec![(format!("{alias}.order_id"), Number), (format!("{alias}.status"), Text), ("u.tag".to_owned(), Text)];
        let (items, named) = self.items(&columns);
        let join = self.pick(&["CROSS JOIN UNNEST", ", UNNEST"]);
        (format!("SELECT {items} FROM orders AS {alias} {join}({alias}.tags) AS u (tag)"), named)
    }
}
