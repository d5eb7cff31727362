//! What ALTER TABLE and a connector's settings do to Debezium's envelopes and keys.

use serde_json::json;

use super::both_ways;
use crate::model::column::{Column, ColumnType};
use crate::schema::change::{ChangeKind, Scope};
use crate::schema::compat::can_read;
use crate::schema::diff::diff;
use crate::schema::envelope::row_fields;
use crate::schema::level::Level;
use crate::schema::testing::{Table, decimal, named, orders, smallint};
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
        ("numeric precision", o(), o().nullable("price", decimal(12, 2)), yes, SafeWithHistoryCaveat, "price"),
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

#[test]
fn the_declaration_of_a_table_decides() {
    let old = orders().envelope();
    let table = |column: Column| vec![Column::nullable("id", ColumnType::Int), column];
    let verdict = |new: Table, column: Column| {
        assess(Level::None, false, &new.envelope(), &[(1, old.clone())]).data_for(&table(column))
    };
    let dropped = || orders().without("qty");
    assert_eq!(verdict(dropped(), Column::required("qty", ColumnType::Int)), JobFails);
    assert_eq!(verdict(dropped(), Column::nullable("qty", ColumnType::Int)), SilentNull);
    assert_eq!(verdict(dropped(), Column::nullable("price", ColumnType::Decimal { precision: 10, scale: 2 })), Safe);
    let may_be_null = || orders().nullable("status", json!("string"));
    assert_eq!(verdict(may_be_null(), Column::required("status", ColumnType::String)), JobFails);
    assert_eq!(verdict(may_be_null(), Column::nullable("status", ColumnType::String)), Safe);
    let wide = || orders().nullable("size", smallint()).required("qty", json!("long"));
    assert_eq!(verdict(wide(), Column::nullable("qty", ColumnType::Int)), JobFails);
    assert_eq!(verdict(wide(), Column::nullable("size", ColumnType::Int)), Safe);
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
