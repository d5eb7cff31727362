-- The shop's database: the tables an application would own (schema "shop")
-- and the place where the sink connectors write (schema "warehouse").
--
-- Load it once with: psql -v ON_ERROR_STOP=1 -f schema.sql
-- It runs in one transaction: after an error nothing of it is there.

BEGIN;

CREATE SCHEMA shop;

-- The sink connectors create their tables in here.
CREATE SCHEMA warehouse;

CREATE TABLE shop.customers (
    customer_id   bigint       PRIMARY KEY,
    email         text         NOT NULL,
    full_name     text         NOT NULL,
    country       text         NOT NULL,
    segment       text,                       -- NULL until marketing sorted the customer
    discount_rate numeric(3,2) NOT NULL DEFAULT 0.00 CHECK (discount_rate BETWEEN 0 AND 1),
    created_at    timestamp(3) NOT NULL
);

CREATE TABLE shop.products (
    product_id bigint        PRIMARY KEY,
    sku        text          NOT NULL UNIQUE,
    name       text          NOT NULL,
    category   text          NOT NULL,
    price      numeric(10,2) NOT NULL,
    is_test    boolean       NOT NULL DEFAULT false   -- used by the shop's own checks, never sold
);

CREATE TABLE shop.orders (
    order_id    bigint       PRIMARY KEY,
    customer_id bigint       NOT NULL REFERENCES shop.customers,
    status      text         NOT NULL
        CHECK (status IN ('draft', 'placed', 'paid', 'shipped', 'delivered', 'cancelled')),
    ordered_at  timestamp(3) NOT NULL,
    note        text
);

-- item_id is the application's surrogate key. The pipelines use (order_id, line_no),
-- which is why that pair is unique and never given to another row.
CREATE TABLE shop.order_items (
    item_id    bigint        PRIMARY KEY,
    order_id   bigint        NOT NULL REFERENCES shop.orders,
    line_no    integer       NOT NULL,
    product_id bigint        NOT NULL REFERENCES shop.products,
    quantity   integer       NOT NULL CHECK (quantity > 0),
    unit_price numeric(10,2) NOT NULL,
    added_at   timestamp(3)  NOT NULL,
    UNIQUE (order_id, line_no)
);

CREATE INDEX order_items_product ON shop.order_items (product_id);
CREATE INDEX orders_customer ON shop.orders (customer_id);

-- Events that the application appends in the same transaction as the change they tell of.
-- Rows are never updated or deleted. order_id is no foreign key: an event outlives its order.
CREATE TABLE shop.outbox (
    event_id    bigint        PRIMARY KEY,
    event_type  text          NOT NULL,
    order_id    bigint        NOT NULL,
    amount      numeric(12,2) NOT NULL,
    payload     text          NOT NULL,
    occurred_at timestamp(3)  NOT NULL
);

-- Without the full old row in an update, a Flink job that reads the change topic
-- fails on the first UPDATE and on every restart after it. Set before the first row is written.
ALTER TABLE shop.customers   REPLICA IDENTITY FULL;
ALTER TABLE shop.products    REPLICA IDENTITY FULL;
ALTER TABLE shop.orders      REPLICA IDENTITY FULL;
ALTER TABLE shop.order_items REPLICA IDENTITY FULL;
ALTER TABLE shop.outbox      REPLICA IDENTITY FULL;

-- Named tables only: FOR ALL TABLES would send the warehouse's own tables round in a circle.
CREATE PUBLICATION shop_tables
    FOR TABLE shop.customers, shop.products, shop.orders, shop.order_items;

-- Inserts only, so that the outbox topic is append-only whatever happens to the table.
CREATE PUBLICATION shop_outbox FOR TABLE shop.outbox WITH (publish = 'insert');

COMMIT;
