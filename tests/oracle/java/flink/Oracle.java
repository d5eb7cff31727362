import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.parser.SqlParseException;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.sql.parser.ExtendedSqlNode;
import org.apache.flink.table.operations.Operation;
import org.apache.flink.table.planner.parse.CalciteParser;
import org.apache.flink.table.planner.parse.ExtendedParser;

/**
 * Answers questions about statements with Flink's own parser and planner: one JSON object a line in, one a line out, in order.
 *
 * <p>{@code {"op": "parse", "sql": ...}} asks for the verdict and the tables, with {@code "tree": true} also for the
 * statement as Flink prints it, and with {@code "renames": [[line, column], ...], "to": ...} after the names at those places
 * were replaced in the tree; {@code {"op": "plan", "script": [...]}} runs
 * definitions and asks where the columns of each query come from and what state its plan holds.
 */
public final class Oracle {
    static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        PrintWriter out = new PrintWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
        // Flink prints to standard output here and there; only answers may go there.
        System.setOut(System.err);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        CalciteParser parser = Planning.parser();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode question = JSON.readTree(line);
            ObjectNode answer;
            if (question.get("op").asText().equals("parse")) {
                answer = parse(parser, question);
            } else if (question.get("op").asText().equals("functions")) {
                answer = Functions.names();
            } else if (question.get("op").asText().equals("resources")) {
                answer = JSON.createObjectNode();
                answer.set("statements", JSON.valueToTree(Resources.statements(question.get("jar").asText())));
            } else {
                answer = JSON.createObjectNode();
                answer.set("statements", Planning.script(question.get("script")));
            }
            out.println(JSON.writeValueAsString(answer));
            out.flush();
        }
    }

    private static ObjectNode parse(CalciteParser parser, JsonNode question) {
        String sql = question.get("sql").asText();
        boolean wantsTree = question.path("tree").asBoolean();
        ObjectNode answer = JSON.createObjectNode();
        try {
            Optional<Operation> command = ExtendedParser.INSTANCE.parse(sql);
            if (command.isPresent()) {
                answer.put("verdict", "accepted");
                answer.put("kind", command.get().getClass().getSimpleName());
                answer.putArray("reads");
                answer.putArray("writes");
                return answer;
            }
            SqlNodeList statements = parser.parseSqlList(sql);
            Tables tables = new Tables();
            StringBuilder kinds = new StringBuilder();
            for (SqlNode statement : statements) {
                kinds.append(kinds.length() == 0 ? "" : "; ").append(statement.getClass().getSimpleName());
                tables.statement(statement);
            }
            answer.put("kind", kinds.toString());
            answer.set("reads", JSON.valueToTree(tables.reads));
            answer.set("writes", JSON.valueToTree(tables.writes));
            answer.put("verdict", "accepted");
            if (question.has("renames")) {
                answer.put("renamed", Renaming.rename(statements, question.get("renames"), question.get("to").asText()));
            }
            if (wantsTree) {
                answer.put("tree", tree(statements));
            }
            for (SqlNode statement : statements) {
                if (statement instanceof ExtendedSqlNode) {
                    try {
                        ((ExtendedSqlNode) statement).validate();
                    } catch (Exception problem) {
                        answer.put("verdict", "invalid");
                        answer.put("message", String.valueOf(problem.getMessage()));
                    }
                }
            }
        } catch (Throwable problem) {
            if (problem instanceof VirtualMachineError && !(problem instanceof StackOverflowError)) {
                throw (VirtualMachineError) problem;
            }
            rejected(answer, problem);
        }
        return answer;
    }

    /** The statements as Flink prints them; some it cannot print. */
    private static String tree(SqlNodeList statements) {
        StringBuilder text = new StringBuilder();
        for (SqlNode statement : statements) {
            try {
                text.append(statement).append(";\n");
            } catch (RuntimeException problem) {
                return null;
            }
        }
        return text.toString();
    }

    private static void rejected(ObjectNode answer, Throwable problem) {
        answer.put("verdict", "rejected");
        answer.put("message", String.valueOf(problem.getMessage()));
        for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
            if (cause instanceof SqlParseException && ((SqlParseException) cause).getPos() != null) {
                SqlParserPos at = ((SqlParseException) cause).getPos();
                answer.put("line", at.getLineNum());
                answer.put("column", at.getColumnNum());
                return;
            }
        }
    }

    private Oracle() {}
}
