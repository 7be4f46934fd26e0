// Reads a list of JSON texts on stdin; prints what Jackson and Gson make of each, in base64.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

public class Serialise {
    interface Way { String of(String text) throws Exception; }

    public static void main(String[] arguments) throws Exception {
        ObjectMapper jackson = new ObjectMapper();
        ObjectMapper sorted = new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);
        ObjectMapper indented = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
        ObjectMapper ascii = com.fasterxml.jackson.databind.json.JsonMapper.builder()
            .enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();
        Gson gson = new Gson();
        Gson plain = new GsonBuilder().disableHtmlEscaping().create();
        Gson plainNulls = new GsonBuilder().disableHtmlEscaping().serializeNulls().create();
        Gson nulls = new GsonBuilder().serializeNulls().create();
        Gson pretty = new GsonBuilder().setPrettyPrinting().create();
        Map<String, Way> ways = new LinkedHashMap<>();
        ways.put("java-jackson", t -> jackson.writeValueAsString(jackson.readTree(t)));
        ways.put("java-jackson-map", t -> jackson.writeValueAsString(jackson.readValue(t, Object.class)));
        ways.put("java-jackson-sorted", t -> sorted.writeValueAsString(sorted.readValue(t, Object.class)));
        ways.put("java-jackson-indented", t -> indented.writeValueAsString(indented.readTree(t)));
        ways.put("java-jackson-ascii", t -> ascii.writeValueAsString(ascii.readTree(t)));
        ways.put("java-gson", t -> gson.toJson(JsonParser.parseString(t)));
        ways.put("java-gson-nulls", t -> nulls.toJson(JsonParser.parseString(t)));
        ways.put("java-gson-plain", t -> plain.toJson(JsonParser.parseString(t)));
        ways.put("java-gson-plain-nulls", t -> plainNulls.toJson(JsonParser.parseString(t)));
        ways.put("java-gson-pretty", t -> pretty.toJson(JsonParser.parseString(t)));
        ways.put("java-gson-element", t -> JsonParser.parseString(t).toString());
        ways.put("java-gson-map", t -> gson.toJson(gson.fromJson(t, Object.class)));
        ways.put("java-gson-map-nulls", t -> nulls.toJson(nulls.fromJson(t, Object.class)));
        ways.put("java-gson-map-plain", t -> plain.toJson(plain.fromJson(t, Object.class)));
        ways.put("java-gson-map-plain-nulls", t -> plainNulls.toJson(plainNulls.fromJson(t, Object.class)));
        ways.put("java-map-to-string", t -> String.valueOf(jackson.readValue(t, Object.class)));
        List<String> texts = new ArrayList<>();
        for (JsonNode each : jackson.readTree(System.in)) texts.add(each.textValue());
        Map<String, List<String>> rows = new LinkedHashMap<>();
        for (Map.Entry<String, Way> way : ways.entrySet()) {
            List<String> row = new ArrayList<>();
            for (String text : texts) row.add(written(way.getValue(), text));
            rows.put(way.getKey(), row);
        }
        String version = "Java " + Runtime.version().feature()
            + ", Jackson " + com.fasterxml.jackson.databind.cfg.PackageVersion.VERSION
            + ", Gson " + com.google.gson.internal.GsonBuildConfig.VERSION;
        System.out.println(jackson.writeValueAsString(Map.of("version", version, "rows", rows)));
    }

    static String written(Way way, String text) {
        try {
            return Base64.getEncoder().encodeToString(way.of(text).getBytes(StandardCharsets.UTF_8));
        } catch (Exception error) {
            return null;
        }
    }
}
