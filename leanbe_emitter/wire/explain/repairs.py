"""Lines that repair a mistake in one place, in each language: the secret, the digest, the header.

A repair is a function from a language and a request to one line. ``signature_line`` repairs all
mistakes in the hashed content.
"""

from collections.abc import Callable, Mapping

from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.received_request import ReceivedRequest
from leanbe_emitter.wire.explain.signature_lines import signature_line

#: Returns the line that repairs a mistake.
Repair = Callable[[Language, ReceivedRequest], str]

_NAMES = (
    Language.JAVASCRIPT,
    Language.PYTHON,
    Language.PHP,
    Language.GO,
    Language.RUBY,
    Language.JAVA,
    Language.CSHARP,
)


def compute_rightly(language: Language, request: ReceivedRequest) -> str:
    """Return the line that computes the signature from the body and the secret."""
    return signature_line(language, request.assumptions, has_slice=request.has_slice)


def lines(*by_language: str) -> Repair:
    """Return a repair from its lines in the order of ``_NAMES``."""
    table: Mapping[Language, str] = dict(zip(_NAMES, by_language, strict=True))

    def line(language: Language, _request: ReceivedRequest) -> str:
        is_typescript = language is Language.TYPESCRIPT
        return table[Language.JAVASCRIPT if is_typescript else language]

    return line


def use_the_key(*instead_of: str) -> Repair:
    """Return a repair that uses the secret's characters; the texts say instead of what."""
    keys = (
        'createHmac("sha256", secret)',
        'hmac.new(secret.encode(), text, "sha256")',
        "hash_hmac('sha256', $text, $secret)",
        "hmac.New(sha256.New, []byte(secret))",
        'OpenSSL::HMAC.hexdigest("SHA256", secret, text)',
        'new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256")',
        "new HMACSHA256(Encoding.UTF8.GetBytes(secret))",
    )
    each = instead_of if len(instead_of) > 1 else instead_of * len(keys)
    return lines(
        *(
            key + language.comment(words)
            for key, language, words in zip(keys, _NAMES, each, strict=True)
        )
    )


