<?php

declare(strict_types=1);

/*
 * Checksums of bytes, written as S3 writes its additional checksums: base64 of the digest, the most
 * significant byte first.
 *
 *   {"content": "aGVsbG8=", "algorithms": ["crc32c"]}  ->  {"size": 5, "crc32c": "mnG7TA=="}
 */

require_once __DIR__ . '/logs.php';

const ALGORITHMS = ['sha256', 'sha512', 'crc32c'];

/** Says which part of the event is wrong, and repeats nothing of it. */
final class InvalidInput extends Exception
{
}

/**
 * Answers `size`, in bytes, and one member per algorithm asked for; all when the event names none.
 *
 * @param mixed $event the event, its JSON objects as stdClass: an array is a list
 */
function handler(mixed $event, string $requestId, string $trace = ''): array
{
    $invocation = new Invocation($event, $requestId, $trace);
    try {
        if (!$event instanceof stdClass) {
            throw new InvalidInput('the event must be a JSON object');
        }
        if (($event->warming ?? null) === true) {
            return ['warmed' => true];
        }
        $started = hrtime(true);
        $answer = checksums($event);
    } catch (InvalidInput $refused) {
        write_log('WARN', 'input refused', $invocation, ['reason' => $refused->getMessage()]);
        throw $refused;
    }
    $spent = round((hrtime(true) - $started) / 1e6, 1);
    $fields = ['size' => $answer['size'], 'milliseconds' => $spent];
    write_log('INFO', 'checksums computed', $invocation, $fields);
    return $answer;
}

function checksums(stdClass $event): array
{
    $content = decoded($event->content ?? null);
    $names = named(property_exists($event, 'algorithms') ? $event->algorithms : ALGORITHMS);
    $answer = ['size' => strlen($content)];
    foreach ($names as $name) {
        $answer[$name] = base64_encode(hash($name, $content, binary: true));
    }
    return $answer;
}

function named(mixed $names): array
{
    $known = static fn (mixed $name): bool => in_array($name, ALGORITHMS, strict: true);
    if (!is_array($names) || $names === [] || array_filter($names, $known) !== $names) {
        throw new InvalidInput('algorithms: must be a list of sha256, sha512 or crc32c');
    }
    return $names;
}

function decoded(mixed $text): string
{
    $content = is_string($text) ? base64_decode($text, strict: true) : false;
    // Encoding once more refuses what PHP allows: line breaks, missing padding, spare bits.
    if ($content === false || base64_encode($content) !== $text) {
        throw new InvalidInput('content: must be base64 text');
    }
    return $content;
}
