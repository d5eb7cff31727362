//! What ALTER TABLE and a connector's settings do to Debezium's envelopes and keys.

use serde_json::json;

use super::both_ways;
use crate::model::column::ColumnType;
use crate::schema::change::{ChangeKind, Scope};
use crate::schema::compat::can_read;
use crate::schema::diff::diff;
use crate::schema::envelope::row_fields;
use crate::schema::level::Level;
use crate::schema::testing::{Table, decimal, named, orders};
use crate::schema::verdict::{DataVerdict, assess};

use DataVerdict::{IdentityChange, JobFails, Safe, SafeWithHistoryCaveat, SilentNull, SuspectedRename, WrongValues};

type Alter = (&'static str, Table, Table, (bool, bool), DataVerdict, &'static str);

/// Name, before, after, registry, data verdict, the column that the reasons must name.
fn value_table() -> Vec<Alter> {
    let yes = (true, true);
    let o = orders;
    let text = || json!("string");
    vec![
        ("add nullable", o(), o().nullable("region", text()), yes, Safe, ""),
        ("add nullable, default", o(), o().nullable_default("region", text(), json!("EU")), yes, SafeWithHistoryCaveat, "region"),
        ("add nullable, first", o(), o().nullable("region", text()).move_to_front("region"), yes, Safe, ""),
        ("add not null default", o(), o().required_default("region", text(), json!("EU")), yes, SafeWithHistoryCaveat, "region"),
        ("add not null", o(), o().required("region", text()), (false, true), SafeWithHistoryCaveat, "region"),
        ("drop nullable", o(), o().without("customer"), yes, SilentNull, "customer"),
        ("drop not null", o(), o().without("qty"), (true, false), JobFails, "qty"),
        ("rename nullable", o(), o().rename("customer", "buyer"), yes, SuspectedRename, "customer"),
        ("rename not null", o(), o().rename("qty", "pieces"), (false, false), SuspectedRename, "qty"),
        ("comment", o(), o().doc("qty", "how many"), yes, Safe, ""),
        ("set default", o(), o().required_default("qty", json!("int"), json!(1)), yes, Safe, ""),
        ("set default, nullable", o(), o().nullable_default("customer", text(), json!("?")), yes, SafeWithHistoryCaveat, "customer"),
        ("smallint to int", o(), o().nullable("size", json!("int")), yes, Safe, ""),
        ("int to bigint", o(), o().required("qty", json!("long")), (true, false), JobFails, "qty"),
        ("smallint to bigint", o(), o().nullable("size", json!("long")), (true, false), JobFails, "size"),
        (
            "date to timestamp",
            o(),
            o().nullable("due", named("long", "io.debezium.time.MicroTimestamp")),
            (true, false),
            WrongValues,
            "due",
        ),
        ("int to text", o(), o().required("qty", text()), (false, false), JobFails, "qty"),
        (
            "timestamp to timestamptz",
            o(),
            o().nullable("created", named("string", "io.debezium.time.ZonedTimestamp")),
            (false, false),
            JobFails,
            "created",
        ),
        ("double to real", o(), o().required("weight", json!("float")), (false, true), JobFails, "weight"),
        ("numeric precision", o(), o().nullable("price", decimal(12, 2)), yes, SilentNull, "price"),
        ("numeric scale", o(), o().nullable("price", decimal(10, 4)), yes, WrongValues, "price"),
        (
            "timestamp(3) to (6)",
            o(),
            o().nullable("created", named("long", "io.debezium.time.MicroTimestamp")),
            yes,
            WrongValues,
            "created",
        ),
        ("set not null", o(), o().required("customer", text()), (false, true), SafeWithHistoryCaveat, "customer"),
        ("drop not null constraint", o(), o().nullable("status", text()), (true, false), JobFails, "status"),
        ("topic prefix", o(), o().namespace("other.public.orders"), yes, SafeWithHistoryCaveat, "other.public.orders"),
        ("table rename", o(), o().namespace("shop.public.purchases"), yes, SafeWithHistoryCaveat, "shop.public.purchases"),
        ("decimal as string", o(), o().nullable("price", text()), yes, WrongValues, "price"),
        ("decimal as double", o(), o().nullable("price", json!("double")), (false, false), JobFails, "price"),
        (
            "time mode connect, date",
            o(),
            o().nullable("due", json!({"type": "int", "connect.name": "org.apache.kafka.connect.data.Date", "logicalType": "date"})),
            yes,
            Safe,
            "",
        ),
        (
            "time mode connect, microseconds to milliseconds",
            o().nullable("created", named("long", "io.debezium.time.MicroTimestamp")),
            o().nullable(
                "created",
                json!({"type": "long", "connect.name": "org.apache.kafka.connect.data.Timestamp", "logicalType": "timestamp-millis"}),
            ),
            yes,
            WrongValues,
            "created",
        ),
        (
            "timestamp to bigint",
            o(),
            o().nullable("created", json!("long")),
            yes,
            WrongValues,
            "created",
        ),
        (
            "placeholder for unchanged values",
            o().required("status", json!({"type": "string", "connect.parameters": {"length": "80"}})),
            o().required(
                "status",
                json!({"type": "string", "connect.parameters": {
                    "length": "80", "__debezium.unavailable.value.placeholder": "__debezium_unavailable_value"}}),
            ),
            yes,
            SafeWithHistoryCaveat,
            "status",
        ),
        ("varchar widened", o(), o().required("status", json!({"type": "string", "connect.parameters": {"length": "80"}})), yes, Safe, ""),
        ("connector upgrade", o(), o().source_field("origin"), yes, Safe, ""),
    ]
}

