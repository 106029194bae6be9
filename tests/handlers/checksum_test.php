<?php

declare(strict_types=1);

// php tests/handlers/checksum_test.php

require __DIR__ . '/../../handlers/checksum_php/index.php';

putenv('LOG_LEVEL=FATAL');

$vectors = json_decode(file_get_contents(__DIR__ . '/../events/checksum_vectors.json'));
$failed = 0;
foreach ($vectors as $vector) {
    try {
        $answer = json_decode(json_encode(handler($vector->event, 'request-1')));
    } catch (InvalidInput $refused) {
        $answer = $refused->getMessage();
    }
    $wanted = property_exists($vector, 'error') ? $vector->error : $vector->answer;
    if ($answer != $wanted || is_string($answer) !== is_string($wanted)) {
        $failed += 1;
        echo "{$vector->name}: got ", json_encode($answer), "\n";
    }
}
echo count($vectors), " vectors, $failed failed\n";
exit($failed === 0 ? 0 : 1);
