//! First versions, versions before the latest, added columns, and subjects that cannot be judged.

use serde_json::json;

use crate::model::column::ColumnType;
use crate::schema::added::{Declared, added_since};
use crate::schema::avro::AvroSchema;
use crate::schema::kind::SchemaKind;
use crate::schema::level::{Level, RegistryVerdict};
use crate::schema::testing::{decimal, named, orders};
use crate::schema::verdict::{Assessment, DataVerdict, SubjectText, assess, assess_texts};

#[test]
fn a_first_version_is_compatible_and_changes_nothing() {
    for (level, _) in Level::ALL {
        let assessment = assess(level, false, &orders().envelope(), &[]);
        assert!(assessment.plannable(), "{level}");
        assert_eq!(assessment.data, DataVerdict::Safe);
        assert!(assessment.changes.is_empty() && assessment.added_columns().is_empty());
        let why = if level == Level::None { "nothing is checked" } else { "nothing to compare with" };
        assert_eq!(assessment.registry.to_string(), format!("{level}: compatible, {why}"));
    }
}

#[test]
fn the_same_version_again_changes_nothing() {
    let schema = orders().envelope();
    let assessment = assess(Level::FullTransitive, false, &schema, &[(1, schema.clone())]);
    assert!(assessment.plannable() && assessment.changes.is_empty());
    let key = orders().key();
    assert_eq!(assess(Level::FullTransitive, true, &key, &[(1, key.clone())]).data, DataVerdict::Safe);
}

#[test]
fn an_earlier_version_with_another_scale_still_counts() {
    let (one, two) = (orders().envelope(), orders().nullable("price", decimal(10, 4)).envelope());
    let three = orders().nullable("price", decimal(10, 4)).nullable("region", json!("string")).envelope();
    let assessment = assess(Level::FullTransitive, false, &three, &[(1, one), (2, two.clone())]);
    assert!(assessment.registry.is_compatible(), "the registry does not see scales");
    assert_eq!(assessment.data, DataVerdict::WrongValues);
    assert_eq!(assessment.concerns[0].version, Some(1));
    assert!(assessment.reasons[0].starts_with("since version 1, column `price` changes its decimal scale from 2 to 4"));
    assert_eq!(assessment.added_columns().len(), 1);
    // A baseline at version 2 leaves version 1 out.
    assert!(assess(Level::FullTransitive, false, &three, &[(2, two)]).plannable());
}

#[test]
fn a_column_that_comes_back_has_a_past() {
    let (one, two) = (orders().envelope(), orders().without("customer").envelope());
    let assessment = assess(Level::FullTransitive, false, &one, &[(1, one.clone()), (2, two)]);
    assert_eq!(assessment.data, DataVerdict::SafeWithHistoryCaveat);
    assert!(assessment.reasons[0].contains("`customer` existed in version 1 already"), "{:?}", assessment.reasons);
}

#[test]
fn added_columns_are_nullable_and_carry_their_default() {
    let new = orders()
        .required_default("region", json!("string"), json!("it's EU"))
        .nullable_default("discount", decimal(6, 2), json!("\u{4}\u{d2}"))
        .nullable("weight_kg", json!("double"))
        .required("lines", json!({"type": "array", "items": "int"}));
    let assessment = assess(Level::None, false, &new.envelope(), &[(1, orders().envelope())]);
    let added = assessment.added_columns();
    let shown: Vec<String> = added.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "`region` STRING (default 'it''s EU')",
            "`discount` DECIMAL(6, 2) (default CAST(12.34 AS DECIMAL(6, 2)))",
            "`weight_kg` DOUBLE",
            "`lines` ARRAY<INT NOT NULL>",
        ]
    );
    assert_eq!(added.iter().map(|a| a.source_not_null).collect::<Vec<_>>(), [true, false, false, true]);
    assert!(added.iter().all(|a| a.flink.nullable && a.unsupported.is_none()));
    assert_eq!(added[1].flink.ty, ColumnType::Decimal { precision: 6, scale: 2 });
}

