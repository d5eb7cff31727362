import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;

import org.apache.calcite.rel.BiRel;
import org.apache.calcite.rel.RelFieldCollation;
import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.SingleRel;
import org.apache.calcite.rel.core.Aggregate;
import org.apache.calcite.rel.core.AggregateCall;
import org.apache.calcite.rel.core.Correlate;
import org.apache.calcite.rel.core.CorrelationId;
import org.apache.calcite.rel.core.Filter;
import org.apache.calcite.rel.core.Join;
import org.apache.calcite.rel.core.Match;
import org.apache.calcite.rel.core.Project;
import org.apache.calcite.rel.core.SetOp;
import org.apache.calcite.rel.core.Sort;
import org.apache.calcite.rel.core.TableFunctionScan;
import org.apache.calcite.rel.core.TableScan;
import org.apache.calcite.rel.core.Uncollect;
import org.apache.calcite.rel.core.Values;
import org.apache.calcite.rex.RexCall;
import org.apache.calcite.rex.RexCorrelVariable;
import org.apache.calcite.rex.RexFieldAccess;
import org.apache.calcite.rex.RexFieldCollation;
import org.apache.calcite.rex.RexInputRef;
import org.apache.calcite.rex.RexLiteral;
import org.apache.calcite.rex.RexNode;
import org.apache.calcite.rex.RexOver;
import org.apache.calcite.rex.RexPatternFieldRef;
import org.apache.calcite.rex.RexSubQuery;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlWindowTableFunction;
import org.apache.flink.table.planner.calcite.RexTableArgCall;

/**
 * Where the columns of a plan that is not optimized yet come from: for each column the columns of tables that its value is
 * made of, and for the whole plan those that decide which rows there are. What filters an aggregate's input, or orders it,
 * is no part of a value here.
 */
final class Origins {
    /** Columns that decide about rows. */
    final TreeSet<String> rows = new TreeSet<>();
    private final Map<CorrelationId, List<Set<String>>> outer = new HashMap<>();
    private final BiFunction<List<String>, String, String> columnName;

    /** The function gives a column's own name for a table's name and a field of its scan. */
    Origins(BiFunction<List<String>, String, String> columnName) {
        this.columnName = columnName;
    }

    List<Set<String>> of(RelNode rel) {
        if (rel instanceof TableScan) {
            List<Set<String>> columns = new ArrayList<>();
            List<String> name = rel.getTable().getQualifiedName();
            for (String field : rel.getRowType().getFieldNames()) {
                columns.add(Set.of(name.get(2) + "." + columnName.apply(name, field)));
            }
            return columns;
        }
        if (rel instanceof Values) {
            return empty(rel);
        }
        if (rel instanceof Project) {
            List<Set<String>> input = of(((Project) rel).getInput());
            ((Project) rel).getVariablesSet().forEach(id -> outer.put(id, input));
            List<Set<String>> columns = new ArrayList<>();
            ((Project) rel).getProjects().forEach(value -> columns.add(value(value, input)));
            return columns;
        }
        if (rel instanceof Filter) {
            List<Set<String>> input = of(((Filter) rel).getInput());
            ((Filter) rel).getVariablesSet().forEach(id -> outer.put(id, input));
            rows.addAll(value(((Filter) rel).getCondition(), input));
            return input;
        }
        if (rel instanceof Join || rel instanceof Correlate) {
            return both((BiRel) rel);
        }
        if (rel instanceof Aggregate) {
            return aggregate((Aggregate) rel);
        }
        if (rel instanceof SetOp) {
            return setOperation((SetOp) rel);
        }
        if (rel instanceof Sort) {
            List<Set<String>> input = of(((Sort) rel).getInput());
            for (RelFieldCollation by : ((Sort) rel).getCollation().getFieldCollations()) {
                rows.addAll(input.get(by.getFieldIndex()));
            }
            return input;
        }
        if (rel instanceof Uncollect) {
            List<Set<String>> columns = empty(rel);
            of(((Uncollect) rel).getInput()).forEach(from -> columns.forEach(column -> column.addAll(from)));
            columns.forEach(rows::addAll);
            return columns;
        }
        if (rel instanceof Match) {
            return match((Match) rel);
        }
        if (rel instanceof TableFunctionScan) {
            return function((TableFunctionScan) rel);
        }
        if (rel instanceof SingleRel && rel.getRowType().getFieldCount() == rel.getInput(0).getRowType().getFieldCount()) {
            // Watermarks, snapshots and the like pass their input on.
            return of(rel.getInput(0));
        }
        throw new UnsupportedOperationException("origins through " + rel.getClass().getSimpleName());
    }

    private static List<Set<String>> empty(RelNode rel) {
        List<Set<String>> columns = new ArrayList<>();
        rel.getRowType().getFieldList().forEach(field -> columns.add(new TreeSet<>()));
        return columns;
    }

    private List<Set<String>> both(BiRel rel) {
        List<Set<String>> columns = new ArrayList<>(of(rel.getLeft()));
        if (rel instanceof Correlate) {
            outer.put(((Correlate) rel).getCorrelationId(), List.copyOf(columns));
        }
        int left = columns.size();
        columns.addAll(of(rel.getRight()));
        if (rel instanceof Join) {
            ((Join) rel).getVariablesSet().forEach(id -> outer.put(id, List.copyOf(columns)));
            rows.addAll(value(((Join) rel).getCondition(), columns));
        }
        boolean leftOnly = rel.getRowType().getFieldCount() == left;
        return leftOnly ? new ArrayList<>(columns.subList(0, left)) : columns;
    }

