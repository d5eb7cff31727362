import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;

import org.apache.calcite.rel.RelNode;
import org.apache.calcite.rel.core.TableModify;
import org.apache.calcite.rel.metadata.JaninoRelMetadataProvider;
import org.apache.calcite.rel.metadata.RelMetadataQueryBase;
import org.apache.calcite.util.ImmutableBitSet;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.internal.TableEnvironmentImpl;
import org.apache.flink.table.catalog.CatalogModel;
import org.apache.flink.table.catalog.CatalogTable;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.catalog.ObjectIdentifier;
import org.apache.flink.table.catalog.ResolvedCatalogModel;
import org.apache.flink.table.catalog.ResolvedCatalogTable;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.table.operations.CollectModifyOperation;
import org.apache.flink.table.operations.CompileAndExecutePlanOperation;
import org.apache.flink.table.operations.CreateTableASOperation;
import org.apache.flink.table.operations.ExplainOperation;
import org.apache.flink.table.operations.ModifyOperation;
import org.apache.flink.table.operations.Operation;
import org.apache.flink.table.operations.QueryOperation;
import org.apache.flink.table.operations.ReplaceTableAsOperation;
import org.apache.flink.table.operations.SinkModifyOperation;
import org.apache.flink.table.operations.StatementSetOperation;
import org.apache.flink.table.operations.ddl.AlterViewAsOperation;
import org.apache.flink.table.operations.ddl.CompilePlanOperation;
import org.apache.flink.table.operations.ddl.CreateModelOperation;
import org.apache.flink.table.operations.ddl.CreateTableOperation;
import org.apache.flink.table.operations.ddl.CreateViewOperation;
import org.apache.flink.table.operations.materializedtable.CreateMaterializedTableOperation;
import org.apache.flink.table.planner.delegation.PlannerBase;
import org.apache.flink.table.planner.operations.PlannerQueryOperation;
import org.apache.flink.table.planner.parse.CalciteParser;
import org.apache.flink.table.planner.plan.metadata.FlinkRelMetadataQuery;
import org.apache.flink.table.planner.plan.nodes.exec.ExecEdge;
import org.apache.flink.table.planner.plan.nodes.exec.ExecNode;
import org.apache.flink.table.planner.plan.nodes.exec.stream.StreamExecLimit;
import org.apache.flink.table.planner.plan.nodes.exec.stream.StreamExecRank;
import org.apache.flink.table.planner.plan.nodes.exec.stream.StreamExecSink;
import org.apache.flink.table.planner.plan.nodes.exec.stream.StreamExecSortLimit;
import org.apache.flink.table.planner.plan.nodes.physical.stream.StreamPhysicalRel;
import org.apache.flink.table.planner.plan.utils.ChangelogPlanUtils;
import org.apache.flink.table.planner.plan.utils.RankProcessStrategy;
import org.apache.flink.table.runtime.operators.rank.ConstantRankRange;
import scala.collection.JavaConverters;
import scala.collection.Seq;

/** Plans the statements of a script one after the other, in a catalog of its own. */
final class Planning {
    /** How long one statement may take. */
    private static final int PATIENCE_SECONDS = 20;

    private final TableEnvironmentImpl env;
    private final PlannerBase planner;

    private Planning() {
        env = (TableEnvironmentImpl) TableEnvironment.create(EnvironmentSettings.inStreamingMode());
        planner = (PlannerBase) env.getPlanner();
        env.createTemporarySystemFunction("my_scalar", new Stubs.Scalar());
        env.createTemporarySystemFunction("split_words", new Stubs.Words());
        env.createTemporarySystemFunction("my_agg", new Stubs.Aggregate());
        env.createTemporarySystemFunction("my_ptf", new Stubs.Process());
    }

    static CalciteParser parser() {
        return new Planning().planner.plannerContext().createCalciteParser();
    }

    static ArrayNode script(JsonNode statements) throws InterruptedException {
        Planning planning = new Planning();
        ArrayNode answers = Oracle.JSON.createArrayNode();
        while (answers.size() < statements.size()) {
            planning.from(answers.size(), statements, answers);
        }
        return answers;
    }