#[test]
fn every_alter_of_a_value() {
    for (name, before, after, registry, data, column) in value_table() {
        let (old, new) = (before.envelope(), after.envelope());
        assert_eq!(both_ways(&old, &new), registry, "{name}: registry");
        let assessment = assess(Level::FullTransitive, false, &new, &[(1, old.clone())]);
        assert_eq!(assessment.data, data, "{name}: {:#?}", assessment.reasons);
        let plannable = registry == (true, true) && data <= SafeWithHistoryCaveat;
        assert_eq!(assessment.plannable(), plannable, "{name}");
        if data > Safe {
            assert!(
                assessment.concerns.iter().any(|c| c.reason.contains(column)),
                "{name}: {:#?}",
                assessment.concerns
            );
        }
        // The registry's refusal names the column as well, and not only the union around the row.
        for reason in assessment.registry.failures.iter().flat_map(|f| &f.reasons) {
            assert!(reason.column.is_some() && reason.message.starts_with("column `"), "{name}: {reason:?}");
        }
        // The same row without its envelope gives the same answers.
        let (old, new) = (before.flat(), after.flat());
        assert_eq!(both_ways(&old, &new), registry, "{name}, flat: registry");
        assert_eq!(assess(Level::Full, false, &new, &[(1, old)]).data, data, "{name}, flat");
    }
}

#[test]
fn every_alter_of_a_key() {
    let two = || orders().keyed_by(&["id", "qty"]);
    let table: Vec<Alter> = vec![
        ("add column", orders(), two(), (false, true), IdentityChange, "qty"),
        ("drop column", two(), orders(), (true, false), IdentityChange, "qty"),
        ("other column", orders(), orders().keyed_by(&["qty"]), (false, false), IdentityChange, "id"),
        ("rename", orders(), orders().rename("id", "order_id"), (false, false), IdentityChange, "id"),
        ("int to bigint", orders(), orders().required("id", json!("long")), (true, false), IdentityChange, "id"),
        ("comment", orders(), orders().doc("id", "number"), (true, true), IdentityChange, "id"),
    ];
    for (name, before, after, registry, data, column) in table {
        let (old, new) = (before.key(), after.key());
        assert_eq!(both_ways(&old, &new), registry, "{name}: registry");
        let assessment = assess(Level::FullTransitive, true, &new, &[(1, old)]);
        assert_eq!(assessment.data, data, "{name}");
        assert!(assessment.changes.iter().all(|c| c.scope == Scope::Key), "{name}");
        assert!(
            assessment.concerns[0].reason.contains(&format!("key column `{column}")),
            "{name}: {:?}",
            assessment.concerns
        );
        assert!(assessment.added_columns().is_empty(), "{name}");
    }
    // A wider key leaves the value as it is: only the key subject shows it.
    assert!(diff(&orders().envelope(), &two().envelope()).is_empty());
}

#[test]
fn the_definition_may_stand_in_before_or_in_after() {
    for (name, before, after, registry, data, _) in value_table() {
        for (old, new) in [
            (before.envelope(), after.envelope_after_first()),
            (before.envelope_after_first(), after.envelope()),
            (before.envelope_after_first(), after.envelope_after_first()),
        ] {
            assert_eq!(both_ways(&old, &new), registry, "{name}");
            assert_eq!(diff(&old, &new), diff(&before.envelope(), &after.envelope()), "{name}");
            assert_eq!(assess(Level::Full, false, &new, &[(1, old)]).data, data, "{name}");
        }
    }
}

#[test]
fn the_column_is_named_once_and_not_the_union() {
    let (old, new) = (orders().envelope(), orders().required("qty", json!("long")).envelope());
    let reasons = can_read(&old, &new).expect_err("long to int");
    assert_eq!(reasons.len(), 1);
    assert_eq!(reasons[0].path, "before.qty");
    assert_eq!(reasons[0].column.as_deref(), Some("qty"));
    assert_eq!(reasons[0].message, "column `qty`: long cannot be read as int");
}