    private List<Set<String>> aggregate(Aggregate rel) {
        List<Set<String>> input = of(rel.getInput());
        List<Set<String>> columns = new ArrayList<>();
        for (int key : rel.getGroupSet()) {
            columns.add(input.get(key));
            rows.addAll(input.get(key));
        }
        for (AggregateCall call : rel.getAggCallList()) {
            Set<String> from = new TreeSet<>();
            call.getArgList().forEach(argument -> from.addAll(input.get(argument)));
            columns.add(from);
        }
        return columns;
    }

    private List<Set<String>> setOperation(SetOp rel) {
        List<Set<String>> columns = empty(rel);
        for (RelNode input : rel.getInputs()) {
            List<Set<String>> from = of(input);
            for (int i = 0; i < columns.size(); i++) {
                columns.get(i).addAll(from.get(i));
            }
        }
        if (!rel.all || rel.kind != SqlKind.UNION) {
            columns.forEach(rows::addAll);
        }
        return columns;
    }

    private List<Set<String>> match(Match rel) {
        List<Set<String>> input = of(rel.getInput());
        rel.getPartitionKeys().forEach(key -> rows.addAll(input.get(key)));
        rel.getOrderKeys().getFieldCollations().forEach(by -> rows.addAll(input.get(by.getFieldIndex())));
        rel.getPatternDefinitions().values().forEach(condition -> rows.addAll(value(condition, input)));
        List<Set<String>> columns = new ArrayList<>();
        List<String> inputNames = rel.getInput().getRowType().getFieldNames();
        for (String name : rel.getRowType().getFieldNames()) {
            RexNode measure = rel.getMeasures().get(name);
            columns.add(measure != null ? value(measure, input) : input.get(inputNames.indexOf(name)));
        }
        return columns;
    }

    private List<Set<String>> function(TableFunctionScan rel) {
        List<Set<String>> input = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (RelNode one : rel.getInputs()) {
            input.addAll(of(one));
            names.addAll(one.getRowType().getFieldNames());
        }
        RexCall call = (RexCall) rel.getCall();
        Set<String> named = value(call, input);
        for (RexNode argument : call.getOperands()) {
            if (argument.getKind() == SqlKind.DESCRIPTOR) {
                for (RexNode column : ((RexCall) argument).getOperands()) {
                    String name = column instanceof RexLiteral ? ((RexLiteral) column).getValueAs(String.class) : "";
                    named.addAll(names.contains(name) ? input.get(names.indexOf(name)) : Set.of());
                }
            }
        }
        int fields = rel.getRowType().getFieldCount();
        List<Set<String>> columns = new ArrayList<>();
        boolean passes = call.getOperator() instanceof SqlWindowTableFunction
                || call.getOperator().getName().equalsIgnoreCase("ML_PREDICT");
        if (passes) {
            columns.addAll(input);
        } else {
            // A function that may look at everything.
            input.forEach(named::addAll);
            for (RexNode argument : call.getOperands()) {
                if (argument instanceof RexTableArgCall) {
                    for (int key : ((RexTableArgCall) argument).getPartitionKeys()) {
                        columns.add(input.get(key));
                    }
                }
            }
        }
        while (columns.size() < fields) {
            columns.add(named);
        }
        rows.addAll(named);
        return columns;
    }

    /** The columns that an expression is made of. */
    private Set<String> value(RexNode node, List<Set<String>> input) {
        Set<String> found = new TreeSet<>();
        collect(node, input, found);
        return found;
    }

    private void collect(RexNode node, List<Set<String>> input, Set<String> found) {
        if (node instanceof RexPatternFieldRef || node instanceof RexInputRef) {
            found.addAll(input.get(((RexInputRef) node).getIndex()));
        } else if (node instanceof RexFieldAccess) {
            RexFieldAccess access = (RexFieldAccess) node;
            if (access.getReferenceExpr() instanceof RexCorrelVariable) {
                CorrelationId id = ((RexCorrelVariable) access.getReferenceExpr()).id;
                found.addAll(outer.get(id).get(access.getField().getIndex()));
            } else {
                collect(access.getReferenceExpr(), input, found);
            }
        } else if (node instanceof RexTableArgCall) {
            for (int key : ((RexTableArgCall) node).getPartitionKeys()) {
                found.addAll(input.get(key));
            }
        } else if (node instanceof RexSubQuery) {
            RexSubQuery query = (RexSubQuery) node;
            query.getOperands().forEach(operand -> collect(operand, input, found));
            List<Set<String>> columns = of(query.rel);
            if (query.getKind() != SqlKind.EXISTS) {
                columns.forEach(found::addAll);
            }
        } else if (node instanceof RexOver) {
            RexOver over = (RexOver) node;
            over.getOperands().forEach(operand -> collect(operand, input, found));
            over.getWindow().partitionKeys.forEach(key -> collect(key, input, found));
            for (RexFieldCollation by : over.getWindow().orderKeys) {
                collect(by.left, input, found);
            }
        } else if (node instanceof RexCall) {
            ((RexCall) node).getOperands().forEach(operand -> collect(operand, input, found));
        }
    }
}
