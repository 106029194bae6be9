using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Checksum;

/// <summary>Says which part of the event is wrong, and repeats nothing of it.</summary>
public sealed class InvalidInput(string message) : Exception(message);

/// <summary>What the function computes, apart from Lambda.</summary>
internal static class Checksums
{
    private static readonly string[] Algorithms = ["sha256", "sha512", "crc32c"];

    /// <summary>The size in bytes; the same with one member per algorithm asked for.</summary>
    internal static (int Size, JsonObject Answer) Of(JsonElement input)
    {
        if (input.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidInput("the event must be a JSON object");
        }

        byte[] content = Decoded(input);
        var answer = new JsonObject { ["size"] = content.Length };
        foreach (string name in Named(input))
        {
            answer[name] = Convert.ToBase64String(Digest(name, content));
        }

        return (content.Length, answer);
    }

    private static byte[] Decoded(JsonElement input)
    {
        if (input.TryGetProperty("content", out JsonElement content)
            && content.ValueKind == JsonValueKind.String)
        {
            string text = content.GetString()!;
            var bytes = new byte[text.Length];
            // Encoding once more refuses what the decoder allows: white space and spare bits.
            if (Convert.TryFromBase64String(text, bytes, out int written)
                && Convert.ToBase64String(bytes, 0, written) == text)
            {
                return bytes[..written];
            }
        }

        throw new InvalidInput("content: must be base64 text");
    }

    private static List<string> Named(JsonElement input)
    {
        if (!input.TryGetProperty("algorithms", out JsonElement list))
        {
            return [.. Algorithms];
        }

        var names = new List<string>();
        if (list.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement member in list.EnumerateArray())
            {
                string? name = member.ValueKind == JsonValueKind.String ? member.GetString() : null;
                names.Add(Array.IndexOf(Algorithms, name) < 0 ? throw Refused() : name!);
            }
        }

        return names.Count > 0 ? names : throw Refused();

        static InvalidInput Refused() =>
            new("algorithms: must be a list of sha256, sha512 or crc32c");
    }

    private static byte[] Digest(string name, byte[] content) => name switch
    {
        "sha256" => SHA256.HashData(content),
        "sha512" => SHA512.HashData(content),
        _ => Crc32C(content),
    };

    private static byte[] Crc32C(byte[] content)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in content)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, ~crc);
        return bytes;
    }
}
