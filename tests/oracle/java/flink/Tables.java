import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.TreeSet;

import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlDelete;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlInsert;
import org.apache.calcite.sql.SqlJoin;
import org.apache.calcite.sql.SqlKind;
import org.apache.calcite.sql.SqlMatchRecognize;
import org.apache.calcite.sql.SqlMerge;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.SqlOrderBy;
import org.apache.calcite.sql.SqlSelect;
import org.apache.calcite.sql.SqlTableRef;
import org.apache.calcite.sql.SqlUpdate;
import org.apache.calcite.sql.SqlWith;
import org.apache.calcite.sql.SqlWithItem;
import org.apache.flink.sql.parser.ddl.SqlAlterMaterializedTable;
import org.apache.flink.sql.parser.ddl.SqlAlterMaterializedTableAsQuery;
import org.apache.flink.sql.parser.ddl.SqlAlterTable;
import org.apache.flink.sql.parser.ddl.SqlAlterTableRename;
import org.apache.flink.sql.parser.ddl.SqlAlterView;
import org.apache.flink.sql.parser.ddl.SqlAlterViewAs;
import org.apache.flink.sql.parser.ddl.SqlAlterViewRename;
import org.apache.flink.sql.parser.ddl.SqlAnalyzeTable;
import org.apache.flink.sql.parser.ddl.SqlCompilePlan;
import org.apache.flink.sql.parser.ddl.SqlCreateMaterializedTable;
import org.apache.flink.sql.parser.ddl.SqlCreateModelAs;
import org.apache.flink.sql.parser.ddl.SqlCreateTable;
import org.apache.flink.sql.parser.ddl.SqlCreateTableAs;
import org.apache.flink.sql.parser.ddl.SqlCreateTableLike;
import org.apache.flink.sql.parser.ddl.SqlCreateView;
import org.apache.flink.sql.parser.ddl.SqlDropMaterializedTable;
import org.apache.flink.sql.parser.ddl.SqlDropTable;
import org.apache.flink.sql.parser.ddl.SqlDropView;
import org.apache.flink.sql.parser.ddl.SqlReplaceTableAs;
import org.apache.flink.sql.parser.dml.SqlCompileAndExecutePlan;
import org.apache.flink.sql.parser.dml.SqlExecute;
import org.apache.flink.sql.parser.dml.SqlStatementSet;
import org.apache.flink.sql.parser.dml.SqlTruncateTable;
import org.apache.flink.sql.parser.dql.SqlRichExplain;

/**
 * The tables and views whose rows a statement reads, and those that it creates, fills, changes or drops, by the names that
 * it writes. Common table expressions are not among them.
 */
final class Tables {
    final TreeSet<String> reads = new TreeSet<>();
    final TreeSet<String> writes = new TreeSet<>();
    private final Deque<String> hidden = new ArrayDeque<>();

    void statement(SqlNode node) {
        if (node instanceof SqlInsert) {
            SqlInsert insert = (SqlInsert) node;
            write(insert.getTargetTable());
            query(insert.getSource());
        } else if (node instanceof SqlUpdate) {
            SqlUpdate update = (SqlUpdate) node;
            write(update.getTargetTable());
            expression(update.getSourceExpressionList());
            expression(update.getCondition());
        } else if (node instanceof SqlDelete) {
            write(((SqlDelete) node).getTargetTable());
            expression(((SqlDelete) node).getCondition());
        } else if (node instanceof SqlMerge) {
            merge((SqlMerge) node);
        } else if (node instanceof SqlTruncateTable) {
            write(((SqlCall) node).operand(0));
        } else if (node instanceof SqlCreateTable) {
            write(((SqlCreateTable) node).getTableName());
            if (node instanceof SqlCreateTableAs) {
                query(((SqlCreateTableAs) node).getAsQuery());
            } else if (node instanceof SqlReplaceTableAs) {
                query(((SqlReplaceTableAs) node).getAsQuery());
            } else if (node instanceof SqlCreateTableLike) {
                read(((SqlCreateTableLike) node).getTableLike().getSourceTable());
            }
        } else if (node instanceof SqlCreateView) {
            write(((SqlCreateView) node).getViewName());
            query(((SqlCreateView) node).getQuery());
        } else if (node instanceof SqlCreateMaterializedTable) {
            write(((SqlCreateMaterializedTable) node).getTableName());
            query(((SqlCreateMaterializedTable) node).getAsQuery());
        } else if (node instanceof SqlCreateModelAs) {
            query(((SqlCreateModelAs) node).getAsQuery());
        } else if (node instanceof SqlAlterTable) {
            write(((SqlAlterTable) node).getTableName());
            if (node instanceof SqlAlterTableRename) {
                write(((SqlCall) node).getOperandList().get(1));
            }
        } else if (node instanceof SqlAlterView) {
            write(((SqlAlterView) node).getViewIdentifier());
            if (node instanceof SqlAlterViewAs) {
                query(((SqlAlterViewAs) node).getNewQuery());
            } else if (node instanceof SqlAlterViewRename) {
                write(((SqlCall) node).getOperandList().get(1));
            }
        } else if (node instanceof SqlAlterMaterializedTable) {
            write(((SqlAlterMaterializedTable) node).getTableName());
            if (node instanceof SqlAlterMaterializedTableAsQuery) {
                query(((SqlAlterMaterializedTableAsQuery) node).getAsQuery());
            }
        } else if (node instanceof SqlDropTable || node instanceof SqlDropView || node instanceof SqlDropMaterializedTable) {
            write(((SqlCall) node).operand(0));
        } else if (node instanceof SqlRichExplain) {
            statement(((SqlRichExplain) node).getStatement());
        } else if (node instanceof SqlExecute) {
            statement(((SqlExecute) node).getStatement());
        } else if (node instanceof SqlStatementSet) {
            ((SqlStatementSet) node).getInserts().forEach(this::statement);
        } else if (node instanceof SqlCompilePlan || node instanceof SqlCompileAndExecutePlan) {
            ((SqlCall) node).getOperandList().forEach(this::statement);
        } else if (node instanceof SqlAnalyzeTable || node == null) {
            return;
        } else if (isQuery(node)) {
            query(node);
        }
    }

