import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

import org.apache.calcite.sql.SqlCharStringLiteral;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlLiteral;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.SqlNodeList;
import org.apache.calcite.sql.parser.SqlParserPos;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;

/** Puts another name in place of those at given places of a parsed tree: parts of identifiers, and texts in hints. */
final class Renaming {
    private final Set<List<Integer>> places = new HashSet<>();
    /** Those that were found: the parser may keep a name in more than one node. */
    private final Set<List<Integer>> found = new HashSet<>();
    private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final String name;

    private Renaming(JsonNode renames, String name) {
        renames.forEach(place -> places.add(List.of(place.get(0).asInt(), place.get(1).asInt())));
        this.name = name;
    }

    /** How many of the places hold a name. */
    static int rename(SqlNodeList statements, JsonNode renames, String name) throws IllegalAccessException {
        Renaming renaming = new Renaming(renames, name);
        renaming.walk(statements);
        return renaming.found.size();
    }

    private boolean isPlace(SqlParserPos at) {
        List<Integer> place = List.of(at.getLineNum(), at.getColumnNum());
        if (places.contains(place)) {
            found.add(place);
            return true;
        }
        return false;
    }

    private void walk(Object node) throws IllegalAccessException {
        if (node == null || !seen.add(node)) {
            return;
        }
        if (node instanceof SqlIdentifier) {
            identifier((SqlIdentifier) node);
        } else if (node instanceof SqlNodeList) {
            SqlNodeList list = (SqlNodeList) node;
            for (int i = 0; i < list.size(); i++) {
                SqlNode item = list.get(i);
                // A text in a hint: the place is that of its quote.
                if (item instanceof SqlCharStringLiteral && isPlace(item.getParserPosition())) {
                    list.set(i, SqlLiteral.createCharString(name, item.getParserPosition()));
                }
                walk(list.get(i));
            }
        } else if (node instanceof Iterable) {
            for (Object item : (Iterable<?>) node) {
                walk(item);
            }
        } else if (node instanceof Object[]) {
            for (Object item : (Object[]) node) {
                walk(item);
            }
        } else if (node instanceof SqlNode || node.getClass().getName().startsWith("org.apache.flink.sql.parser.")) {
            fields(node);
        }
    }

    private void fields(Object node) throws IllegalAccessException {
        for (Class<?> type = node.getClass(); type != Object.class; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                if (!Modifier.isStatic(field.getModifiers()) && !field.getType().isPrimitive() && !field.getType().isEnum()) {
                    field.setAccessible(true);
                    walk(field.get(node));
                }
            }
        }
    }

    private void identifier(SqlIdentifier node) {
        List<String> names = new ArrayList<>(node.names);
        List<SqlParserPos> positions = new ArrayList<>();
        boolean changed = false;
        for (int i = 0; i < names.size(); i++) {
            SqlParserPos at = node.getComponentParserPosition(i);
            positions.add(at);
            if (isPlace(at)) {
                names.set(i, name);
                changed = true;
            }
        }
        if (changed) {
            node.setNames(names, positions);
        }
    }
}
