// A receiver of Leanbe's webhooks in Java (17 or later), without libraries, to start from.
//
//   LEANBE_WEBHOOK_SECRET=whsec_test PORT=8000 java Receiver.java
import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

class Receiver {
    static final int MOST_BYTES = 2 * 1024 * 1024;
    static final Map<String, Consumer<String>> HANDLERS =
            Map.of("\"idea.created\"", Receiver::ideaCreated);

    /** Replace this by your own code: parse the payload with Jackson or Gson. */
    static void ideaCreated(String payload) {
        System.out.println("new idea: " + membersOf(payload).orElseThrow().get("\"title\""));
    }

    final byte[] secret;
    // The same event may come twice. Leanbe sends no id with it, but three values identify an event:
    // store them in your database, under a unique key, in the transaction that handles the event.
    final Set<List<String>> seen = new HashSet<>();

    Receiver(String secret) {
        if (secret == null || secret.isEmpty()) {
            throw new IllegalStateException("LEANBE_WEBHOOK_SECRET is empty: anybody could sign.");
        }
        this.secret = secret.getBytes(UTF_8);
    }

    /** Answer quickly: nobody knows how long Leanbe waits. Put long work into a task queue. */
    int receive(byte[] body) throws GeneralSecurityException {
        Map<String, String> envelope = decoded(body).flatMap(Receiver::membersOf).orElse(Map.of());
        // Leanbe signs the payload's text as it stands in the body. Jackson and Gson would write
        // another text, for example 1.0E-7 for 1e-7.
        String payload = envelope.get("\"payload\"");
        String event = envelope.getOrDefault("\"event\"", "");
        String at = envelope.getOrDefault("\"triggeredAt\"", "");
        if (payload == null || !event.startsWith("\"") || !at.startsWith("\"")) return 400;
        if (!isSigned(payload, envelope.getOrDefault("\"signature\"", ""))) return 401;
        once(event, at, payload);
        return 204;
    }

    boolean isSigned(String text, String signature) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret, "HmacSHA256"));
        String expected = HexFormat.of().formatHex(mac.doFinal(text.getBytes(UTF_8)));
        byte[] quoted = ("\"" + expected + "\"").getBytes(UTF_8);
        return MessageDigest.isEqual(quoted, signature.getBytes(UTF_8));
    }

    synchronized void once(String event, String at, String payload) {
        Consumer<String> handle = HANDLERS.get(event); // accept all other events, also new ones
        String id = membersOf(payload).orElse(Map.of()).getOrDefault("\"_id\"", "");
        List<String> key = List.of(event, id, at);
        if (handle == null || seen.contains(key)) return;
        handle.accept(payload);
        seen.add(key);
    }

    /** Return the text of bytes, or nothing if they are not UTF-8. */
    static Optional<String> decoded(byte[] body) {
        try {
            return Optional.of(UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString());
        } catch (CharacterCodingException error) {
            return Optional.empty();
        }
    }

    /** Return an object's members: name in quotes, and value, each as text; nothing if it is none. */
    static Optional<Map<String, String>> membersOf(String text) {
        String json = text.strip();
        Map<String, String> members = new HashMap<>();
        String name = null;
        int depth = 0, start = 1;
        boolean inString = false;
        for (int at = 0; at < json.length(); at++) {
            char next = json.charAt(at);
            if (next == '"') inString = !inString;
            if (inString && next == '\\') at++;
            if (inString) continue;
            if (next == '{' || next == '[') depth++;
            if (depth == 1 && next == ':') {
                name = json.substring(start, at).strip();
                start = at + 1;
            }
            if (depth == 1 && (next == ',' || next == '}') && name != null) {
                members.put(name, json.substring(start, at).strip());
                name = null;
                start = at + 1;
            }
            if (next == '}' || next == ']') depth--;
            if (depth == 0 && at < json.length() - 1) return Optional.empty();
        }
        boolean isObject = json.startsWith("{") && depth == 0 && !inString;
        return isObject ? Optional.of(members) : Optional.empty();
    }

    void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.sendResponseHeaders(status(exchange), -1);
        }
    }

    int status(HttpExchange exchange) {
        try {
            String path = exchange.getRequestURI().getPath();
            if (!exchange.getRequestMethod().equals("POST") || !path.equals("/hooks/leanbe")) return 404;
            byte[] body = exchange.getRequestBody().readNBytes(MOST_BYTES + 1);
            return body.length > MOST_BYTES ? 413 : receive(body);
        } catch (Exception error) {
            error.printStackTrace();
            return 500;
        }
    }

    public static void main(String[] arguments) throws IOException {
        Receiver receiver = new Receiver(System.getenv("LEANBE_WEBHOOK_SECRET"));
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8000"));
        InetAddress here = InetAddress.getLoopbackAddress();
        HttpServer server = HttpServer.create(new InetSocketAddress(here, port), 0);
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.createContext("/", receiver::serve);
        server.start();
        System.out.printf("http://127.0.0.1:%d/hooks/leanbe%n", server.getAddress().getPort());
    }
}
