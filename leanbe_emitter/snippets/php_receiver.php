<?php
// A receiver of Leanbe's webhooks in PHP (8.0 or later), without packages, to start from.
//
//   LEANBE_WEBHOOK_SECRET=whsec_test php -S 127.0.0.1:8000 receiver.php
declare(strict_types=1);

ini_set('display_errors', '0'); // a warning in the answer would make it a 200
const MOST_BYTES = 2 * 1024 * 1024;
// The same event may come twice. Leanbe sends no id with it, but three values identify an event.
// Here each event leaves a file in this folder, which the web server must not show. In a database,
// store the three under a unique key, in the transaction that handles the event.
const SEEN = __DIR__ . '/seen';

// Answer quickly: nobody knows how long Leanbe waits. Put long work into a task queue.
function handle(string $event, mixed $payload): void
{
    match ($event) {
        'idea.created' => ideaCreated($payload),
        default => null, // accept all other events, also new ones
    };
}

function ideaCreated(array $idea): void
{
    file_put_contents('php://stdout', "new idea: {$idea['title']}\n"); // replace this by your own code
}

// Leanbe signs the payload's text as it stands in the body. json_encode would write another text:
// "\/" for "/", and [] for {}.
function payloadText(string $body): string
{
    $end = strrpos($body, ',"event":'); // the last one: a payload may contain this text, too
    return str_starts_with($body, '{"payload":') && $end ? substr($body, 11, $end - 11) : '';
}

function receive(string $body, string $secret): int
{
    $envelope = json_decode($body, true);
    [$event, $at] = [$envelope['event'] ?? null, $envelope['triggeredAt'] ?? null];
    if (!is_string($event) || !is_string($at)) return 400;
    $text = payloadText($body);
    $signature = $envelope['signature'] ?? null;
    if (!is_string($signature)) return 401;
    if (!hash_equals(hash_hmac('sha256', $text, $secret), $signature)) return 401;
    // Use the text that is signed: a forged body could have a second payload.
    $payload = json_decode($text, true);
    once([$event, $payload['_id'] ?? null, $at], fn () => handle($event, $payload));
    return 204;
}

function once(array $key, callable $handle): void
{
    is_dir(SEEN) || @mkdir(SEEN, 0700);
    $file = fopen(SEEN . '/' . hash('sha256', json_encode($key)), 'c+');
    flock($file, LOCK_EX); // the same event at the same time waits here
    if (fgets($file) === false) {
        $handle();
        fwrite($file, "done\n");
    }
    fclose($file);
}

function answer(): int
{
    $secret = getenv('LEANBE_WEBHOOK_SECRET');
    if (!$secret) throw new LogicException('LEANBE_WEBHOOK_SECRET is empty: anybody could sign.');
    $path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
    if ($_SERVER['REQUEST_METHOD'] !== 'POST' || $path !== '/hooks/leanbe') return 404;
    $body = file_get_contents('php://input', length: MOST_BYTES + 1);
    return strlen($body) > MOST_BYTES ? 413 : receive($body, $secret);
}

try {
    http_response_code(answer());
} catch (Throwable $error) {
    error_log((string) $error);
    http_response_code(500);
}
