CREATE CONNECTION my_llm WITH ('type' = 'openai', 'endpoint' = 'https://llm.example.com/v1', 'api-key' = '${LLM_KEY}');
-- is: CREATE CONNECTION; named CONNECTION my_llm; options type = openai, endpoint = https://llm.example.com/v1, api-key = ${LLM_KEY}
CREATE CONNECTION IF NOT EXISTS `env-1`.`lkc-1`.`search-server`
  COMMENT 'finds things'
  WITH ('type' = 'mcp_server', 'endpoint' = 'https://mcp.example.com');
-- is: CREATE CONNECTION; named CONNECTION env-1.lkc-1.search-server; comment finds things; options type = mcp_server, endpoint = https://mcp.example.com
ALTER CONNECTION IF EXISTS my_llm SET ('api-key' = '${NEW_KEY}');
-- is: ALTER CONNECTION; named CONNECTION my_llm; options api-key = ${NEW_KEY}
DROP CONNECTION IF EXISTS `search-server`;
-- is: DROP CONNECTION; named search-server
DESCRIBE CONNECTION my_llm;
-- is: DESCRIBE; named CONNECTION my_llm
SHOW CONNECTIONS LIKE 'my%';
-- is: SHOW
CREATE TOOL finder USING CONNECTION `search-server` WITH ('type' = 'mcp', 'allowed_tools' = 'find,look', 'request_timeout' = '30');
-- is: CREATE TOOL; named TOOL finder; uses CONNECTION search-server; options type = mcp, allowed_tools = find,look, request_timeout = 30
CREATE TOOL IF NOT EXISTS db.to_celsius
  USING FUNCTION db.fahrenheit_to_celsius
  COMMENT 'degrees'
  WITH ('type' = 'function', 'description' = 'turns degrees');
-- is: CREATE TOOL; named TOOL db.to_celsius; uses FUNCTION db.fahrenheit_to_celsius; comment degrees; options type = function, description = turns degrees
ALTER TOOL finder SET ('request_timeout' = '60');
-- is: ALTER TOOL; named TOOL finder; options request_timeout = 60
ALTER TOOL IF EXISTS finder RESET ('request_timeout');
-- is: ALTER TOOL; named TOOL finder
ALTER TOOL finder RENAME TO db.searcher;
-- is: ALTER TOOL; named TOOL finder; now db.searcher
DROP TOOL finder;
-- is: DROP TOOL; named finder
DESCRIBE TOOL EXTENDED finder;
-- is: DESCRIBE; named TOOL finder
SHOW TOOLS FROM `env-1`.`lkc-1` NOT LIKE 'x%';
-- is: SHOW
SHOW CREATE TOOL finder;
-- is: SHOW; named TOOL finder
CREATE AGENT IF NOT EXISTS helper
  USING MODEL my_model
  USING PROMPT 'Answer the customer''s question.'
  USING TOOLS finder, db.to_celsius
  COMMENT 'for support'
  WITH ('max_iterations' = '5', 'max_consecutive_failures' = '2');
-- is: CREATE AGENT; named AGENT helper; uses MODEL my_model, TOOL finder, TOOL db.to_celsius; comment for support; options max_iterations = 5, max_consecutive_failures = 2
CREATE AGENT writer USING MODEL m USING PROMPT 'Write.' WITH ('max_iterations' = '3');
-- is: CREATE AGENT; named AGENT writer; uses MODEL m; options max_iterations = 3
CREATE AGENT checked USING AGENTS writer, critic WITH ('TYPE' = 'REFLECTION');
-- is: CREATE AGENT; named AGENT checked; uses AGENT writer, AGENT critic; options TYPE = REFLECTION
ALTER AGENT helper SET MODEL better_model;
-- is: ALTER AGENT; named AGENT helper; uses MODEL better_model
ALTER AGENT helper SET PROMPT 'Be short.';
-- is: ALTER AGENT; named AGENT helper
ALTER AGENT IF EXISTS `env-1`.db.helper ADD TOOL finder;
-- is: ALTER AGENT; named AGENT env-1.db.helper; uses TOOL finder
ALTER AGENT helper REMOVE TOOL finder;
-- is: ALTER AGENT; named AGENT helper; uses TOOL finder
ALTER AGENT helper SET ('max_iterations' = '10');
-- is: ALTER AGENT; named AGENT helper; options max_iterations = 10
DROP AGENT IF EXISTS helper;
-- is: DROP AGENT; named helper
DESC AGENT helper;
-- is: DESCRIBE; named AGENT helper
SHOW AGENTS;
-- is: SHOW
SHOW CREATE AGENT db.helper;
-- is: SHOW; named AGENT db.helper
