<?php

declare(strict_types=1);

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

const CORRELATION_ID = '/^[A-Za-z0-9._:=-]{1,128}$/D';
const TRACE = '/(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)/D';

/** An invocation: what all of its lines carry. */
final class Invocation
{
    private static bool $cold = true; // until the first one of this environment has begun

    /** @var array<string, string|bool> */
    public readonly array $members;

    /**
     * @param mixed $event its `correlationId`, else the request id, is the correlation id
     * @param string $trace the trace header, '' where there is none
     */
    public function __construct(mixed $event, string $requestId, string $trace = '')
    {
        $given = $event instanceof stdClass ? ($event->correlationId ?? null) : null;
        $valid = is_string($given) && preg_match(CORRELATION_ID, $given) === 1;
        $this->members = [
            'requestId' => $requestId,
            'correlation_id' => $valid ? $given : $requestId,
            ...(preg_match(TRACE, $trace, $found) === 1 ? ['xray_trace_id' => $found[1]] : []),
            'cold_start' => self::$cold,
        ];
        self::$cold = false;
    }
}

/** Writes one JSON object per line to standard output, in the shape of common/logs.py. */
function write_log(string $level, string $message, Invocation $invocation, array $fields): void
{
    $wanted = array_search(strtoupper(getenv('LOG_LEVEL') ?: ''), LEVELS, strict: true);
    $wanted = $wanted === false ? array_search('INFO', LEVELS, strict: true) : $wanted;
    if (array_search($level, LEVELS, strict: true) < $wanted) {
        return;
    }
    $now = new DateTimeImmutable('now', new DateTimeZone('UTC'));
    $line = [
        'timestamp' => $now->format('Y-m-d\TH:i:s.v\Z'),
        'level' => $level,
        'message' => $message,
        'service' => getenv('SERVICE_NAME') ?: 'sandpiper',
        'function' => getenv('AWS_LAMBDA_FUNCTION_NAME') ?: '',
        'version' => getenv('AWS_LAMBDA_FUNCTION_VERSION') ?: '',
        ...$invocation->members,
        ...$fields,
    ];
    file_put_contents('php://stdout', json_encode($line, JSON_THROW_ON_ERROR) . "\n");
}
