import java.util.Collection;
import java.util.List;
import java.util.Set;

import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.ModelProviderFactory;
import org.apache.flink.table.functions.PredictFunction;
import org.apache.flink.table.ml.ModelProvider;
import org.apache.flink.table.ml.PredictRuntimeProvider;

/** A provider of models that can be planned with in place of any other, and never runs. */
public final class Model implements ModelProviderFactory {
    @Override
    public String factoryIdentifier() {
        return Connector.NAME;
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
    public ModelProvider createModelProvider(ModelProviderFactory.Context context) {
        return new Provider();
    }

    private static final class Provider implements PredictRuntimeProvider {
        @Override
        public PredictFunction createPredictFunction(ModelProvider.Context context) {
            return new Nothing();
        }

        @Override
        public ModelProvider copy() {
            return new Provider();
        }
    }

    /** Predicts nothing. */
    public static final class Nothing extends PredictFunction {
        @Override
        public Collection<RowData> predict(RowData row) {
            return List.of();
        }
    }
}
