//! The shop of `examples/shop` as a case: customers get a tier.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::case::{Appended, Belongings, Carried, Case, Change, Changes, DecidedBy, Fact, Need, Project, Table};
use super::failure::{During as _, Outcome, ensure};
use super::narrator::Narrator;
use super::place::Place;
use super::run::Run;
use super::{changed, going_back, tale};

#[path = "../../../examples/shop/traffic.rs"]
mod traffic;

/// Operations a second: enough that every table changes during every read, little enough for two cores.
const OPERATIONS: u32 = 20;

/// The shop.
pub struct Shop {
    case: Case,
    folder: PathBuf,
    seed: u64,
}

impl Shop {
    /// Reads the example.
    ///
    /// # Errors
    /// A file of it is missing.
    pub fn new(name: &str, seed: u64) -> Outcome<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/shop");
        let read = |path: &str| std::fs::read_to_string(folder.join(path)).during(format!("examples/shop/{path}"));
        let enriched = "fct_orders_enriched";
        let (revenue, with_tier) =
            (read("truth/fct_product_revenue.sql")?, read("truth/fct_orders_enriched.with_tier.sql")?);
        let events = read("truth/fct_order_events.sql")?;
        let fact = |table: &str, before: &str, after: &str| Fact {
            table: table.to_owned(),
            connector: format!("sink-{table}"),
            warehouse: format!("warehouse.{table}"),
            before: before.to_owned(),
            after: after.to_owned(),
        };
        let carried = |table: &str, need, truth: String| Carried { table: table.to_owned(), truth, need };
        let priced = "SELECT order_id, line_no, tier FROM shop.order_items JOIN shop.orders USING (order_id)
                      JOIN shop.customers USING (customer_id) WHERE status <> 'draft'";
        let customers = || "SELECT customer_id, tier FROM shop.customers".to_owned();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let case = Case {
            name: name.to_owned(),
            job_prefix: format!("{name}-"),
            journal: format!("{name}.journal"),
            topic_prefix: "shop".to_owned(),
            schema_sql: read("postgres/schema.sql")?,
            sources: vec![read("connect/source-shop.json")?, read("connect/source-outbox.json")?],
            inputs: names(&[
                "shop.shop.customers",
                "shop.shop.products",
                "shop.shop.orders",
                "shop.shop.order_items",
                "shop_events.shop.outbox",
            ]),
            change: Change {
                table: "shop.customers".to_owned(),
                subject: "shop.shop.customers-value".to_owned(),
                column: "tier".to_owned(),
                definition: "text NOT NULL DEFAULT 'basic'".to_owned(),
                old_value: Some("basic".to_owned()),
                values: names(&["silver", "gold"]),
            },
            cascade: ["src_customers", "int_priced_lines", "dim_customers", enriched].map(Table::replaced).to_vec(),
            outside: [
                "src_products",
                "src_orders",
                "src_order_items",
                "int_last_lines",
                "fct_product_revenue",
                "fct_order_events",
            ]
            .map(Table::kept)
            .to_vec(),
            decided_by: DecidedBy::Call,
            facts: vec![
                fact(enriched, &read("truth/fct_orders_enriched.sql")?, &with_tier),
                fact("fct_product_revenue", &revenue, &revenue),
            ],
            carried: vec![
                carried("src_customers", Need::Must, customers()),
                carried("dim_customers", Need::Must, customers()),
                // It asks customers for the discount only, so the column may stop there.
                carried("int_priced_lines", Need::May, priced.to_owned()),
                carried(enriched, Need::Must, format!("SELECT order_id, line_no, tier FROM ({with_tier}) AS truth")),
            ],
            appended: Some(Appended {
                topic: "shop.fct_order_events".to_owned(),
                truth: format!(
                    "SELECT event_id, event_type, order_id, amount, is_money_in,
                            (extract(epoch FROM occurred_at) * 1000)::bigint AS occurred_at FROM ({events}) AS truth"
                ),
            }),
            belongings: Belongings {
                connectors: names(&[
                    "sink-fct_orders_enriched",
                    "sink-fct_product_revenue",
                    "source-shop",
                    "source-outbox",
                ]),
                topics: names(&["shop.", "shop_events."]),
                slots: names(&["shop_tables", "shop_outbox"]),
                publications: names(&["shop_tables", "shop_outbox"]),
                schemas: names(&["shop", "warehouse"]),
            },
        };
        Ok(Self { case, folder, seed })
    }
}

impl Shop {
    /// From here on the case is what comes after the changed statement: what serves is blue, and customers get another
    /// column. `truth` is what the enriched fact must hold now.
    pub fn go_on(&mut self, truth: String) {
        self.case.change = Change {
            column: "channel".to_owned(),
            definition: "text NOT NULL DEFAULT 'shop'".to_owned(),
            old_value: Some("shop".to_owned()),
            values: vec!["phone".to_owned(), "web".to_owned()],
            ..self.case.change.clone()
        };
        for table in &mut self.case.cascade {
            let changed = changed::CASCADE.iter().find(|changed| **changed == format!("{}_v3", table.logical));
            table.blue = changed.map_or_else(|| table.green.clone(), |changed| (*changed).to_owned());
            let version = if changed.is_some() { 4 } else { 3 };
            table.green = format!("{}_v{version}", table.logical);
        }
        for fact in self.case.facts.iter_mut().filter(|fact| fact.table == changed::FACT) {
            fact.before.clone_from(&truth);
        }
    }
}

/// All of it: a column comes, a statement is changed on top of that, and a third and a fourth rollout are taken back.
///
/// # Errors
/// The first thing that did not come true.
pub async fn tell(run: &mut Run<Shop>, narrator: &mut dyn Narrator) -> Outcome {
    tale::tell(run, narrator).await?;
    changed::tell(run, narrator).await?;
    going_back::tell(run, narrator).await
}

impl Project for Shop {
    type Traffic = traffic::Traffic;

    fn case(&self) -> &Case {
        &self.case
    }

    fn lay_out(&self, place: &Place) -> Outcome {
        place.copy(&self.folder, "pipelines")?;
        place.copy(&self.folder, "connectors")
    }

    async fn start(&self, postgres: &str) -> Outcome<Self::Traffic> {
        traffic::Traffic::start(postgres, self.seed, OPERATIONS).await.during("starting the shop's traffic")
    }
}

impl Changes for traffic::Traffic {
    async fn pause(&self) -> Outcome {
        Self::pause(self).await.during("pausing the traffic")
    }

    async fn resume(&self) -> Outcome {
        Self::resume(self).await.during("resuming the traffic")
    }

    async fn fill(&self, change: &Change) -> Outcome {
        let table = change.table.rsplit('.').next().unwrap_or_default();
        self.set_column(table, &change.column, change.values.clone()).await.during("filling the new column")
    }

    fn total(&self) -> u64 {
        self.counts().total()
    }

    async fn stop(self) -> Outcome {
        let counts = Self::stop(self).await.during("stopping the traffic")?;
        let error = counts.last_error.unwrap_or_default();
        ensure(counts.failed == 0, || {
            format!("{} changes of the traffic failed, the last one: {error}", counts.failed)
        })?;
        let still: BTreeMap<_, _> =
            counts.tables.iter().filter(|(_, table)| table.inserts + table.updates + table.deletes == 0).collect();
        ensure(still.is_empty(), || format!("tables without any change: {still:?}"))
    }
}
