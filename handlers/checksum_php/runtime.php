<?php

declare(strict_types=1);

/*
 * The loop of a custom runtime: takes events from Lambda's Runtime API and hands answers back.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */

require __DIR__ . '/index.php';

$api = 'http://' . getenv('AWS_LAMBDA_RUNTIME_API') . '/2018-06-01/runtime/invocation';

while (true) {
    // No timeout of PHP's own: the environment is frozen here until there is an event.
    [$text, $headers] = call("$api/next", null, -1);
    $requestId = $headers['lambda-runtime-aws-request-id'];
    try {
        $event = json_decode($text, flags: JSON_THROW_ON_ERROR);
        $answer = handler($event, $requestId, $headers['lambda-runtime-trace-id'] ?? '');
        call("$api/$requestId/response", json_encode($answer, JSON_THROW_ON_ERROR), 10);
    } catch (Throwable $error) {
        $told = ['errorType' => $error::class, 'errorMessage' => $error->getMessage()];
        call("$api/$requestId/error", json_encode($told, JSON_THROW_ON_ERROR), 10);
    }
}

/**
 * A GET, or a POST of a body; the answer's body and headers.
 *
 * @param int $timeout in seconds, -1 for none
 */
function call(string $url, ?string $body, int $timeout): array
{
    $options = ['timeout' => $timeout, 'ignore_errors' => true];
    if ($body !== null) {
        $options += [
            'method' => 'POST',
            'header' => 'Content-Type: application/json',
            'content' => $body,
        ];
    }
    $stream = fopen($url, 'r', context: stream_context_create(['http' => $options]));
    if ($stream === false) {
        throw new RuntimeException('the Runtime API does not answer');
    }
    $headers = [];
    foreach (stream_get_meta_data($stream)['wrapper_data'] as $line) {
        [$name, $value] = [...explode(':', $line, 2), ''];
        $headers[strtolower($name)] = trim($value);
    }
    $text = stream_get_contents($stream);
    fclose($stream);
    return [(string) $text, $headers];
}
