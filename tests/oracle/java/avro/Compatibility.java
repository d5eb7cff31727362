import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.NameValidator;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;

/**
 * Answers with Avro's own library whether one schema reads another: one JSON object a line in, one a line out, in order.
 *
 * <p>{@code {"old": ..., "new": ...}}, with {@code old_references} and {@code new_references} where there are some, gives {@code {"backward": ..., "forward": ...}}, or {@code {"error": ...}} where the
 * library takes one of them for no schema. Names and defaults are not checked, as registries do not for what they store.
 *
 * <p>{@code {"schema": ...}} gives {@code {"stored": ..., "registered": ...}}: why it would be refused so, and why with names
 * and defaults checked, as registries do for what is new; null where it is taken.
 */
public final class Compatibility {
    public static void main(String[] args) throws Exception {
        ObjectMapper json = new ObjectMapper();
        PrintWriter out = new PrintWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode question = json.readTree(line);
            ObjectNode answer = json.createObjectNode();
            if (question.has("schema")) {
                String text = question.get("schema").toString();
                answer.put("stored", refusal(text, NameValidator.NO_VALIDATION, false));
                answer.put("registered", refusal(text, NameValidator.STRICT_VALIDATOR, true));
                out.println(json.writeValueAsString(answer));
                out.flush();
                continue;
            }
            try {
                Schema before = schema(question.get("old"), question.get("old_references"));
                Schema after = schema(question.get("new"), question.get("new_references"));
                answer.put("backward", reads(after, before));
                answer.put("forward", reads(before, after));
            } catch (RuntimeException problem) {
                answer.put("error", String.valueOf(problem.getMessage()));
            }
            out.println(json.writeValueAsString(answer));
            out.flush();
        }
    }

    /** The schema after those that it refers to, which one parser knows by then. */
    private static Schema schema(JsonNode text, JsonNode references) {
        Schema.Parser parser = new Schema.Parser(NameValidator.NO_VALIDATION).setValidateDefaults(false);
        if (references != null) {
            references.forEach(reference -> parser.parse(reference.toString()));
        }
        return parser.parse(text.toString());
    }

    /** Why the library takes the text for no schema; null if it takes it. */
    private static String refusal(String text, NameValidator names, boolean defaults) {
        try {
            new Schema.Parser(names).setValidateDefaults(defaults).parse(text);
            return null;
        } catch (RuntimeException problem) {
            return String.valueOf(problem.getMessage());
        }
    }

    /** The library throws where a field is found twice; a registry takes that for a no. */
    private static boolean reads(Schema reader, Schema writer) {
        try {
            return SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getType()
                    == SchemaCompatibilityType.COMPATIBLE;
        } catch (AvroRuntimeException twice) {
            return false;
        }
    }

    private Compatibility() {}
}
