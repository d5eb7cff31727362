//! The operations of the shop: what one transaction of the application changes.
//!
//! Rule: an operation that finds no row to work on signs up a customer instead, so that every
//! operation changes something.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tokio_postgres::{Client, Error};

use super::Extras;
use super::rows::{BIGINT, BOOLEAN, INTEGER, Ids, NUMERIC, Shop, TEXT, TIME, Tally, field};

const FIRST_CUSTOMERS: u32 = 100;
const FIRST_PRODUCTS: u32 = 40;
const FIRST_ORDERS: u32 = 150;
/// From here on as many orders go as come, so that a long run does not grow without end.
const MOST_ORDERS: i64 = 3_000;
/// The same for customers and products.
const MOST_NAMED: i64 = 1_000;

const FIRST_NAMES: [&str; 10] = ["Ann", "Ben", "Cleo", "Dora", "Emil", "Finn", "Greta", "Hugo", "Ida", "Jörg"];
const LAST_NAMES: [&str; 8] = ["Ahlberg", "Berger", "Costa", "Dubois", "Ek", "Fischer", "García", "Holm"];
const COUNTRIES: [&str; 9] = ["DE", "AT", "CH", "SE", "NO", "FR", "IT", "ES", "PL"];
const SEGMENTS: [Option<&str>; 4] = [None, Some("home"), Some("trade"), Some("club")];
const CATEGORIES: [&str; 5] = ["garden", "kitchen", "office", "sport", "toys"];
const THINGS: [&str; 6] = ["lamp", "chair", "kettle", "ball", "shelf", "clock"];

/// After `Ok` an empty shop has its first rows; a shop with customers is left as it is.
pub(super) async fn first_rows(client: &mut Client, rng: &mut StdRng, ids: &mut Ids) -> Result<Tally, Error> {
    let extras = Extras::new();
    let mut shop = Shop::begin(client, rng, ids, &extras).await?;
    if shop.count("customers").await? == 0 {
        for _ in 0..FIRST_CUSTOMERS {
            shop.sign_up().await?;
        }
        for _ in 0..FIRST_PRODUCTS {
            shop.list_product().await?;
        }
        for _ in 0..FIRST_ORDERS {
            shop.place_order().await?;
        }
    }
    shop.commit().await
}

/// Draws one operation and runs it. After `Ok` it is committed, after `Err` it may or may not be.
pub(super) async fn operation(
    client: &mut Client,
    rng: &mut StdRng,
    ids: &mut Ids,
    extras: &Extras,
) -> Result<Tally, Error> {
    let mut shop = Shop::begin(client, rng, ids, extras).await?;
    let found = match shop.rng.random_range(0..100) {
        0..7 => shop.sign_up().await?,
        7..20 => shop.change_customer().await?,
        20..22 => shop.close_account().await?,
        22..25 => shop.list_product().await?,
        25..34 => shop.change_product().await?,
        34..36 => shop.drop_product().await?,
        36..55 => shop.place_order().await?,
        55..74 => shop.move_order_on().await?,
        74..78 => shop.change_order().await?,
        78..83 => shop.delete_order().await?,
        83..89 => shop.add_line_somewhere().await?,
        89..95 => shop.change_line().await?,
        95..98 => shop.delete_line().await?,
        _ => shop.event("heartbeat", 0).await?,
    };
    if !found {
        shop.insert_customer().await?;
    }
    shop.commit().await
}

