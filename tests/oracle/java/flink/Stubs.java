import org.apache.flink.table.annotation.ArgumentHint;
import org.apache.flink.table.annotation.ArgumentTrait;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.annotation.InputGroup;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.table.functions.ProcessTableFunction;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.table.functions.TableFunction;
import org.apache.flink.types.Row;

/** Functions that users would have written: planned, never run. */
public final class Stubs {
    /** Of anything, a text. */
    public static final class Scalar extends ScalarFunction {
        public String eval(@DataTypeHint(inputGroup = InputGroup.ANY) Object... values) {
            return null;
        }
    }

    /** A text, and perhaps what it is split by, to words. */
    @FunctionHint(output = @DataTypeHint("ROW<word STRING, len INT>"))
    public static final class Words extends TableFunction<Row> {
        public void eval(String... texts) {}
    }

    /** Of anything, a number. */
    public static final class Aggregate extends AggregateFunction<Long, Aggregate.Total> {
        /** What was seen. */
        public static final class Total {
            public long value;
        }

        @Override
        public Total createAccumulator() {
            return new Total();
        }

        @Override
        public Long getValue(Total total) {
            return total.value;
        }

        public void accumulate(Total total, @DataTypeHint(inputGroup = InputGroup.ANY) Object value) {}

        public void retract(Total total, @DataTypeHint(inputGroup = InputGroup.ANY) Object value) {}
    }

    /** Of the rows of a partition and a number, rows. */
    @DataTypeHint("ROW<what STRING>")
    public static final class Process extends ProcessTableFunction<Row> {
        public void eval(@ArgumentHint(value = ArgumentTrait.SET_SEMANTIC_TABLE, name = "input") Row input,
                @ArgumentHint(value = ArgumentTrait.SCALAR, name = "threshold", isOptional = true) Integer threshold) {}
    }

    private Stubs() {}
}