    private void merge(SqlMerge merge) {
        write(merge.getTargetTable());
        source(merge.getSourceTableRef());
        expression(merge.getCondition());
        if (merge.getUpdateCall() != null) {
            expression(merge.getUpdateCall().getSourceExpressionList());
        }
        if (merge.getInsertCall() != null) {
            query(merge.getInsertCall().getSource());
        }
    }

    private static boolean isQuery(SqlNode node) {
        return node != null && (SqlKind.QUERY.contains(node.getKind()) || node.getKind() == SqlKind.WITH
                || node.getKind() == SqlKind.ORDER_BY || node.getKind() == SqlKind.EXPLICIT_TABLE);
    }

    private void query(SqlNode node) {
        if (node instanceof SqlWith) {
            SqlWith with = (SqlWith) node;
            int before = hidden.size();
            for (SqlNode entry : with.withList) {
                SqlWithItem item = (SqlWithItem) entry;
                query(item.query);
                hidden.push(item.name.getSimple());
            }
            query(with.body);
            while (hidden.size() > before) {
                hidden.pop();
            }
        } else if (node instanceof SqlOrderBy) {
            SqlOrderBy ordered = (SqlOrderBy) node;
            query(ordered.query);
            expression(ordered.orderList);
            expression(ordered.offset);
            expression(ordered.fetch);
        } else if (node instanceof SqlSelect) {
            SqlSelect select = (SqlSelect) node;
            source(select.getFrom());
            expression(select.getSelectList());
            expression(select.getWhere());
            expression(select.getGroup());
            expression(select.getHaving());
            expression(select.getWindowList());
            expression(select.getQualify());
            expression(select.getOrderList());
            expression(select.getOffset());
            expression(select.getFetch());
        } else if (node instanceof SqlCall && node.getKind() == SqlKind.EXPLICIT_TABLE) {
            source(((SqlCall) node).operand(0));
        } else if (node instanceof SqlCall) {
            ((SqlCall) node).getOperandList().forEach(operand -> {
                if (isQuery(operand)) {
                    query(operand);
                } else {
                    expression(operand);
                }
            });
        }
    }

    /** What stands in FROM: an identifier here is a table. */
    private void source(SqlNode node) {
        if (node == null) {
            return;
        }
        if (node instanceof SqlIdentifier) {
            read((SqlIdentifier) node);
        } else if (node instanceof SqlJoin) {
            source(((SqlJoin) node).getLeft());
            source(((SqlJoin) node).getRight());
            if (((SqlJoin) node).getConditionType() == org.apache.calcite.sql.JoinConditionType.ON) {
                expression(((SqlJoin) node).getCondition());
            }
        } else if (node instanceof SqlMatchRecognize) {
            List<SqlNode> parts = ((SqlMatchRecognize) node).getOperandList();
            source(parts.get(0));
            parts.subList(1, parts.size()).forEach(this::expression);
        } else if (isQuery(node)) {
            query(node);
        } else if (node instanceof SqlCall) {
            SqlCall call = (SqlCall) node;
            switch (call.getKind()) {
                case COLLECTION_TABLE:
                case UNNEST:
                    call.getOperandList().forEach(this::expression);
                    break;
                case TABLE_REF:
                case SET_SEMANTICS_TABLE:
                case AS:
                case LATERAL:
                case SNAPSHOT:
                case TABLESAMPLE:
                case PIVOT:
                case UNPIVOT:
                case EXTEND:
                    source(call.operand(0));
                    call.getOperandList().stream().skip(1).forEach(this::expression);
                    break;
                default:
                    expression(call);
            }
        }
    }

    private void expression(SqlNode node) {
        if (node instanceof SqlNodeList) {
            ((SqlNodeList) node).forEach(this::expression);
        } else if (isQuery(node)) {
            query(node);
        } else if (node instanceof SqlCall && node.getKind() == SqlKind.SET_SEMANTICS_TABLE) {
            source(node);
        } else if (node instanceof SqlCall) {
            ((SqlCall) node).getOperandList().forEach(this::expression);
        }
    }

    private void read(SqlNode node) {
        SqlIdentifier name = identifier(node);
        if (name != null && !(name.isSimple() && hidden.contains(name.getSimple()))) {
            reads.add(String.join(".", name.names));
        }
    }

    private void write(SqlNode node) {
        SqlIdentifier name = identifier(node);
        if (name != null) {
            writes.add(String.join(".", name.names));
        }
    }

    private static SqlIdentifier identifier(SqlNode node) {
        if (node instanceof SqlIdentifier || node == null) {
            return (SqlIdentifier) node;
        }
        if (node instanceof SqlTableRef || node instanceof SqlCall) {
            return identifier(((SqlCall) node).operand(0));
        }
        return null;
    }

}
