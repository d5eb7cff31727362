CREATE MODEL sentiment
  INPUT (text STRING)
  OUTPUT (label STRING COMMENT 'good or bad', score DOUBLE)
  COMMENT 'of reviews'
  WITH ('provider' = 'openai', 'task' = 'classification', 'openai.connection' = 'my_llm');
-- is: CREATE MODEL; named MODEL sentiment; comment of reviews; options provider = openai, task = classification, openai.connection = my_llm
ALTER MODEL sentiment SET ('default_version' = '2');
-- is: ALTER MODEL; named MODEL sentiment; options default_version = 2
ALTER MODEL IF EXISTS sentiment RENAME TO mood;
-- is: ALTER MODEL; named MODEL sentiment; now mood
DESCRIBE MODEL `sentiment$all`;
-- is: DESCRIBE; named MODEL sentiment$all
DROP MODEL IF EXISTS `sentiment$2`;
-- is: DROP MODEL; named sentiment$2
SHOW CREATE MODEL sentiment;
-- is: SHOW; named MODEL sentiment
CREATE FUNCTION mask AS 'com.example.Mask' USING JAR 'confluent-artifact://cfa-123/ver-1';
-- is: CREATE FUNCTION; named FUNCTION mask
CREATE FUNCTION enrich AS 'com.example.Enrich'
  USING JAR 'confluent-artifact://cfa-123'
  USING CONNECTIONS ('crm', 'billing');
-- is: CREATE FUNCTION; named FUNCTION enrich; uses CONNECTION crm, CONNECTION billing
DESCRIBE FUNCTION EXTENDED enrich;
-- is: DESCRIBE; named FUNCTION enrich
SELECT r.id, p.label FROM reviews r, LATERAL TABLE(ML_PREDICT('sentiment', r.body)) AS p (label, score);
-- is: QUERY; reads reviews
SELECT id, answer FROM questions, LATERAL TABLE(AI_COMPLETE('my_model', text, MAP['debug', 'true'])) AS a (answer);
-- is: QUERY; reads questions
SELECT q.id, a.status, a.response FROM questions AS q, LATERAL TABLE(AI_RUN_AGENT('helper', q.text, q.id)) AS a (status, response);
-- is: QUERY; reads questions
SELECT AI_TOOL_INVOKE('my_model', text, MAP[], MAP['finder', 'look it up']) AS calls FROM questions;
-- is: QUERY; reads questions
SELECT ML_EVALUATE(sentiment, f1, f2) FROM test_rows;
-- is: QUERY; reads test_rows
SELECT id, ML_DETECT_ANOMALIES(amount, ts, JSON_OBJECT('p' VALUE 1)) OVER (ORDER BY ts RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM orders;
-- is: QUERY; reads orders
SELECT q.id, v.search_results FROM questions q, LATERAL TABLE(VECTOR_SEARCH_AGG(documents, DESCRIPTOR(embedding), q.embedding, 3)) AS v;
-- is: QUERY; reads documents, questions
SELECT * FROM questions, LATERAL TABLE(KEY_SEARCH_AGG(`env-1`.`lkc-1`.customers, DESCRIPTOR(id), customer_id)) AS k;
-- is: QUERY; reads env-1.lkc-1.customers, questions
SELECT * FROM questions, LATERAL TABLE(TEXT_SEARCH_AGG(articles, DESCRIPTOR(title), text, 5)) AS k;
-- is: QUERY; reads articles, questions
