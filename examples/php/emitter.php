<?php
// A client of leanbe-emitter's API for test suites in PHP (8.0 or later), without packages.
//
//   $emitter = new Emitter();
//   $deliveries = $emitter->wait($emitter->trigger('Acme', 'idea.created', ['title' => 'Dark mode']));
//
// `leanbe-emitter exec -- phpunit` starts a server for the suite and names it in the environment.
declare(strict_types=1);

final class Emitter
{
    private string $url;

    public function __construct()
    {
        $this->url = getenv('LEANBE_EMITTER_URL') ?: 'http://127.0.0.1:5326';
    }

    /** Delete everything. The clock keeps its time. */
    public function reset(): void
    {
        $this->post('reset');
    }

    /** Create a product that sends its events to a URL; assumptions are ['timeout' => '3s'] and the like. */
    public function createProduct(string $name, string $url, string $secret, array $assumptions = []): void
    {
        $webhook = ['url' => $url, 'secret' => $secret];
        $this->post('products', ['name' => $name, 'webhook' => $webhook, 'assumptions' => (object) $assumptions]);
    }

    /** Raise one event with sample data; $set has the values that matter: ['title' => 'Dark mode']. */
    public function trigger(string $product, string $event, array $set = []): array
    {
        $path = 'products/' . rawurlencode($product) . '/events';
        return $this->post($path, ['event' => $event, 'set' => (object) $set]);
    }

    /** Wait until all that a call brought about was attempted; return the deliveries, oldest first. */
    public function wait(array $call): array
    {
        return array_reverse($this->post('deliveries/wait', ['after' => $call['cursor']])['document']['items']);
    }

    /** Move the clock: retries that fall due on the way happen. */
    public function advance(int $seconds): void
    {
        $this->post('clock/advance', ['seconds' => $seconds]);
    }

    /** Arm a fault for the next delivery; $more may have how, times, event and product. */
    public function armFault(string $kind, array $more = []): void
    {
        $this->post('faults', ['kind' => $kind] + $more);
    }

    /**
     * Post a body; return the answer's document, and the place in the server's journal before the
     * call's effects (cursor): wait() begins there.
     */
    public function post(string $path, array $body = []): array
    {
        $token = getenv('LEANBE_EMITTER_TOKEN');
        $headers = ['Content-Type: application/json', ...($token ? ["Authorization: Bearer $token"] : [])];
        $content = json_encode((object) $body, JSON_THROW_ON_ERROR);
        $request = ['method' => 'POST', 'header' => $headers, 'content' => $content, 'ignore_errors' => true];
        $answer = fopen("$this->url/api/v1/$path", 'r', false, stream_context_create(['http' => $request]));
        if (!$answer) throw new RuntimeException("$this->url does not answer");
        $lines = stream_get_meta_data($answer)['wrapper_data'];
        $document = json_decode(stream_get_contents($answer), true);
        if (explode(' ', $lines[0])[1] >= 400) {
            throw new RuntimeException("$path: {$document['detail']} " . ($document['hint'] ?? ''));
        }
        $cursors = preg_filter('/^leanbe-emitter-cursor: */i', '', $lines);
        return ['document' => $document, 'cursor' => $cursors ? end($cursors) : null];
    }
}
