import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.catalog.ResolvedCatalogTable;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.connector.sink.abilities.SupportsOverwrite;
import org.apache.flink.table.connector.sink.abilities.SupportsPartitioning;
import org.apache.flink.table.connector.sink.abilities.SupportsWritingMetadata;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.LookupTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.abilities.SupportsReadingMetadata;
import org.apache.flink.table.connector.source.lookup.LookupFunctionProvider;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableSinkFactory;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.functions.LookupFunction;
import org.apache.flink.table.types.DataType;

/** A connector that can be planned with in place of any other, and never runs. */
public final class Connector implements DynamicTableSourceFactory, DynamicTableSinkFactory {
    static final String NAME = "oracle";
    /**
     * The changes that the table's source and sink carry: {@code append}, {@code upsert}, {@code all}, or {@code sink-upsert}
     * where the sink takes changes and the source gives none.
     */
    static final String CHANGES = "oracle.changes";

    @Override
    public String factoryIdentifier() {
        return NAME;
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of();
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of();
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
        return new Source(context.getCatalogTable());
    }

    @Override
    public DynamicTableSink createDynamicTableSink(Context context) {
        return new Sink(context.getCatalogTable());
    }

    private static ChangelogMode changes(ResolvedCatalogTable table, boolean written) {
        switch (table.getOptions().getOrDefault(CHANGES, "append")) {
            case "upsert":
                return ChangelogMode.upsert();
            case "sink-upsert":
                return written ? ChangelogMode.upsert() : ChangelogMode.insertOnly();
            case "all":
                return ChangelogMode.all();
            default:
                return ChangelogMode.insertOnly();
        }
    }

    private static Map<String, DataType> metadata(ResolvedCatalogTable table, boolean written) {
        Map<String, DataType> keys = new TreeMap<>();
        for (Column column : table.getResolvedSchema().getColumns()) {
            if (column instanceof Column.MetadataColumn) {
                Column.MetadataColumn metadata = (Column.MetadataColumn) column;
                if (!written || !metadata.isVirtual()) {
                    keys.put(metadata.getMetadataKey().orElse(metadata.getName()), metadata.getDataType());
                }
            }
        }
        return keys;
    }

    private static final class Source implements ScanTableSource, LookupTableSource, SupportsReadingMetadata {
        private final ResolvedCatalogTable table;

        Source(ResolvedCatalogTable table) {
            this.table = table;
        }

        @Override
        public ChangelogMode getChangelogMode() {
            return changes(table, false);
        }

        @Override
        public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
            return () -> false;
        }

        @Override
        public LookupRuntimeProvider getLookupRuntimeProvider(LookupContext context) {
            return LookupFunctionProvider.of(new Nothing());
        }

        @Override
        public Map<String, DataType> listReadableMetadata() {
            return metadata(table, false);
        }

        @Override
        public void applyReadableMetadata(List<String> keys, DataType type) {}

        @Override
        public DynamicTableSource copy() {
            return new Source(table);
        }

        @Override
        public String asSummaryString() {
            return NAME;
        }
    }

    /** Finds no rows. */
    public static final class Nothing extends LookupFunction {
        @Override
        public java.util.Collection<RowData> lookup(RowData key) {
            return List.of();
        }
    }

    private static final class Sink
            implements DynamicTableSink, SupportsPartitioning, SupportsOverwrite, SupportsWritingMetadata {
        private final ResolvedCatalogTable table;

        Sink(ResolvedCatalogTable table) {
            this.table = table;
        }

        @Override
        public ChangelogMode getChangelogMode(ChangelogMode requested) {
            return changes(table, true);
        }

        @Override
        public SinkRuntimeProvider getSinkRuntimeProvider(Context context) {
            throw new UnsupportedOperationException("planned, never run");
        }

        @Override
        public void applyStaticPartition(Map<String, String> partition) {}

        @Override
        public void applyOverwrite(boolean overwrite) {}

        @Override
        public Map<String, DataType> listWritableMetadata() {
            return metadata(table, true);
        }

        @Override
        public void applyWritableMetadata(List<String> keys, DataType type) {}

        @Override
        public DynamicTableSink copy() {
            return new Sink(table);
        }

        @Override
        public String asSummaryString() {
            return NAME;
        }
    }
}
