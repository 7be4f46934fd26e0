"""Lines that repair a mistake, in each language.

A repair is a function from a language and a request to one line. ``signature_line`` repairs all
mistakes in the hashed content: it computes the right signature under each assumption. In languages
whose serialisers differ from JavaScript's, it hashes a slice of the raw body: a body is
``{"payload":TEXT,"event":...``, and TEXT is what was signed. A body that is indented has no such
slice; then the line writes the payload again, without spaces. The other repairs are about one
place: the secret, the digest, the header.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leanbe_emitter.wire.assumptions.assumption_set import (
    AssumptionSet,
    SignatureLocation,
    SignatureScheme,
    SignedContent,
)
from leanbe_emitter.wire.explain.languages import Language
from leanbe_emitter.wire.explain.received_request import ReceivedRequest

#: The languages of the lines; TypeScript has those of JavaScript.
_LANGUAGES = tuple(each for each in Language if each.base is each)
_JAVASCRIPT, _PYTHON, _PHP, _GO, _RUBY, _JAVA, _CSHARP = _LANGUAGES

#: What ``raw`` is in a line.
_RAW: Mapping[Language, str] = {
    _PYTHON: "raw: the body's bytes",
    _PHP: "$raw = file_get_contents('php://input')",
    _GO: "raw: the body's bytes",
    _RUBY: "raw = request.body.read",
    _JAVA: "String raw: the body",
    _CSHARP: "string raw: the body",
}
#: What a line that writes the payload again needs, or cannot do.
_REWRITTEN: Mapping[Language, str] = {
    _PYTHON: "right unless a number has an exponent",
    _PHP: "right unless a number has an exponent",
    _GO: "compacted: json.Compact of a json.RawMessage",
    _RUBY: "right unless a number has an exponent",
    _JAVA: "right unless a number has an exponent",
    _CSHARP: "with JavaScriptEncoder.UnsafeRelaxedJsonEscaping",
}


@dataclass(frozen=True, kw_only=True)
class _Texts:
    """Expressions of one language for the text that is hashed.

    Attributes:
        payload: the slice of the raw body that is the payload.
        unsigned: the raw body without its signature.
        whole: the raw body.
        rewritten: the payload, written again.
        rewritten_body: the body without its signature, written again.
    """

    payload: str
    unsigned: str
    whole: str
    rewritten: str
    rewritten_body: str


_STRINGIFIED = "JSON.stringify(body.payload)"
_STRINGIFIED_BODY = "JSON.stringify({ ...body, signature: undefined })"
_PHP_FLAGS = "JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_LINE_TERMINATORS"
_PYTHON_DUMPS = 'separators=(",", ":"), ensure_ascii=False).encode()'
_TEXTS: Mapping[Language, _Texts] = {
    _JAVASCRIPT: _Texts(
        payload=_STRINGIFIED,
        unsigned=_STRINGIFIED_BODY,
        whole=_STRINGIFIED_BODY,
        rewritten=_STRINGIFIED,
        rewritten_body=_STRINGIFIED_BODY,
    ),
    _PYTHON: _Texts(
        payload="""raw[len(b'{"payload":') : raw.rindex(b',"event":')]""",
        unsigned="""raw[: raw.rindex(b',"signature":')] + b"}\"""",
        whole="raw",
        rewritten=f'json.dumps(json.loads(raw)["payload"], {_PYTHON_DUMPS}',
        rewritten_body='json.dumps({k: v for k, v in json.loads(raw).items() if k != "signature"}, '
        + _PYTHON_DUMPS,
    ),
    _PHP: _Texts(
        payload="""substr($raw, 11, strrpos($raw, ',"event":') - 11)""",
        unsigned="""substr($raw, 0, strrpos($raw, ',"signature":')) . '}'""",
        whole="$raw",
        rewritten=f"json_encode(json_decode($raw)->payload, {_PHP_FLAGS})",
        rewritten_body="json_encode(array_diff_key((array) json_decode($raw), "
        f"['signature' => 0]), {_PHP_FLAGS})",
    ),
    _GO: _Texts(
        payload='raw[11:bytes.LastIndex(raw, []byte(`,"event":`))]',
        unsigned="append(bytes.Clone(raw[:bytes.LastIndex(raw, []byte(`,\"signature\":`))]), '}')",
        whole="raw",
        rewritten="compacted(body.Payload)",
        rewritten_body="compacted(bodyWithoutSignature)",
    ),
    _RUBY: _Texts(
        payload="""raw[11...raw.rindex(',"event":')]""",
        unsigned="""raw[0...raw.rindex(',"signature":')] + "}\"""",
        whole="raw",
        rewritten='JSON.generate(JSON.parse(raw)["payload"])',
        rewritten_body='JSON.generate(JSON.parse(raw).except("signature"))',
    ),
    _JAVA: _Texts(
        payload=r'raw.substring(11, raw.lastIndexOf(",\"event\":"))',
        unsigned=r'(raw.substring(0, raw.lastIndexOf(",\"signature\":")) + "}")',
        whole="raw",
        rewritten='mapper.readTree(raw).get("payload").toString()',
        rewritten_body='((ObjectNode) mapper.readTree(raw)).without("signature").toString()',
    ),
    _CSHARP: _Texts(
        payload=r'raw[11..raw.LastIndexOf(",\"event\":", StringComparison.Ordinal)]',
        unsigned=r'(raw[..raw.LastIndexOf(",\"signature\":", StringComparison.Ordinal)] + "}")',
        whole="raw",
        rewritten='JsonSerializer.Serialize(JsonNode.Parse(raw)["payload"], relaxedEscaping)',
        rewritten_body="JsonSerializer.Serialize(bodyWithoutSignature, relaxedEscaping)",
    ),
}
_HMAC: Mapping[Language, str] = {
    _JAVASCRIPT: 'createHmac("sha256", secret).update({}).digest("hex")',
    _PYTHON: 'hmac.new(secret.encode(), {}, "sha256").hexdigest()',
    _PHP: "hash_hmac('sha256', {}, $secret)",
    _GO: "mac := hmac.New(sha256.New, []byte(secret)); mac.Write({}); "
    "signature := hex.EncodeToString(mac.Sum(nil))",
    _RUBY: 'OpenSSL::HMAC.hexdigest("SHA256", secret, {})',
    _JAVA: 'Mac mac = Mac.getInstance("HmacSHA256"); '
    'mac.init(new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256")); '
    "String signature = HexFormat.of().formatHex(mac.doFinal({}.getBytes(UTF_8)));",
    _CSHARP: "Convert.ToHexString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), "
    "Encoding.UTF8.GetBytes({}))).ToLowerInvariant()",
}
#: The plain SHA-256 of the text and the secret, in this order and in the other.
_JOINED: Mapping[Language, tuple[str, str]] = {
    _JAVASCRIPT: (
        'createHash("sha256").update({} + secret).digest("hex")',
        'createHash("sha256").update(secret + {}).digest("hex")',
    ),
    _PYTHON: (
        "hashlib.sha256({} + secret.encode()).hexdigest()",
        "hashlib.sha256(secret.encode() + {}).hexdigest()",
    ),
    _PHP: ("hash('sha256', {} . $secret)", "hash('sha256', $secret . {})"),
    _GO: (
        (
            "sum := sha256.Sum256([]byte(string({}) + secret)); "
            "signature := hex.EncodeToString(sum[:])"
        ),
        (
            "sum := sha256.Sum256([]byte(secret + string({}))); "
            "signature := hex.EncodeToString(sum[:])"
        ),
    ),
    _RUBY: ("Digest::SHA256.hexdigest({} + secret)", "Digest::SHA256.hexdigest(secret + {})"),
    _JAVA: (
        (
            'HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256")'
            ".digest(({} + secret).getBytes(UTF_8)))"
        ),
        (
            'HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256")'
            ".digest((secret + {}).getBytes(UTF_8)))"
        ),
    ),
    _CSHARP: (
        (
            "Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes({} + secret)))"
            ".ToLowerInvariant()"
        ),
        (
            "Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(secret + {})))"
            ".ToLowerInvariant()"
        ),
    ),
}