#[test]
fn a_default_that_may_stand_for_an_expression_fills_nothing() {
    let timestamp = || named("long", "io.debezium.time.MicroTimestamp");
    let zoned = || named("string", "io.debezium.time.ZonedTimestamp");
    let uuid = || named("string", "io.debezium.data.Uuid");
    let cases = [
        (timestamp(), json!(0), None),
        (timestamp(), json!(1), Some("CAST(1 AS BIGINT)")),
        (named("int", "io.debezium.time.Date"), json!(0), None),
        (zoned(), json!("1970-01-01T00:00:00.000000Z"), None),
        (zoned(), json!("2026-01-02T03:04:05Z"), Some("'2026-01-02T03:04:05Z'")),
        (uuid(), json!("00000000-0000-0000-0000-000000000000"), None),
        (uuid(), json!("00000000-0000-0000-0000-000000000001"), Some("'00000000-0000-0000-0000-000000000001'")),
        // Midnight, 0 and the empty text are defaults that people give.
        (named("int", "io.debezium.time.Time"), json!(0), Some("0")),
        (json!("long"), json!(0), Some("CAST(0 AS BIGINT)")),
        (json!("string"), json!(""), Some("''")),
        // Without Connect's names nobody puts anything in the place of an expression.
        (
            json!({"type": "long", "logicalType": "timestamp-millis"}),
            json!(0),
            Some("TIMESTAMP '1970-01-01 00:00:00.000'"),
        ),
    ];
    for (ty, default, literal) in cases {
        let new = orders().required_default("made", ty.clone(), default.clone()).envelope();
        let assessment = assess(Level::Full, false, &new, &[(1, orders().envelope())]);
        let [column] = assessment.added.as_slice() else { panic!("{ty}: one column") };
        assert_eq!(
            (column.default_sql.as_deref(), column.default.is_some()),
            (literal, literal.is_some()),
            "{ty} {default}"
        );
        assert_eq!(assessment.data, DataVerdict::SafeWithHistoryCaveat, "{ty} {default}");
        let says = assessment.reasons[0].contains("writes for an expression such as now()");
        assert_eq!(says, literal.is_none(), "{:?}", assessment.reasons);
        // Nor is it filled in where it is the default of the version that brought the column.
        let later = orders().required("made", ty).envelope();
        let [column] = added_since(&orders().envelope(), &[(2, new)], &later).try_into().expect("one column");
        assert_eq!(column.earlier[0].default_sql.as_deref(), literal);
    }
}

#[test]
fn an_added_column_remembers_how_it_came() {
    let text = |default: &str| orders().required_default("region", json!("string"), json!(default)).envelope();
    let nullable = |default: &str| orders().nullable_default("region", json!("string"), json!(default)).envelope();
    let open = || orders().nullable("region", json!("string")).envelope();
    let history = |between: Vec<AvroSchema>, new: AvroSchema| -> Vec<String> {
        let between: Vec<(i32, AvroSchema)> = (2..).zip(between).collect();
        let [column] = added_since(&orders().envelope(), &between, &new).try_into().expect("one column");
        let null = |d: &Declared| if d.nullable { "nullable" } else { "NOT NULL" };
        let show = |d: &Declared| format!("{} {} {:?}", d.version, null(d), d.default_sql.as_deref());
        column.earlier.iter().map(show).collect()
    };
    assert_eq!(history(vec![], text("EU")), [""; 0]);
    // Versions in which only other columns changed say nothing new.
    assert_eq!(history(vec![text("EU"), text("EU")], text("EU")), [""; 0]);
    assert_eq!(
        history(vec![text("EU"), text("US"), text("US")], text("AS")),
        ["2 NOT NULL Some(\"'EU'\")", "3 NOT NULL Some(\"'US'\")"]
    );
    assert_eq!(
        history(vec![text("EU"), text("US")], text("EU")),
        ["2 NOT NULL Some(\"'EU'\")", "3 NOT NULL Some(\"'US'\")"]
    );
    assert_eq!(history(vec![open(), nullable("EU")], text("EU")), ["2 nullable None", "3 nullable Some(\"'EU'\")"]);
    // What was gone in between came anew.
    assert_eq!(history(vec![text("EU"), orders().envelope(), nullable("US")], nullable("US")), [""; 0]);
}

