using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.Lambda.Core;

namespace Checksum;

/// <summary>
/// Answers the checksums of bytes, written as S3 writes its additional checksums: base64 of the
/// digest, the most significant byte first: <c>{"content": "aGVsbG8=", "algorithms": ["crc32c"]}
/// </c> is answered with <c>{"size": 5, "crc32c": "mnG7TA=="}</c>.
/// </summary>
public sealed class Function
{
    /// <summary>Takes and gives streams: no serializer has to be chosen and paid for.</summary>
    public Stream Handle(Stream input, ILambdaContext context)
    {
        using JsonDocument document = JsonDocument.Parse(input);
        JsonObject answer = Answer(document.RootElement, context);
        return new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(answer));
    }

    private static JsonObject Answer(JsonElement input, ILambdaContext context)
    {
        JsonObject invocation = Logs.Begin(input, context.AwsRequestId);
        if (input.ValueKind == JsonValueKind.Object
            && input.TryGetProperty("warming", out JsonElement warming)
            && warming.ValueKind == JsonValueKind.True)
        {
            return new JsonObject { ["warmed"] = true };
        }

        var watch = Stopwatch.StartNew();
        try
        {
            (int size, JsonObject answer) = Checksums.Of(input);
            Logs.Write("INFO", "checksums computed", invocation, new JsonObject
            {
                ["size"] = size,
                ["milliseconds"] = Math.Round(watch.Elapsed.TotalMilliseconds, 1),
            });
            return answer;
        }
        catch (InvalidInput refused)
        {
            Logs.Write("WARN", "input refused", invocation, new JsonObject
            {
                ["reason"] = refused.Message,
            });
            throw;
        }
    }
}
