import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.internal.TableEnvironmentImpl;
import org.apache.flink.table.planner.delegation.PlannerBase;
import org.apache.flink.table.planner.parse.CalciteParser;

final class Planning {
    static CalciteParser parser() {
        TableEnvironment env = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
        return ((PlannerBase) ((TableEnvironmentImpl) env).getPlanner()).plannerContext().createCalciteParser();
    }

    static ArrayNode script(JsonNode statements) {
        return Oracle.JSON.createArrayNode();
    }
}
