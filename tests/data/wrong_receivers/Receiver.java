// Receivers as people write them from the article, one for each path.

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.gson.Gson;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Receiver {
    static final String secret = System.getenv("LEANBE_SECRET");
    static final ObjectMapper mapper = new ObjectMapper();

    static String signed(String text) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256"));
        return HexFormat.of().formatHex(mac.doFinal(text.getBytes(UTF_8)));
    }

    static String computed(String path, String raw) throws Exception {
        JsonNode body = mapper.readTree(raw);
        switch (path) {
            case "/java-jackson":
                return signed(mapper.writeValueAsString(body.get("payload")));
            case "/java-gson":
                return signed(new Gson().toJson(JsonParser.parseString(raw).getAsJsonObject().get("payload")));
            case "/java-gson-map":
                return signed(new Gson().toJson(new Gson().fromJson(raw, Map.class).get("payload")));
            case "/upper-case":
                return signed(raw.substring(11, raw.lastIndexOf(",\"event\":"))).toUpperCase();
            // MENDED
        }
        return "";
    }

    static void answer(HttpExchange exchange) throws java.io.IOException {
        String raw = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
        int status = 401;
        try {
            String expected = mapper.readTree(raw).get("signature").asText();
            String computed = computed(exchange.getRequestURI().getPath(), raw);
            if (MessageDigest.isEqual(computed.getBytes(UTF_8), expected.getBytes(UTF_8))) status = 204;
        } catch (Exception error) {
            status = 500;
        }
        exchange.sendResponseHeaders(status, -1);
        exchange.close();
    }

    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/", Receiver::answer);
        server.start();
    }
}