#[test]
fn a_connector_upgrade_is_a_change_of_the_source_block() {
    let (old, new) = (orders().envelope(), orders().source_field("origin").envelope());
    let changes = diff(&old, &new);
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].scope, changes[0].path.as_str()), (Scope::SourceBlock, "origin"));
    assert!(matches!(changes[0].kind, ChangeKind::Added { nullable: true, .. }));
    assert!(assess(Level::FullTransitive, false, &new, &[(1, old)]).added_columns().is_empty());
}

#[test]
fn two_columns_swapped_for_unlike_ones_are_no_rename() {
    let old = orders().envelope();
    let new = orders().without("customer").nullable("shipped", named("long", "io.debezium.time.Timestamp")).envelope();
    let kinds: Vec<ChangeKind> = diff(&old, &new).into_iter().map(|c| c.kind).collect();
    assert!(matches!(kinds.as_slice(), [ChangeKind::Removed, ChangeKind::Added { .. }]), "{kinds:?}");
    // The same form, but at another place and under an unlike name.
    let new = orders().without("customer").nullable("zone", json!("string")).envelope();
    let kinds: Vec<ChangeKind> = diff(&old, &new).into_iter().map(|c| c.kind).collect();
    assert!(matches!(kinds.as_slice(), [ChangeKind::Removed, ChangeKind::Added { .. }]), "{kinds:?}");
    // At another place, but under a like name.
    let new = orders().without("customer").nullable("customer_id", json!("string")).envelope();
    let kinds: Vec<ChangeKind> = diff(&old, &new).into_iter().map(|c| c.kind).collect();
    assert!(
        matches!(kinds.as_slice(), [ChangeKind::SuspectedRename { from, to }] if from == "customer" && to == "customer_id")
    );
}

/// Columns that got each other's names, and one that was dropped and came back, give the same schema.
#[test]
fn columns_of_postgres_in_another_order_are_told_by_name() {
    let three = |names: [&str; 3]| names.into_iter().fold(orders(), |t, name| t.nullable(name, json!("string")));
    let old = three(["x", "y", "z"]).envelope();
    let sentence = |new: Table| {
        let assessment = assess(Level::Full, false, &new.envelope(), &[(1, old.clone())]);
        assert_eq!(assessment.data, SuspectedRename, "{:?}", assessment.reasons);
        assert!(assessment.registry.is_compatible() && !assessment.plannable());
        assert!(assessment.reasons[0].contains("PostgreSQL never moves a column"), "{:?}", assessment.reasons);
        assessment.changes.into_iter().map(|change| change.sentence).collect::<Vec<_>>().join("; ")
    };
    let swapped = "the row has columns `x` and `y` in each other's place";
    assert_eq!(sentence(three(["y", "x", "z"])), swapped);
    assert_eq!(sentence(three(["y", "z", "x"])), "the row has columns in another order: `x`, `y`, `z`");
    // What came besides is told as well, and does not hide it.
    let more = three(["y", "x", "z"]).nullable("region", json!("string"));
    assert_eq!(sentence(more), format!("{swapped}; column `region` was added as string nullable, without a default"));
    // The types changed places too: louder, and the order says why.
    let typed = |first: (&str, &str), second: (&str, &str)| {
        orders().nullable(first.0, json!(first.1)).nullable(second.0, json!(second.1)).envelope()
    };
    let (old, new) = (typed(("x", "string"), ("y", "int")), typed(("y", "string"), ("x", "int")));
    let assessment = assess(Level::Full, false, &new, &[(1, old)]);
    assert_eq!(assessment.data, SuspectedRename);
    assert!(assessment.concerns.iter().any(|c| c.reason.starts_with(swapped)), "{:?}", assessment.reasons);
}

#[test]
fn the_order_means_less_where_a_database_can_move_columns_and_nothing_without_an_envelope() {
    let (old, new) = (orders(), orders().move_to_front("qty"));
    let mysql = |table: &Table| {
        let text = table.envelope_json(["before", "after"]).to_string();
        crate::schema::parse(&text.replace("connector.postgresql", "connector.mysql"), &[]).unwrap()
    };
    let assessment = assess(Level::Full, false, &mysql(&new), &[(1, mysql(&old))]);
    assert_eq!((assessment.data, assessment.plannable()), (SafeWithHistoryCaveat, true));
    assert!(assessment.reasons[0].starts_with("the row has columns `id` and `qty` in each other's place"));
    assert_eq!(diff(&old.flat(), &new.flat()), []);
    // What is new does not move the others, wherever it stands.
    assert!(diff(&old.envelope(), &orders().nullable("new", json!("int")).move_to_front("new").envelope()).len() == 1);
}

