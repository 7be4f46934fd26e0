<?php
// Reads a list of JSON texts on stdin; prints what PHP's json_encode makes of each, in base64.
$flags = [
    '' => 0,
    '-slashes' => JSON_UNESCAPED_SLASHES,
    '-unicode' => JSON_UNESCAPED_UNICODE,
    '-slashes-unicode' => JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE,
    '-slashes-unicode-lines' =>
        JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_LINE_TERMINATORS,
    '-slashes-unicode-zero' =>
        JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION,
    '-pretty' => JSON_PRETTY_PRINT,
    '-slashes-unicode-pretty' =>
        JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRETTY_PRINT,
    '-numeric' => JSON_NUMERIC_CHECK,
    '-hex' => JSON_HEX_TAG | JSON_HEX_AMP | JSON_HEX_APOS | JSON_HEX_QUOT,
];
$rows = [];
foreach (json_decode(stream_get_contents(STDIN)) as $text) {
    foreach (['objects' => false, 'arrays' => true] as $kind => $associative) {
        $payload = json_decode($text, $associative);
        $failed = json_last_error() !== JSON_ERROR_NONE;
        foreach ($flags as $name => $flag) {
            $written = $failed ? false : json_encode($payload, $flag);
            $rows["php-$kind$name"][] = $written === false ? null : base64_encode($written);
        }
    }
}
echo json_encode(['version' => 'PHP ' . PHP_VERSION, 'rows' => $rows]);
