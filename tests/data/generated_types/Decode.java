// Decodes each body of the list on stdin, and prints the list of the records as JSON.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

class Decode {
    public static void main(String[] arguments) throws Exception {
        var mapper = new ObjectMapper();
        var events = mapper.createArrayNode();
        for (JsonNode body : mapper.readTree(System.in)) {
            var text = body.asText();
            var type = Leanbe.EVENTS.get(mapper.readTree(text).get("event").asText());
            events.addPOJO(mapper.readValue(text, type));
        }
        mapper.writeValue(System.out, events);
        if (Leanbe.EVENTS.get("idea.renamed") == null) {
            System.err.print("unknown");
        }
    }
}
