<?php

// Decodes each body of the list on stdin, and prints the list of the objects as JSON.

declare(strict_types=1);

require $argv[1];

$bodies = json_decode(stream_get_contents(STDIN), flags: JSON_THROW_ON_ERROR);
echo json_encode(array_map(Leanbe\Event::decode(...), $bodies), JSON_THROW_ON_ERROR);
try {
    Leanbe\Event::decode('{"event":"idea.renamed"}');
} catch (UnexpectedValueException) {
    fwrite(STDERR, 'unknown');
}
