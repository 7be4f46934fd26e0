<?php
declare(strict_types=1);

require_once __DIR__ . '/emitter.php';

use PHPUnit\Framework\Attributes\TestWith;
use PHPUnit\Framework\TestCase;

final class WelcomeTest extends TestCase
{
    private static mixed $server;
    private static mixed $log;
    private static string $origin;
    private static string $secret;
    private static string $database;
    private Emitter $emitter;

    /** Start the receiver on a free port. */
    public static function setUpBeforeClass(): void
    {
        self::$secret = getenv('LEANBE_WEBHOOK_SECRET') ?: 'whsec_test';
        self::$database = tempnam(sys_get_temp_dir(), 'welcome');
        $variables = ['LEANBE_WEBHOOK_SECRET' => self::$secret, 'WELCOME_DATABASE' => self::$database];
        $command = [PHP_BINARY, '-S', '127.0.0.1:0', 'welcome.php'];
        self::$server = proc_open($command, [2 => ['pipe', 'w']], $pipes, __DIR__, $variables + getenv());
        self::$log = $pipes[2];
        preg_match('~http://[\d.:]+~', fgets(self::$log), $found);
        self::$origin = $found[0];
    }

    /** Stop it, and show its errors, without the lines about requests. */
    public static function tearDownAfterClass(): void
    {
        proc_terminate(self::$server);
        $lines = explode("\n", stream_get_contents(self::$log));
        fwrite(STDERR, implode("\n", preg_grep('/ 127\.0\.0\.1:\d+ /', $lines, PREG_GREP_INVERT)));
        unlink(self::$database);
    }

    protected function setUp(): void
    {
        file_put_contents(self::$database, '');
        $this->emitter = new Emitter();
        $this->emitter->reset();
        $hook = self::$origin . '/hooks/leanbe';
        $this->emitter->createProduct('Acme', $hook, self::$secret, ['timeout' => '3s']);
    }

    public function testANewCustomerGetsALetter(): void
    {
        $customer = ['email' => 'ana@example.com', 'firstName' => 'Ana / « Aña »'];
        $call = $this->emitter->post('products/Acme/customers', $customer);
        self::assertSame(['customer.created: delivered'], $this->answers($call));
        self::assertSame(['Ana / « Aña »'], $this->letters());
    }

    public function testAnOutageLosesNothing(): void
    {
        $this->emitter->armFault('receiver_fails', ['how' => 'status:503', 'times' => 2]);
        $call = $this->created('Ana');
        $this->emitter->advance(3600);
        [$delivery] = $this->emitter->wait($call);
        $outcomes = array_column($delivery['attempts'], 'outcome');
        self::assertSame(['refused', 'refused', 'delivered'], $outcomes);
        self::assertSame(['Ana'], $this->letters());
    }

    public function testACustomerWhoComesAgainGetsOneLetter(): void
    {
        $this->emitter->armFault('delivered_twice');
        $this->emitter->wait($this->created('Ana'));
        self::assertSame(['Ana'], $this->letters());
    }

    #[TestWith(['wrong_secret'])]
    #[TestWith(['tampered_payload'])]
    #[TestWith(['missing_signature'])]
    public function testWhatLeanbeDidNotSignIsRefused(string $kind): void
    {
        $this->emitter->armFault($kind);
        $answers = $this->answers($this->created('Ana'));
        self::assertSame(['customer.created: refused 401 bad signature'], $answers);
        self::assertSame([], $this->letters());
    }

    public function testAnEventThatNobodyKnowsIsAccepted(): void
    {
        $this->emitter->armFault('unknown_event');
        self::assertSame(['customer.created: delivered'], $this->answers($this->created('Ana')));
        self::assertSame([], $this->letters());
    }

    /** Raise one event, made up, of a customer with this name. */
    private function created(string $name): array
    {
        return $this->emitter->trigger('Acme', 'customer.created', ['firstName' => $name]);
    }

    /** Say of each delivery what came of its last attempt. */
    private function answers(array $call): array
    {
        return array_map(function (array $delivery): string {
            $attempt = end($delivery['attempts']);
            $answer = $attempt['answer'] ?? null;
            $why = $answer ? "{$answer['status']} {$answer['body']}" : $attempt['error'];
            $why = $attempt['outcome'] === 'delivered' ? '' : " $why";
            return trim("{$delivery['event']['event']}: {$attempt['outcome']}$why");
        }, $this->emitter->wait($call));
    }

    private function letters(): array
    {
        return json_decode(file_get_contents(self::$origin . '/letters'), true);
    }
}
