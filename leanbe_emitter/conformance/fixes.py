"""The lines that repair a receiver, by language. JavaScript and Python are always among them."""

from collections.abc import Mapping

from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.repairs import signature_line

#: A line for each language.
Fix = Mapping[str, str]


def lines(*, javascript: str, python: str, **others: str) -> Fix:
    """Return the lines of a repair; TypeScript's is JavaScript's."""
    return {
        Language.JAVASCRIPT.value: javascript,
        Language.TYPESCRIPT.value: javascript,
        Language.PYTHON.value: python,
        **others,
    }


#: The line that computes the signature from the payload's text as it came.
HASH_AS_IT_CAME: Fix = {each.value: signature_line(each, ARTICLE) for each in Language}

VERIFY_FIRST = lines(
    javascript="if (!verifies(body)) return res.sendStatus(401) // before anything else",
    python="if not verifies(body): return Response(status=401)  # before anything else",
    php="if (!verifies($body)) { http_response_code(401); exit; } // before anything else",
    go="if !verifies(body) { http.Error(w, `bad signature`, 401); return } // first of all",
    ruby="halt 401 unless verifies?(body) # before anything else",
    java="if (!verifies(body)) return ResponseEntity.status(401).build(); // first of all",
    csharp="if (!Verifies(body)) return Results.Unauthorized(); // before anything else",
)
COMPARE_WHOLE = lines(
    javascript='typeof found === "string" && /^[0-9a-f]{64}$/.test(found) && '
    "timingSafeEqual(Buffer.from(found), Buffer.from(expected))",
    python="isinstance(found, str) and hmac.compare_digest(found.encode(), expected.encode())",
    php="is_string($found) && hash_equals($expected, $found)",
    go="hmac.Equal([]byte(found), []byte(expected)) // found: a string of the body",
    ruby="found.is_a?(String) && OpenSSL.secure_compare(found, expected)",
    java="found.isTextual() && MessageDigest.isEqual(found.asText().getBytes(UTF_8), "
    "expected.getBytes(UTF_8))",
    csharp="CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(found), "
    "Encoding.UTF8.GetBytes(expected))",
)
NO_EMPTY_SECRET = lines(
    javascript='const secrets = process.env.SECRETS.split(",").filter(Boolean)',
    python='secrets = [each for each in os.environ["SECRETS"].split(",") if each]',
    php="$secrets = array_filter(explode(',', getenv('SECRETS')));",
    go='if secret == "" { continue } // an empty key lets anybody sign',
    ruby='secrets = ENV.fetch("SECRETS").split(",").reject(&:empty?)',
    java="secrets.removeIf(String::isEmpty);",
    csharp='secrets = value.Split(",", StringSplitOptions.RemoveEmptyEntries);',
)
ACCEPT_UNKNOWN = lines(
    javascript="handlers[body.event]?.(body.payload) // accept all other events, also new ones",
    python="if handle := HANDLERS.get(event): handle(payload)  # accept all other events",
    php="if (isset($handlers[$event])) $handlers[$event]($payload); // accept all others",
    go="if handle, known := handlers[event]; known { handle(payload) } // accept all others",
    ruby="handlers[event]&.call(payload) # accept all other events, also new ones",
    java="handlers.getOrDefault(event, payload -> {}).accept(payload);",
    csharp="if (handlers.TryGetValue(name, out var handle)) handle(payload);",
)
READ_WHAT_IS_THERE = lines(
    javascript='const text = payload.description ?? "" // may be missing or null',
    python='text = payload.get("description") or ""  # may be missing or null',
    php="$text = $payload['description'] ?? ''; // may be missing or null",
    go='Description *string `json:"description"` // may be missing or null',
    ruby='text = payload["description"].to_s # may be missing or null',
    java='String text = payload.path("description").asText(""); // may be missing or null',
    csharp='var text = (string?)payload["description"] ?? ""; // may be missing or null',
)
IGNORE_OTHER_MEMBERS = lines(
    javascript="z.looseObject({ title: z.string() }) // and no additionalProperties: false",
    python='model_config = ConfigDict(extra="ignore")  # and no additionalProperties: false',
    java="@JsonIgnoreProperties(ignoreUnknown = true)",
    go="json.Unmarshal(raw, &payload) // without DisallowUnknownFields",
)
#: The unique key of what was seen is (event, triggeredAt, signature).
INSERT_FIRST = lines(
    javascript="if (!(await insertSeen(tx, key))) return res.sendStatus(204) // a unique key, "
    "in the handler's transaction",
    python='if not insert_seen(session, key): return "", 204  # a unique key, '
    "in the handler's transaction",
    php="if (!insertSeen($pdo, $key)) { http_response_code(204); exit; } // a unique key, "
    "in the handler's transaction",
    go="if !insertSeen(tx, key) { w.WriteHeader(204); return } // a unique key, "
    "in the handler's transaction",
    ruby="return head(204) unless insert_seen(key) # a unique key, in the handler's transaction",
)
KEY_OF_EVENT = lines(
    javascript="const key = [body.event, body.triggeredAt, body.signature].join() // all three",
    python='key = (body["event"], body["triggeredAt"], body["signature"])  # all three',
    php="$key = implode(',', [$body->event, $body->triggeredAt, $body->signature]); // all three",
    go='key := body.Event + "," + body.TriggeredAt + "," + body.Signature // all three',
    ruby='key = body.values_at("event", "triggeredAt", "signature") # all three',
)
UPSERT = lines(
    javascript="INSERT ... ON CONFLICT (id) DO UPDATE ... WHERE old.updated_at < new.updated_at",
    python="INSERT ... ON CONFLICT (id) DO UPDATE ... WHERE old.updated_at < new.updated_at",
)
KEEP_TOMBSTONE = lines(
    javascript="UPDATE ideas SET deleted = true WHERE id = ... // and never undo it",
    python="UPDATE ideas SET deleted = true WHERE id = ...  # and never undo it",
)
ANSWER_400 = lines(
    javascript="try { body = JSON.parse(raw) } catch { return res.sendStatus(400) }; "
    'if (body === null || typeof body !== "object") return res.sendStatus(400)',
    python='except ValueError: return "", 400  # of json.loads; and 400 if body is no dict',
    php="$body = json_decode($raw); if (!is_object($body)) { http_response_code(400); exit; }",
    go="if err := json.Unmarshal(raw, &body); err != nil { http.Error(w, ``, 400); return }",
    ruby="body = JSON.parse(raw) rescue halt(400); halt 400 unless body.is_a?(Hash)",
)
LARGER_LIMIT = lines(
    javascript='express.json({ limit: "1mb" }) // the default is 100kb',
    python="MAX_CONTENT_LENGTH = DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024",
    php="post_max_size = 2M ; in php.ini",
    go="http.MaxBytesReader(w, r.Body, 1<<20)",
)
TAKE_CHARSET = lines(
    javascript='express.json({ type: "application/json" }) // parameters behind it are allowed',
    python='request.headers["Content-Type"].partition(";")[0] == "application/json"',
)
READ_WHOLE_BODY = lines(
    javascript="for await (const chunk of req) chunks.push(chunk) // until the end",
    python="raw = request.get_data()  # Content-Length bytes, in as many reads as it takes",
    php="$raw = file_get_contents('php://input'); // until the end",
    go="raw, err := io.ReadAll(r.Body) // one Read returns what has come until then",
    ruby="raw = request.body.read # without a length: until the end",
)
LIMIT_NESTING = lines(
    javascript="try { body = JSON.parse(raw) } catch { return res.sendStatus(400) }",
    python='except (ValueError, RecursionError): return "", 400',
)
ANSWER_FIRST = lines(
    javascript="await queue.add(body); res.sendStatus(202) // the work follows",
    python='queue.enqueue(handle, body); return "", 202  # the work follows',
)
ANSWER_LITTLE = lines(
    javascript='res.status(401).json({ detail: "bad signature" }) // nothing else',
    python='return {"detail": "bad signature"}, 401  # nothing else',
    php="http_response_code(401); exit('bad signature'); // nothing else",
    go="http.Error(w, `bad signature`, 401) // nothing else",
    ruby='halt 401, "bad signature" # nothing else',
)
NO_DEBUG = lines(
    javascript="NODE_ENV=production // and an error handler that sends no err.stack",
    python="DEBUG = False  # and app.run(debug=False)",
    php="display_errors = Off ; in php.ini",
    go="log.Printf(`%v %s`, err, debug.Stack()) // into the log, never into the answer",
    ruby="config.consider_all_requests_local = false # Sinatra: set :show_exceptions, false",
)
COMMIT_THEN_ANSWER = lines(
    javascript="await transaction.commit(); res.sendStatus(204) // in this order",
    python='session.commit(); return "", 204  # in this order',
)