impl Shop<'_> {
    // Customers.

    async fn sign_up(&mut self) -> Result<bool, Error> {
        if self.count("customers").await? >= MOST_NAMED {
            return self.change_customer().await;
        }
        self.insert_customer().await
    }

    async fn insert_customer(&mut self) -> Result<bool, Error> {
        self.ids.customer += 1;
        let id = self.ids.customer;
        let name = self.person();
        let fields = vec![
            field("customer_id", BIGINT, id),
            field("email", TEXT, self.address(id)),
            field("full_name", TEXT, name),
            field("country", TEXT, one_of(self.rng, &COUNTRIES)),
            ("segment", TEXT, one_of(self.rng, &SEGMENTS).map(str::to_owned)),
            field("discount_rate", NUMERIC, self.discount()),
            field("created_at", TIME, self.now()),
        ];
        self.insert("customers", fields).await
    }

    async fn change_customer(&mut self) -> Result<bool, Error> {
        let all = "SELECT customer_id FROM shop.customers";
        let Some(id) = self.pick(all).await? else {
            return Ok(false);
        };
        let change = match self.rng.random_range(0..5) {
            0 => field("email", TEXT, self.address(id)),
            1 => field("full_name", TEXT, self.person()),
            2 => field("country", TEXT, one_of(self.rng, &COUNTRIES)),
            3 => ("segment", TEXT, one_of(self.rng, &SEGMENTS).map(str::to_owned)),
            _ => field("discount_rate", NUMERIC, self.discount()),
        };
        self.update("customers", "customer_id", id, vec![change]).await
    }

    /// Only somebody without orders can leave.
    async fn close_account(&mut self) -> Result<bool, Error> {
        let idle = "SELECT customer_id FROM shop.customers AS c WHERE NOT EXISTS
                    (SELECT FROM shop.orders AS o WHERE o.customer_id = c.customer_id)";
        let Some(id) = self.pick(idle).await? else {
            return Ok(false);
        };
        self.delete("customers", "customer_id", id).await
    }

    // Products.

    async fn list_product(&mut self) -> Result<bool, Error> {
        if self.count("products").await? >= MOST_NAMED {
            return self.change_product().await;
        }
        self.ids.product += 1;
        let id = self.ids.product;
        let fields = vec![
            field("product_id", BIGINT, id),
            field("sku", TEXT, format!("SKU-{id:06}")),
            field("name", TEXT, self.thing()),
            field("category", TEXT, one_of(self.rng, &CATEGORIES)),
            field("price", NUMERIC, self.price()),
            field("is_test", BOOLEAN, self.rng.random_bool(0.1)),
        ];
        self.insert("products", fields).await
    }

    async fn change_product(&mut self) -> Result<bool, Error> {
        let all = "SELECT product_id FROM shop.products";
        let Some(id) = self.pick(all).await? else {
            return Ok(false);
        };
        let change = match self.rng.random_range(0..10) {
            0..6 => field("price", NUMERIC, self.price()),
            6 | 7 => field("name", TEXT, self.thing()),
            8 => field("category", TEXT, one_of(self.rng, &CATEGORIES)),
            _ => field("is_test", BOOLEAN, self.rng.random_bool(0.2)),
        };
        self.update("products", "product_id", id, vec![change]).await
    }

    /// Only a product that stands on no order can go.
    async fn drop_product(&mut self) -> Result<bool, Error> {
        let unsold = "SELECT product_id FROM shop.products AS p WHERE NOT EXISTS
                      (SELECT FROM shop.order_items AS i WHERE i.product_id = p.product_id)";
        let Some(id) = self.pick(unsold).await? else {
            return Ok(false);
        };
        self.delete("products", "product_id", id).await
    }

    // Orders and their lines.

    async fn place_order(&mut self) -> Result<bool, Error> {
        if self.count("orders").await? >= MOST_ORDERS {
            return self.delete_order().await;
        }
        let all = "SELECT customer_id FROM shop.customers";
        let Some(customer) = self.pick(all).await? else {
            return Ok(false);
        };
        self.ids.order += 1;
        let id = self.ids.order;
        let status = one_of(self.rng, &["draft", "placed", "placed", "paid"]);
        let fields = vec![
            field("order_id", BIGINT, id),
            field("customer_id", BIGINT, customer),
            field("status", TEXT, status),
            field("ordered_at", TIME, self.now()),
        ];
        self.insert("orders", fields).await?;
        for line in 1..=self.rng.random_range(1..=4) {
            self.insert_line(id, line).await?;
        }
        if status != "draft" {
            self.event(&format!("order_{status}"), id).await?;
        }
        Ok(true)
    }

    async fn move_order_on(&mut self) -> Result<bool, Error> {
        let open = "SELECT order_id FROM shop.orders WHERE status NOT IN ('delivered', 'cancelled')";
        let Some(id) = self.pick(open).await? else {
            return Ok(false);
        };
        let sql = "SELECT status FROM shop.orders WHERE order_id = $1";
        let now: String = self.one(sql, id).await?;
        let next = match now.as_str() {
            "draft" => "placed",
            "placed" if self.rng.random_bool(0.15) => "cancelled",
            "placed" => "paid",
            "paid" => "shipped",
            _ => "delivered",
        };
        self.update("orders", "order_id", id, vec![field("status", TEXT, next)]).await?;
        self.event(&format!("order_{next}"), id).await
    }

    /// A note, or the order goes over to another customer.
    async fn change_order(&mut self) -> Result<bool, Error> {
        let Some(id) = self.pick("SELECT order_id FROM shop.orders").await? else {
            return Ok(false);
        };
        let change = if self.rng.random_bool(0.5) {
            field("note", TEXT, format!("ring twice, {}", self.now()))
        } else {
            match self.pick("SELECT customer_id FROM shop.customers").await? {
                Some(customer) => field("customer_id", BIGINT, customer),
                None => return Ok(false),
            }
        };
        self.update("orders", "order_id", id, vec![change]).await
    }

    async fn delete_order(&mut self) -> Result<bool, Error> {
        let Some(id) = self.pick("SELECT order_id FROM shop.orders").await? else {
            return Ok(false);
        };
        // The event first: its amount is the sum of the lines.
        self.event("order_deleted", id).await?;
        self.delete("order_items", "order_id", id).await?;
        self.delete("orders", "order_id", id).await
    }

    async fn add_line_somewhere(&mut self) -> Result<bool, Error> {
        let open = "SELECT order_id FROM shop.orders WHERE status IN ('draft', 'placed', 'paid')";
        let Some(id) = self.pick(open).await? else {
            return Ok(false);
        };
        let sql = "SELECT coalesce(max(line_no), 0) + 1 FROM shop.order_items WHERE order_id = $1";
        let line: i32 = self.one(sql, id).await?;
        self.insert_line(id, line).await
    }

    async fn insert_line(&mut self, order: i64, line: i32) -> Result<bool, Error> {
        let all = "SELECT product_id FROM shop.products";
        let Some(product) = self.pick(all).await? else {
            return Ok(false);
        };
        self.ids.item += 1;
        let fields = vec![
            field("item_id", BIGINT, self.ids.item),
            field("order_id", BIGINT, order),
            field("line_no", INTEGER, line),
            field("product_id", BIGINT, product),
            field("quantity", INTEGER, self.rng.random_range(1..=9)),
            field("unit_price", NUMERIC, self.price()),
            field("added_at", TIME, self.now()),
        ];
        self.insert("order_items", fields).await
    }

    async fn change_line(&mut self) -> Result<bool, Error> {
        let Some(id) = self.pick("SELECT item_id FROM shop.order_items").await? else {
            return Ok(false);
        };
        let change = if self.rng.random_bool(0.7) {
            field("quantity", INTEGER, self.rng.random_range(1..=9))
        } else {
            field("unit_price", NUMERIC, self.price())
        };
        self.update("order_items", "item_id", id, vec![change]).await
    }

    /// Never the last line of an order: its number would be given out again.
    async fn delete_line(&mut self) -> Result<bool, Error> {
        let not_last = "SELECT item_id FROM shop.order_items AS i WHERE line_no <
                        (SELECT max(line_no) FROM shop.order_items WHERE order_id = i.order_id)";
        let Some(id) = self.pick(not_last).await? else {
            return Ok(false);
        };
        self.delete("order_items", "item_id", id).await
    }

    // Events.

    async fn event(&mut self, kind: &str, order: i64) -> Result<bool, Error> {
        let sql = "SELECT coalesce(sum(quantity * unit_price), 0)::text
                     FROM shop.order_items WHERE order_id = $1";
        let amount: String = self.one(sql, order).await?;
        self.ids.event += 1;
        let fields = vec![
            field("event_id", BIGINT, self.ids.event),
            field("event_type", TEXT, kind),
            field("order_id", BIGINT, order),
            field("amount", NUMERIC, amount),
            field("payload", TEXT, format!("{{\"order\": {order}}}")),
            field("occurred_at", TIME, self.now()),
        ];
        self.insert("outbox", fields).await
    }

    // Drawn values.

    fn now(&mut self) -> i64 {
        self.ids.clock += self.rng.random_range(0..1_500);
        self.ids.clock
    }

    fn person(&mut self) -> String {
        format!("{} {}", one_of(self.rng, &FIRST_NAMES), one_of(self.rng, &LAST_NAMES))
    }

    fn address(&mut self, id: i64) -> String {
        let host = one_of(self.rng, &["Example.org", "example.com", "mail.example"]);
        format!("Customer{id}.{}@{host}", self.rng.random_range(0..1_000))
    }

    fn thing(&mut self) -> String {
        format!("{} no. {}", one_of(self.rng, &THINGS), self.rng.random_range(1..500))
    }

    fn price(&mut self) -> String {
        decimal(self.rng.random_range(99..50_000))
    }

    fn discount(&mut self) -> String {
        decimal(one_of(self.rng, &[0, 0, 5, 10, 15, 33]))
    }
}

fn decimal(hundredths: i64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// One of a fixed list; the lists above are never empty, and an empty one gives the type's default.
fn one_of<T: Copy + Default>(rng: &mut StdRng, list: &[T]) -> T {
    list.choose(rng).copied().unwrap_or_default()
}
