<?php
// Letters for new customers, told by Leanbe's webhooks: a receiver in PHP with SQLite, without packages.
declare(strict_types=1);

ini_set('display_errors', '0'); // a warning in the answer would make it a 200
const MOST_BYTES = 2 * 1024 * 1024;
const HANDLERS = ['customer.created' => 'welcome'];

function welcome(PDO $database, array $customer): void
{
    $database->prepare('INSERT INTO letter VALUES (?)')->execute([$customer['firstName']]);
}

/** Open the database, and create the tables of a new one. */
function database(): PDO
{
    $database = new PDO('sqlite:' . getenv('WELCOME_DATABASE'));
    $database->exec('CREATE TABLE IF NOT EXISTS letter (name TEXT NOT NULL)');
    $database->exec('CREATE TABLE IF NOT EXISTS seen (event, id, at, PRIMARY KEY (event, id, at))');
    return $database;
}

/** Handle an event once: what is seen is written in the transaction of what the event changes. */
function receive(PDO $database, string $event, string $at, mixed $payload): void
{
    $handle = HANDLERS[$event] ?? null;
    if (!$handle) return; // all others are accepted, new ones too
    $database->beginTransaction();
    $insert = $database->prepare('INSERT OR IGNORE INTO seen VALUES (?, ?, ?)');
    $insert->execute([$event, $payload['_id'], $at]);
    $isNew = $insert->rowCount() === 1; // Leanbe may send an event again
    if ($isNew) $handle($database, $payload);
    $database->commit();
}

/** Return the text that Leanbe signs: json_encode would write "\/" for "/", and [] for {}. */
function payloadText(string $body): string
{
    $end = strrpos($body, ',"event":'); // the last one: a payload may contain this text, too
    return str_starts_with($body, '{"payload":') && $end ? substr($body, 11, $end - 11) : '';
}

function isSigned(string $text, mixed $signature): bool
{
    $secret = getenv('LEANBE_WEBHOOK_SECRET');
    if (!$secret) throw new LogicException('LEANBE_WEBHOOK_SECRET is empty: anybody could sign.');
    return is_string($signature) && hash_equals(hash_hmac('sha256', $text, $secret), $signature);
}

function hook(): int
{
    $body = file_get_contents('php://input', length: MOST_BYTES + 1);
    if (strlen($body) > MOST_BYTES) return answer(413, 'too long');
    $envelope = json_decode($body, true);
    [$event, $at] = [$envelope['event'] ?? null, $envelope['triggeredAt'] ?? null];
    if (!is_string($event) || !is_string($at)) return answer(400, 'no envelope');
    $text = payloadText($body);
    if (!isSigned($text, $envelope['signature'] ?? null)) return answer(401, 'bad signature');
    // Use the text that is signed: a forged body could have a second payload.
    receive(database(), $event, $at, json_decode($text, true));
    return answer(204);
}

function letters(): int
{
    $names = database()->query('SELECT name FROM letter ORDER BY rowid')->fetchAll(PDO::FETCH_COLUMN);
    return answer(200, json_encode($names));
}

function answer(int $status, string $text = ''): int
{
    http_response_code($status);
    echo $text;
    return $status;
}

try {
    match ($_SERVER['REQUEST_METHOD'] . ' ' . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
        'POST /hooks/leanbe' => hook(),
        'GET /letters' => letters(),
        default => answer(404),
    };
} catch (Throwable $error) {
    error_log((string) $error);
    answer(500);
}
