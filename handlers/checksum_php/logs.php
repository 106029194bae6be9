<?php

declare(strict_types=1);

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** Writes one JSON object per line to standard output, in the shape of common/logs.py. */
function write_log(string $level, string $message, string $requestId, array $fields): void
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
        'requestId' => $requestId,
        ...$fields,
    ];
    file_put_contents('php://stdout', json_encode($line, JSON_THROW_ON_ERROR) . "\n");
}
