import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/** The statements that the plan tests of Flink's planner keep in XML files. */
final class Resources {
    /** Every distinct text, without blanks around it, of a resource that is named {@code sql}, in order of the files' names. */
    static Set<String> statements(String jar) throws IOException, XMLStreamException {
        Set<String> found = new LinkedHashSet<>();
        XMLInputFactory factory = XMLInputFactory.newFactory();
        factory.setProperty(XMLInputFactory.IS_COALESCING, true);
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        try (JarFile file = new JarFile(jar)) {
            List<JarEntry> entries = new ArrayList<>();
            for (Enumeration<JarEntry> all = file.entries(); all.hasMoreElements(); ) {
                JarEntry entry = all.nextElement();
                if (entry.getName().endsWith(".xml")) {
                    entries.add(entry);
                }
            }
            entries.sort((a, b) -> a.getName().compareTo(b.getName()));
            for (JarEntry entry : entries) {
                try (InputStream in = file.getInputStream(entry)) {
                    XMLStreamReader reader = factory.createXMLStreamReader(in);
                    while (reader.hasNext()) {
                        if (reader.next() == XMLStreamReader.START_ELEMENT && reader.getLocalName().equals("Resource")
                                && "sql".equals(reader.getAttributeValue(null, "name"))) {
                            found.add(reader.getElementText().trim());
                        }
                    }
                }
            }
        }
        return Collections.unmodifiableSet(found);
    }

    private Resources() {}
}