READ_TRIMMED = lines(
    "const secret = process.env.LEANBE_SECRET.trim()",
    'secret = os.environ["LEANBE_SECRET"].strip()',
    "$secret = trim(getenv('LEANBE_SECRET'));",
    'secret := strings.TrimSpace(os.Getenv("LEANBE_SECRET"))',
    'secret = ENV.fetch("LEANBE_SECRET").strip',
    'String secret = System.getenv("LEANBE_SECRET").strip();',
    'var secret = Environment.GetEnvironmentVariable("LEANBE_SECRET")!.Trim();',
)
READ_WITHOUT_QUOTES = lines(
    """const secret = process.env.LEANBE_SECRET.replace(/^["']|["']$/g, "")""",
    """secret = os.environ["LEANBE_SECRET"].strip("\\"'")""",
    "$secret = trim(getenv('LEANBE_SECRET'), '\"\\'');",
    'secret := strings.Trim(os.Getenv("LEANBE_SECRET"), `"\'`)',
    """secret = ENV.fetch("LEANBE_SECRET").gsub(/\\A["']|["']\\z/, "")""",
    'String secret = System.getenv("LEANBE_SECRET").replaceAll("^[\\"\']|[\\"\']$", "");',
    "var secret = Environment.GetEnvironmentVariable(\"LEANBE_SECRET\")!.Trim('\"', '\\'');",
)
READ_OR_FAIL = lines(
    'if (!process.env.LEANBE_SECRET) throw new Error("LEANBE_SECRET is not set")',
    'secret = os.environ["LEANBE_SECRET"]  # raises KeyError if it is not set',
    "$secret = getenv('LEANBE_SECRET') ?: throw new RuntimeException('LEANBE_SECRET is not set');",
    'secret, isSet := os.LookupEnv("LEANBE_SECRET"); '
    'if !isSet { log.Fatal("LEANBE_SECRET is not set") }',
    'secret = ENV.fetch("LEANBE_SECRET") # raises KeyError if it is not set',
    'String secret = Objects.requireNonNull(System.getenv("LEANBE_SECRET"), "LEANBE_SECRET");',
    'var secret = Environment.GetEnvironmentVariable("LEANBE_SECRET") '
    '?? throw new InvalidOperationException("LEANBE_SECRET is not set");',
)
READ_PRESENT = lines(
    "const secret = process.env.LEANBE_SECRET // this product's present secret",
    'secret = os.environ["LEANBE_SECRET"]  # this product\'s present secret',
    "$secret = getenv('LEANBE_SECRET'); // this product's present secret",
    'secret := os.Getenv("LEANBE_SECRET") // this product\'s present secret',
    'secret = ENV.fetch("LEANBE_SECRET") # this product\'s present secret',
    'String secret = System.getenv("LEANBE_SECRET"); // this product\'s present secret',
    'var secret = Environment.GetEnvironmentVariable("LEANBE_SECRET"); '
    "// this product's present secret",
)
WRITE_HEX = lines(
    '.digest("hex") // lower-case hex, nothing around it',
    ".hexdigest()  # lower-case hex, nothing around it",
    "hash_hmac('sha256', $text, $secret) // lower-case hex already, nothing around it",
    "hex.EncodeToString(mac.Sum(nil)) // lower-case hex, nothing around it",
    'OpenSSL::HMAC.hexdigest("SHA256", secret, text) # lower-case hex, nothing around it',
    "HexFormat.of().formatHex(mac.doFinal(text)) // lower-case hex, nothing around it",
    "Convert.ToHexString(digest).ToLowerInvariant() // lower-case hex, nothing around it",
)
COMPARE = lines(
    "if (signature.length !== expected.length || !crypto.timingSafeEqual("
    "Buffer.from(signature), Buffer.from(expected))) return res.sendStatus(401)",
    'if not hmac.compare_digest(body["signature"], expected): return "", 401',
    "if (!hash_equals($expected, $body['signature'])) { http_response_code(401); exit; }",
    'if !hmac.Equal([]byte(body.Signature), []byte(expected)) { http.Error(w, "", 401); return }',
    'halt 401 unless OpenSSL.secure_compare(body["signature"], expected)',
    "if (!MessageDigest.isEqual(signature.getBytes(UTF_8), expected.getBytes(UTF_8))) "
    "{ response.setStatus(401); return; }",
    "if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(signature), "
    "Encoding.UTF8.GetBytes(expected))) return Unauthorized();",
)
READ_FROM_BODY = lines(
    "const { signature } = req.body // not req.headers[...]",
    'signature = body["signature"]  # not request.headers[...]',
    "$signature = $body['signature']; // not $_SERVER['HTTP_...']",
    "signature := body.Signature // not r.Header.Get(...)",
    'signature = body["signature"] # not request.get_header(...)',
    'String signature = body.get("signature").asText(); // not request.getHeader(...)',
    'var signature = body.GetProperty("signature").GetString(); // not Request.Headers[...]',
)


def read_from_header(name: str) -> Repair:
    """Return a repair that reads the signature from a header."""
    variable = "HTTP_" + name.upper().replace("-", "_")
    return lines(
        f"const signature = req.get({name!r})",
        f"signature = request.headers[{name!r}]",
        f"$signature = $_SERVER['{variable}'];",
        f'signature := r.Header.Get("{name}")',
        f'signature = request.get_header("{variable}")',
        f'String signature = request.getHeader("{name}");',
        f'var signature = Request.Headers["{name}"].ToString();',
    )


def read_from_body_or_header(name: str) -> Repair:
    """Return a repair for a signature in both places."""
    return lines(
        f"const {{ signature }} = req.body // or req.get({name!r})",
        f'signature = body["signature"]  # or request.headers[{name!r}]',
        f"$signature = $body['signature']; // or the header {name}",
        f'signature := body.Signature // or r.Header.Get("{name}")',
        f'signature = body["signature"] # or the header {name}',
        f'String signature = body.get("signature").asText(); // or the header {name}',
        f'var signature = body.GetProperty("signature").GetString(); // or the header {name}',
    )