/// A connector's setting changes many columns at once: the sentence names it.
#[test]
fn settings_of_the_connector_are_named() {
    let said = |old: Table, new: Table| diff(&old.envelope(), &new.envelope()).remove(0).sentence;
    let connect = |ty: &str, name: &str, logical: &str| json!({"type": ty, "connect.name": format!("org.apache.kafka.connect.data.{name}"), "logicalType": logical});
    let timestamp = || connect("long", "Timestamp", "timestamp-millis");
    let mode = ", as another time.precision.mode of the connector does";
    let micro = || orders().nullable("created", named("long", "io.debezium.time.MicroTimestamp"));
    assert!(said(micro(), orders().nullable("created", timestamp())).ends_with(mode));
    assert!(said(orders().nullable("created", timestamp()), micro()).ends_with(mode));
    assert!(said(orders(), orders().nullable("created", timestamp())).ends_with(mode), "milliseconds stay");
    assert!(said(orders(), orders().nullable("due", connect("int", "Date", "date"))).ends_with(mode));
    // Between the adaptive modes the column's own precision looks the same.
    assert!(said(orders(), micro()).ends_with("in the same long"));
    let mode = ", as another decimal.handling.mode of the connector does";
    assert!(said(orders(), orders().nullable("price", json!("string"))).ends_with(mode));
    assert!(said(orders(), orders().nullable("price", json!("double"))).ends_with(mode));
}

/// What Debezium makes of `nextval('s')` and of `upper('x')` is a default that may as well be the database's own.
#[test]
fn a_default_that_says_nothing_is_told_so() {
    let added = |table: Table| diff(&orders().envelope(), &table.envelope()).remove(0).sentence;
    for (ty, default, shown) in
        [("long", json!(0), "CAST(0 AS BIGINT)"), ("int", json!(0), "0"), ("string", json!(""), "''")]
    {
        let said = added(orders().required_default("more", json!(ty), default));
        let want =
            format!("NOT NULL, with default {shown}, which Debezium also writes for an expression or a sequence");
        assert!(said.ends_with(&want), "{said}");
    }
    let said = added(orders().required_default("more", json!("string"), json!("it")));
    assert!(said.ends_with("NOT NULL, with default 'it'"), "{said}");
}

#[test]
fn an_enum_that_comes_is_read_by_no_table() {
    let state = || json!({"type": "enum", "name": "State", "symbols": ["A", "B"]});
    for ty in [state(), json!({"type": "array", "items": state()})] {
        let (old, new) = (orders().envelope(), orders().nullable("state", ty).envelope());
        let assessment = assess(Level::Full, false, &new, &[(1, old)]);
        assert_eq!((assessment.data, assessment.registry.is_compatible()), (JobFails, true));
        assert!(assessment.reasons[0].contains("FLINK-24544"), "{:?}", assessment.reasons);
        let unsupported = assessment.added[0].unsupported.as_deref();
        assert_eq!(unsupported, Some("a table's own schema does not read an Avro enum (FLINK-24544)"));
        // One that was there already says nothing of a later version.
        let later = assess(Level::FullTransitive, false, &new, &[(1, orders().envelope()), (2, new.clone())]);
        assert_eq!(later.data, Safe, "{:?}", later.reasons);
    }
}

#[test]
fn no_envelope_any_more() {
    let (old, new) = (orders().envelope(), orders().flat());
    let assessment = assess(Level::None, false, &new, &[(1, old)]);
    assert_eq!(assessment.data, JobFails);
    assert_eq!(assessment.changes[0].sentence, "the envelope changes from a Debezium envelope to a flat record");
}

#[test]
fn an_envelope_whose_before_is_a_record_of_its_own() {
    let envelope = |before: &str, after: &str| {
        let row = |name: &str, ty: &str| json!(["null", {"type": "record", "name": name, "fields": [{"name": "x", "type": ty}]}]);
        crate::schema::testing::avro(json!({"type": "record", "name": "Envelope", "fields": [
            {"name": "before", "type": row("Before", before)},
            {"name": "after", "type": row("After", after)},
            {"name": "op", "type": "string"}]}))
    };
    let old = envelope("int", "string");
    assert_eq!(row_fields(&old)[0].flink.ty, ColumnType::String, "the row is that of after");
    let changes = diff(&old, &envelope("long", "string"));
    assert_eq!(changes.len(), 1, "a change in before alone counts: {changes:?}");
    assert_eq!(changes[0].kind, ChangeKind::Widened);
    assert_eq!(diff(&old, &envelope("long", "int")).len(), 2);
}
