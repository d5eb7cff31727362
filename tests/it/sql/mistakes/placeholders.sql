SELECT * FROM ${DB}.orders;
-- says: S008 at ${DB}: `${DB}` is a placeholder that nothing has replaced; write the value itself, or use the placeholder inside of a string in single quotes: only there values of [env.<name>.vars] are put in
SELECT * FROM db_${ENV}.orders;
-- says: S008 at ${ENV}: `${ENV}` is a placeholder that nothing has replaced; write the value itself, or use the placeholder inside of a string in single quotes: only there values of [env.<name>.vars] are put in
SELECT * FROM (db_${ENV}.orders);
-- says: S008 at ${ENV}: `${ENV}` is a placeholder that nothing has replaced; write the value itself, or use the placeholder inside of a string in single quotes: only there values of [env.<name>.vars] are put in
SELECT ${COLUMN} AS x_${N} FROM t GROUP BY ${COLUMN};
-- says: S008 at ${COLUMN}: `${COLUMN}` is a placeholder that nothing has replaced; write the value itself, or use the placeholder inside of a string in single quotes: only there values of [env.<name>.vars] are put in
CREATE TABLE `orders_${ENV}` (a INT) WITH ('topic' = '${TOPIC}');
-- says: S008 at ${ENV}: `${ENV}` is a placeholder that nothing has replaced; write the value itself, or use the placeholder inside of a string in single quotes: only there values of [env.<name>.vars] are put in
CREATE TABLE t (a INT) WITH ('topic' = 'x', 'brokers' = '{{ brokers }}');
-- says: S008 (warning) at {{ brokers }}: `{{ brokers }}` in `brokers` is not replaced; render the template first, as `dbt compile` does, and give the rendered text
SET table.exec.state.ttl = ${TTL};
-- says: S008 at ${TTL}: `${TTL}` is a placeholder that nothing has replaced; write the value itself, or use the placeholder inside of a string in single quotes: only there values of [env.<name>.vars] are put in
${INCLUDE}
-- says: S008 at ${INCLUDE}: `${INCLUDE}` is a placeholder that nothing has replaced; write the value itself, or use the placeholder inside of a string in single quotes: only there values of [env.<name>.vars] are put in
SELECT * FROM {{ ref('orders') }};
-- says: S008 at {{ ref('orders') }}: `{{ ref('orders') }}` is a placeholder that nothing has replaced; render the template first, as `dbt compile` does, and give the rendered text
{{ config(
    materialized = 'table', hook = "a;"
) }}
-- says: S008 at {{ config(\n    materialized = 'table', hook = "a;"\n) }}: `{{ config(` is a placeholder that nothing has replaced; render the template first, as `dbt compile` does, and give the rendered text
{% set days = 3 %}
-- says: S008 at {% set days = 3 %}: `{% set days = 3 %}` is a placeholder that nothing has replaced; render the template first, as `dbt compile` does, and give the rendered text
{# a note; with a 'quote #}
-- says: S008 at {# a note; with a 'quote #}: `{# a note; with a 'quote #}` is a placeholder that nothing has replaced; render the template first, as `dbt compile` does, and give the rendered text
SELECT ${{ inputs.column }} FROM t;
-- says: S008 at ${{ inputs.column }}: `${{ inputs.column }}` is a placeholder that nothing has replaced; render the template first, as `dbt compile` does, and give the rendered text
SELECT * FROM ${DB;
-- says: S008 at ${: the placeholder that `${` begins has no end; close it with `}` on the same line, and have it replaced before the text is read
SELECT {{ a FROM t;
-- says: S008 at {{: the placeholder that `{{` begins has no end; close it with `}}`, and have it replaced before the text is read
