import java.util.Set;
import java.util.TreeSet;

import org.apache.calcite.sql.SqlFunction;
import org.apache.calcite.sql.SqlOperator;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.table.functions.BuiltInFunctionDefinition;
import org.apache.flink.table.functions.BuiltInFunctionDefinitions;
import org.apache.flink.table.functions.FunctionKind;
import org.apache.flink.table.planner.functions.sql.FlinkSqlOperatorTable;

/** The names of Flink's own functions, by what they do with rows. */
final class Functions {
    static ObjectNode names() {
        Set<String> scalar = new TreeSet<>();
        Set<String> aggregate = new TreeSet<>();
        for (SqlOperator operator : FlinkSqlOperatorTable.instance(false).getOperatorList()) {
            if (operator instanceof SqlFunction) {
                add(operator.isAggregator() ? aggregate : scalar, operator.getName());
            }
        }
        for (BuiltInFunctionDefinition definition : BuiltInFunctionDefinitions.getDefinitions()) {
            if (definition.hasRuntimeImplementation() || definition.getKind() != FunctionKind.OTHER) {
                if (definition.getKind() == FunctionKind.SCALAR) {
                    add(scalar, definition.getSqlName());
                } else if (definition.getKind() == FunctionKind.AGGREGATE) {
                    add(aggregate, definition.getSqlName());
                }
            }
        }
        ObjectNode answer = Oracle.JSON.createObjectNode();
        answer.set("scalar", Oracle.JSON.valueToTree(scalar));
        answer.set("aggregate", Oracle.JSON.valueToTree(aggregate));
        return answer;
    }

    /** Names that can be written; operators and what is for the planner alone have others. */
    private static void add(Set<String> names, String name) {
        if (name.matches("[A-Za-z][A-Za-z0-9_]*")) {
            names.add(name.toUpperCase());
        }
    }

    private Functions() {}
}