    /**
     * Plans the statements from one on, in a thread of its own: some plans Flink's optimizer never finishes. Returns when all
     * are planned, or after one that took too long, which is then given up.
     */
    @SuppressWarnings({"deprecation", "removal"})
    private void from(int first, JsonNode statements, ArrayNode answers) throws InterruptedException {
        ArrayBlockingQueue<ObjectNode> done = new ArrayBlockingQueue<>(statements.size());
        // What the planner leaves in the thread that made it, and looks for where it plans.
        JaninoRelMetadataProvider metadata = RelMetadataQueryBase.THREAD_PROVIDERS.get();
        Thread thread = new Thread(null, () -> {
            RelMetadataQueryBase.THREAD_PROVIDERS.set(metadata);
            for (int i = first; i < statements.size(); i++) {
                done.add(answer(statements.get(i).asText()));
            }
        }, "planning", 64L << 20);
        thread.setDaemon(true);
        thread.start();
        while (answers.size() < statements.size()) {
            ObjectNode answer = done.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (answer == null) {
                thread.stop();
                thread.join();
                answers.addObject().put("ok", false).put("message", "Flink's optimizer did not end").putArray("queries");
                return;
            }
            answers.add(answer);
        }
    }

    private ObjectNode answer(String sql) {
        ObjectNode answer = Oracle.JSON.createObjectNode();
        ArrayNode queries = answer.putArray("queries");
        try {
            statement(sql, queries);
            answer.put("ok", true);
        } catch (ThreadDeath end) {
            throw end;
        } catch (Throwable problem) {
            if (problem instanceof VirtualMachineError && !(problem instanceof StackOverflowError)) {
                throw (VirtualMachineError) problem;
            }
            answer.put("ok", false);
            StringBuilder message = new StringBuilder();
            for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
                message.append(message.length() == 0 ? "" : ": ").append(cause.getMessage());
            }
            answer.put("message", message.toString());
        }
        return answer;
    }

    private void statement(String sql, ArrayNode queries) {
        for (Operation operation : env.getParser().parse(sql)) {
            operation(operation, queries);
        }
    }

    private void operation(Operation operation, ArrayNode queries) {
        if (operation instanceof CreateTableOperation) {
            create((CreateTableOperation) operation);
        } else if (operation instanceof CreateViewOperation) {
            env.executeInternal(operation);
            ObjectIdentifier view = ((CreateViewOperation) operation).getViewIdentifier();
            operation(env.getParser().parse("SELECT * FROM " + view.asSerializableString()).get(0), queries);
        } else if (operation instanceof CreateModelOperation) {
            CreateModelOperation create = (CreateModelOperation) operation;
            ResolvedCatalogModel model = (ResolvedCatalogModel) create.getCatalogModel();
            CatalogModel copy = model.copy(Map.of("provider", Connector.NAME));
            env.getCatalogManager().createModel(
                    ResolvedCatalogModel.of(copy, model.getResolvedInputSchema(), model.getResolvedOutputSchema()),
                    create.getModelIdentifier(), true);
        } else if (operation instanceof CompilePlanOperation) {
            operation(((CompilePlanOperation) operation).getOperation(), queries);
        } else if (operation instanceof CompileAndExecutePlanOperation) {
            operation(((CompileAndExecutePlanOperation) operation).getOperation(), queries);
        } else if (operation instanceof CreateMaterializedTableOperation) {
            String query =
                    ((CreateMaterializedTableOperation) operation).getCatalogMaterializedTable().getDefinitionQuery();
            operation(env.getParser().parse(query).get(0), queries);
        } else if (operation instanceof AlterViewAsOperation) {
            String query = ((AlterViewAsOperation) operation).getNewView().getExpandedQuery();
            operation(env.getParser().parse(query).get(0), queries);
        } else if (operation instanceof SinkModifyOperation) {
            SinkModifyOperation sink = (SinkModifyOperation) operation;
            if (((PlannerQueryOperation) sink.getChild()).getCalciteTree() instanceof TableModify) {
                // UPDATE and DELETE change rows in place.
                return;
            }
            String table = sink.getContextResolvedTable().getIdentifier().getObjectName();
            ResolvedSchema schema = sink.getContextResolvedTable().getResolvedSchema();
            List<String> columns = new ArrayList<>();
            for (Column column : schema.getColumns()) {
                if (column.isPersisted()) {
                    columns.add(column.getName());
                }
            }
            query(sink.getChild(), sink, table, columns, queries);
        } else if (operation instanceof QueryOperation) {
            QueryOperation query = (QueryOperation) operation;
            query(query, new CollectModifyOperation(query), "", query.getResolvedSchema().getColumnNames(), queries);
        } else if (operation instanceof CreateTableASOperation) {
            operation(((CreateTableASOperation) operation).getChild(), queries);
        } else if (operation instanceof ReplaceTableAsOperation) {
            operation(((ReplaceTableAsOperation) operation).getChild(), queries);
        } else if (operation instanceof StatementSetOperation) {
            ((StatementSetOperation) operation).getOperations().forEach(one -> operation(one, queries));
        } else if (operation instanceof ExplainOperation) {
            operation(((ExplainOperation) operation).getChild(), queries);
        }
    }

    /** Creates a table with the connector that can be planned with, in place of its own. */
    private void create(CreateTableOperation operation) {
        ResolvedCatalogTable table = operation.getCatalogTable();
        Map<String, String> options = new TreeMap<>();
        options.put("connector", Connector.NAME);
        options.put(Connector.CHANGES, changes(table.getOptions()));
        CatalogTable copy = table.getOrigin().copy(options);
        env.executeInternal(new CreateTableOperation(operation.getTableIdentifier(),
                new ResolvedCatalogTable(copy, table.getResolvedSchema()), operation.isIgnoreIfExists(),
                operation.isTemporary()));
    }

    /** The changes that a table of some connector and format carries. */
    private static String changes(Map<String, String> options) {
        String format = options.getOrDefault("value.format", options.getOrDefault("format", ""));
        String mode = options.getOrDefault("changelog.mode", "");
        if (options.getOrDefault("connector", "").equals("upsert-kafka") || mode.equals("upsert")) {
            return "upsert";
        }
        if (mode.equals("retract") || format.contains("debezium") || format.contains("canal") || format.contains("maxwell")) {
            return "all";
        }
        return options.getOrDefault("connector", "").equals("jdbc") ? "sink-upsert" : "append";
    }

    private void query(QueryOperation query, ModifyOperation whole, String target, List<String> names, ArrayNode queries) {
        ObjectNode answer = queries.addObject();
        answer.put("target", target);
        Origins origins = new Origins(this::columnName);
        RelNode rel = ((PlannerQueryOperation) query).getCalciteTree();
        List<Set<String>> columns = origins.of(rel);
        ArrayNode list = answer.putArray("columns");
        for (int i = 0; i < columns.size(); i++) {
            ObjectNode column = list.addObject();
            column.put("name", i < names.size() ? names.get(i) : "");
            column.set("origins", Oracle.JSON.valueToTree(columns.get(i)));
        }
        answer.set("rows", Oracle.JSON.valueToTree(origins.rows));
        ArrayNode types = answer.putArray("types");
        for (Column column : query.getResolvedSchema().getColumns()) {
            types.add(column.getDataType().getLogicalType().asSummaryString());
        }
        try {
            planned(whole, answer);
        } catch (Exception problem) {
            answer.put("unplanned", String.valueOf(problem.getMessage()));
        }
    }

    /** A field of a scan is a column, or a metadata key behind a prefix. */
    private String columnName(List<String> table, String field) {
        String prefix = "$metadata$";
        ObjectIdentifier name = ObjectIdentifier.of(table.get(0), table.get(1), table.get(2));
        ResolvedSchema schema = env.getCatalogManager().getTableOrError(name).getResolvedSchema();
        for (Column column : schema.getColumns()) {
            if (column instanceof Column.MetadataColumn) {
                String key = ((Column.MetadataColumn) column).getMetadataKey().orElse(column.getName());
                if (field.equals(prefix + key)) {
                    return column.getName();
                }
            }
        }
        return field.startsWith(prefix) ? field.substring(prefix.length()) : field;
    }

    /**
     * The nodes of the compiled plan that hold state, each named once, and what arrives at the sink: the kinds of changes,
     * and the sets of columns by which the rows are known.
     */
    private void planned(ModifyOperation whole, ObjectNode answer) throws ReflectiveOperationException {
        planner.beforeTranslation();
        try {
            RelNode rel = planner.translateToRel(whole);
            Seq<RelNode> optimized = planner.optimize(
                    JavaConverters.asScalaBufferConverter(Collections.singletonList(rel)).asScala().toSeq());
            RelNode arriving = optimized.head().getInput(0);
            ArrayNode kinds = answer.putArray("changes");
            ChangelogPlanUtils.getChangelogMode((StreamPhysicalRel) arriving).get().getContainedKinds()
                    .forEach(kind -> kinds.add(kind.shortString()));
            ArrayNode keys = answer.putArray("keys");
            Set<ImmutableBitSet> known = FlinkRelMetadataQuery
                    .reuseOrCreate(arriving.getCluster().getMetadataQuery()).getUpsertKeys(arriving);
            for (ImmutableBitSet key : known == null ? Set.<ImmutableBitSet>of() : known) {
                keys.add(Oracle.JSON.valueToTree(key.asList()));
            }
            Set<String> found = new TreeSet<>();
            Set<ExecNode<?>> seen = Collections.newSetFromMap(new IdentityHashMap<>());
            for (ExecNode<?> root : planner.translateToExecNodeGraph(optimized, false).getRootNodes()) {
                visit(root, seen, found);
            }
            answer.set("state", Oracle.JSON.valueToTree(found));
        } finally {
            planner.afterTranslation();
        }
    }

    private static void visit(ExecNode<?> node, Set<ExecNode<?>> seen, Set<String> found)
            throws ReflectiveOperationException {
        if (!seen.add(node)) {
            return;
        }
        String name = node.getClass().getSimpleName().replaceFirst("^StreamExec", "");
        if (node instanceof StreamExecSink) {
            Field materializes = StreamExecSink.class.getDeclaredField("upsertMaterialize");
            materializes.setAccessible(true);
            if (materializes.getBoolean(node)) {
                found.add("SinkMaterialize");
            }
        } else if (node instanceof StreamExecLimit || node instanceof StreamExecSortLimit) {
            found.add(holdsAll(node) ? name + " of all rows" : name);
        } else if (STATEFUL.contains(name)) {
            found.add(name);
        } else if (name.equals("WindowTableFunction") && node.getDescription().contains("SESSION")) {
            found.add("SessionWindowTableFunction");
        }
        for (ExecEdge edge : node.getInputEdges()) {
            visit(edge.getSource(), seen, found);
        }
    }

    /** True if a limit holds more rows than it gives: all, where one may move up, or where there is no last one. */
    private static boolean holdsAll(ExecNode<?> node) throws ReflectiveOperationException {
        Field strategy = StreamExecRank.class.getDeclaredField("rankStrategy");
        strategy.setAccessible(true);
        Field range = StreamExecRank.class.getDeclaredField("rankRange");
        range.setAccessible(true);
        return strategy.get(node) instanceof RankProcessStrategy.RetractStrategy
                || ((ConstantRankRange) range.get(node)).getRankEnd() == Long.MAX_VALUE;
    }

    private static final Set<String> STATEFUL = Set.of(
            "ChangelogNormalize", "Deduplicate", "GlobalGroupAggregate", "GlobalWindowAggregate", "GroupAggregate",
            "GroupTableAggregate", "GroupWindowAggregate", "IncrementalGroupAggregate", "IntervalJoin", "Join",
            "Match", "MultiJoin", "OverAggregate", "ProcessTableFunction", "PythonGroupAggregate",
            "PythonGroupTableAggregate", "PythonGroupWindowAggregate", "PythonOverAggregate", "Rank", "Sort",
            "TemporalJoin", "TemporalSort", "WindowAggregate", "WindowDeduplicate", "WindowJoin", "WindowRank");
}