#[test]
fn other_languages_are_unknown_and_never_compatible() {
    let text = SubjectText { schema: "syntax = \"proto3\"; message A {}".into(), references: Vec::new() };
    for (word, because) in [
        ("PROTOBUF", "PROTOBUF schemas are compared by field number and not judged, only AVRO ones are"),
        (
            "json",
            "JSON schemas are compared by property name and not judged, only AVRO ones are; the new version cannot be read",
        ),
        ("THRIFT", "THRIFT schemas are not known, only AVRO ones are judged"),
    ] {
        let kind: SchemaKind = word.parse().expect("any word");
        let same = [(1, text.clone())];
        let assessment = assess_texts(&kind, Level::None, false, &text, &same);
        assert!(matches!(assessment.registry.verdict, RegistryVerdict::Unknown { .. }));
        assert!(!assessment.registry.is_compatible() && !assessment.plannable());
        assert_eq!(assessment.data, DataVerdict::Unknown);
        assert!(assessment.reasons[0].starts_with(&format!("unknown, because {because}")), "{:?}", assessment.reasons);
    }
}

#[test]
fn an_avro_text_that_cannot_be_read_is_unknown() {
    let text = |schema: &str| SubjectText { schema: schema.into(), references: Vec::new() };
    let good = text(orders().envelope().text());
    let new = assess_texts(&SchemaKind::Avro, Level::Full, false, &text("{"), &[(1, good.clone())]);
    assert!(new.reasons[0].starts_with("unknown, because the new version cannot be read: the schema is not JSON"));
    let old = assess_texts(&SchemaKind::Avro, Level::Full, false, &good, &[(7, text("\"com.shop.Gone\""))]);
    assert!(
        old.reasons[0].contains("version 7 cannot be read: the schema uses type `com.shop.Gone`"),
        "{:?}",
        old.reasons
    );
    assert!(!new.plannable() && !old.plannable());
    let fine = assess_texts(&SchemaKind::Avro, Level::Full, false, &good, &[(1, good.clone())]);
    assert!(fine.plannable());
}

#[test]
fn an_assessment_survives_json() {
    let new = orders().nullable("region", json!("string")).required("qty", json!("long")).rename("status", "state");
    let assessment = assess(Level::FullTransitive, false, &new.envelope(), &[(3, orders().envelope())]);
    let text = serde_json::to_string(&assessment).expect("JSON");
    let back: Assessment = serde_json::from_str(&text).expect("the same");
    assert_eq!(back, assessment);
    assert!(text.contains("\"default\":null"), "a default of null is kept apart from none");
    let schema = orders().envelope();
    let text = serde_json::to_string(&schema).expect("JSON");
    assert_eq!(serde_json::from_str::<crate::schema::AvroSchema>(&text).expect("the same"), schema);
}

#[test]
fn an_assessment_reads_well() {
    let new = orders().required_default("region", json!("string"), json!("EU")).nullable("price", decimal(10, 4));
    let assessment = assess(Level::FullTransitive, false, &new.envelope(), &[(1, orders().envelope())]);
    assert_eq!(
        assessment.to_string(),
        "registry, FULL_TRANSITIVE: compatible with version 1\n\
         data: wrong values\n  \
         column `price` changes its decimal scale from 2 to 4: old and new records decode alike and mean something else, \
         and nothing fails\n    \
         way out: put the new form into a new column\n  \
         column `region` was added as string NOT NULL, with default 'EU': records written before read as NULL, not as the \
         default, unless the statement fills it"
    );
}

#[test]
fn a_value_record_that_is_named_key_is_a_value() {
    let (old, new) = (orders().key(), orders().keyed_by(&["id", "customer"]).key());
    let assessment = assess(Level::FullTransitive, false, &new, &[(1, old)]);
    assert_eq!(assessment.data, DataVerdict::Safe);
    assert_eq!(assessment.added_columns().len(), 1);
}
