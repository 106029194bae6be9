using System.Globalization;
using System.Text.Json.Nodes;

namespace Checksum;

/// <summary>Structured logs: one JSON object per line, as common/logs.py writes them.</summary>
internal static class Logs
{
    private static readonly string[] Levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

    /// <summary>Writes a line if LOG_LEVEL lets it through.</summary>
    internal static void Write(string level, string message, string requestId, JsonObject fields)
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
            ["requestId"] = requestId,
        };
        foreach ((string name, JsonNode? value) in fields)
        {
            line[name] = value?.DeepClone();
        }

        Console.Out.WriteLine(line.ToJsonString());
    }

    private static string Variable(string name, string otherwise) =>
        Environment.GetEnvironmentVariable(name) ?? otherwise;
}