def signature_line(
    language: Language, assumptions: AssumptionSet, *, has_slice: bool = True
) -> str:
    """Return the line that computes the signature.

    Args:
        language: the receiver's language.
        assumptions: the request's.
        has_slice: whether the signed text is a slice of the raw body.
    """
    language = language.base
    text = _text(_TEXTS[language], assumptions, has_slice=has_slice)
    line = _wrapper(language, assumptions.signature_scheme).replace("{}", text)
    comments = _RAW if has_slice else _REWRITTEN
    return line + language.comment(comments[language]) if language in comments else line


def _text(texts: _Texts, assumptions: AssumptionSet, *, has_slice: bool) -> str:
    if assumptions.signed_content is SignedContent.PAYLOAD:
        return texts.payload if has_slice else texts.rewritten
    if not has_slice:
        return texts.rewritten_body
    is_in_body = assumptions.signature_location is not SignatureLocation.HEADER
    return texts.unsigned if is_in_body else texts.whole


def _wrapper(language: Language, scheme: SignatureScheme) -> str:
    match scheme:
        case SignatureScheme.HMAC:
            return _HMAC[language]
        case SignatureScheme.SHA256_PAYLOAD_SECRET:
            return _JOINED[language][0]
        case SignatureScheme.SHA256_SECRET_PAYLOAD:
            return _JOINED[language][1]


#: Returns the line that repairs a mistake.
Repair = Callable[[Language, ReceivedRequest], str]


def compute_rightly(language: Language, request: ReceivedRequest) -> str:
    """Return the line that computes the signature from the body and the secret."""
    return signature_line(language, request.assumptions, has_slice=request.has_slice)


def lines(*by_language: str) -> Repair:
    """Return a repair from its lines in the order of ``_LANGUAGES``."""
    table: Mapping[Language, str] = dict(zip(_LANGUAGES, by_language, strict=True))

    def line(language: Language, _request: ReceivedRequest) -> str:
        return table[language.base]

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
            for key, language, words in zip(keys, _LANGUAGES, each, strict=True)
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
