using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Checksum;

/// <summary>Structured logs: one JSON object per line, as common/logs.py writes them.</summary>
internal static class Logs
{
    private static readonly string[] Levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

    private static readonly Regex CorrelationId = new(@"\A[A-Za-z0-9._:=-]{1,128}\z");
    private static readonly Regex Trace = new(@"(?:\A|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|\z)");

    private static int begun; // 1 once this environment has had an invocation

    /// <summary>
    /// Starts an invocation and answers what all of its lines carry: the request id, the event's
    /// <c>correlationId</c> or else the request id once more, and the trace's where there is one.
    /// </summary>
    internal static JsonObject Begin(JsonElement input, string requestId)
    {
        string given = requestId;
        if (input.ValueKind == JsonValueKind.Object
            && input.TryGetProperty("correlationId", out JsonElement member)
            && member.ValueKind == JsonValueKind.String
            && CorrelationId.IsMatch(member.GetString()!))
        {
            given = member.GetString()!;
        }

        var invocation = new JsonObject { ["requestId"] = requestId, ["correlation_id"] = given };
        Match trace = Trace.Match(Variable("_X_AMZN_TRACE_ID", ""));
        if (trace.Success)
        {
            invocation["xray_trace_id"] = trace.Groups[1].Value;
        }

        invocation["cold_start"] = Interlocked.Exchange(ref begun, 1) == 0;
        return invocation;
    }

    /// <summary>Writes a line if LOG_LEVEL lets it through.</summary>
    internal static void Write(
        string level, string message, JsonObject invocation, JsonObject fields)
    {
        int wanted = Array.IndexOf(Levels, Variable("LOG_LEVEL", "INFO").ToUpperInvariant());
        if (Array.IndexOf(Levels, level) < (wanted < 0 ? Array.IndexOf(Levels, "INFO") : wanted))
        {
            return;
        }

        string now = DateTime.UtcNow.ToString(
            "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var line = new JsonObject
        {
            ["timestamp"] = now,
            ["level"] = level,
            ["message"] = message,
            ["service"] = Variable("SERVICE_NAME", "sandpiper"),
            ["function"] = Variable("AWS_LAMBDA_FUNCTION_NAME", ""),
            ["version"] = Variable("AWS_LAMBDA_FUNCTION_VERSION", ""),
        };
        foreach ((string name, JsonNode? value) in invocation.Concat(fields))
        {
            line[name] = value?.DeepClone();
        }

        // Lambda's runtime takes WriteLine over, and puts each text into a line of its own shape.
        Console.Out.Write(line.ToJsonString() + "\n");
    }

    private static string Variable(string name, string otherwise) =>
        Environment.GetEnvironmentVariable(name) ?? otherwise;
}
