<?php
// Receivers as people write them from the article, one for each path. Start: php -S 127.0.0.1:PORT receiver.php

$raw = file_get_contents('php://input');
$secret = getenv('LEANBE_SECRET');
$body = json_decode($raw);
$array = json_decode($raw, true);
$refusal = '';
switch ($_SERVER['REQUEST_URI']) {
    case '/php-objects':
        $signature = hash_hmac('sha256', json_encode($body->payload), $secret);
        break;
    case '/php-arrays-slashes-unicode':
        $flags = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE;
        $signature = hash_hmac('sha256', json_encode($array['payload'], $flags), $secret);
        break;
    case '/php-objects-slashes-unicode-lines':
        $flags = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_LINE_TERMINATORS;
        $signature = hash_hmac('sha256', json_encode($body->payload, $flags), $secret);
        break;
    case '/php-arrays-pretty':
        $signature = hash_hmac('sha256', json_encode($array['payload'], JSON_PRETTY_PRINT), $secret);
        break;
    case '/raw-body-hashed':
        $signature = hash_hmac('sha256', $raw, $secret);
        $refusal = $signature;
        break;
    // MENDED
}
http_response_code(hash_equals($signature, $array['signature']) ? 204 : 401);
echo $refusal;
