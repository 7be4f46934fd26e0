// A receiver of Leanbe's webhooks in ASP.NET Core (.NET 8 or later), without packages, to start from.
//
// Unproven: leanbe-emitter's tests have no .NET, so this receiver was written and never run.
//
//   dotnet new web --output receiver && mv receiver.cs receiver/Program.cs
//   LEANBE_WEBHOOK_SECRET=whsec_test dotnet run --project receiver --urls http://127.0.0.1:8000
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

var secret = Environment.GetEnvironmentVariable("LEANBE_WEBHOOK_SECRET");
if (string.IsNullOrEmpty(secret))
    throw new InvalidOperationException("LEANBE_WEBHOOK_SECRET is empty: anybody could sign.");

var builder = WebApplication.CreateBuilder(args);
builder.WebHost.ConfigureKestrel(options => options.Limits.MaxRequestBodySize = 2 * 1024 * 1024);
var app = builder.Build();
var receiver = new Receiver(Encoding.UTF8.GetBytes(secret));

app.MapPost("/hooks/leanbe", async (HttpRequest request) =>
{
    using var body = new MemoryStream();
    await request.Body.CopyToAsync(body);
    return Results.StatusCode(receiver.Receive(body.ToArray()));
});
app.Run();

class Receiver(byte[] secret)
{
    // The same event may come twice. Leanbe sends no id with it, but three values identify an event:
    // store them in your database, under a unique key, in the transaction that handles the event.
    readonly HashSet<(string Event, string? Id, string At)> seen = [];

    readonly Dictionary<string, Action<JsonElement>> handlers = new()
    {
        // Replace this by your own code.
        ["idea.created"] = idea => Console.WriteLine($"new idea: {idea.GetProperty("title").GetString()}"),
    };

    // Answer quickly: nobody knows how long Leanbe waits. Put long work into a task queue.
    public int Receive(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return Receive(document.RootElement);
        }
        catch (JsonException)
        {
            return StatusCodes.Status400BadRequest;
        }
    }

    int Receive(JsonElement envelope)
    {
        if (envelope.ValueKind != JsonValueKind.Object
            || !envelope.TryGetProperty("payload", out var payload)
            || Text(envelope, "event") is not { } name
            || Text(envelope, "triggeredAt") is not { } at)
            return StatusCodes.Status400BadRequest;
        if (Text(envelope, "signature") is not { } signature || !IsSigned(payload, signature))
            return StatusCodes.Status401Unauthorized;
        lock (seen) Once(name, at, payload);
        return StatusCodes.Status204NoContent;
    }

    // Leanbe signs the payload's text as it stands in the body. JsonSerializer would write another
    // text, for example \u003C for "<".
    bool IsSigned(JsonElement payload, string signature)
    {
        var digest = HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(payload.GetRawText()));
        var expected = Convert.ToHexString(digest).ToLowerInvariant();
        return CryptographicOperations.FixedTimeEquals(
            Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(signature));
    }

    void Once(string name, string at, JsonElement payload)
    {
        var key = (name, payload.ValueKind == JsonValueKind.Object ? Text(payload, "_id") : null, at);
        // Accept all other events, also new ones.
        if (!handlers.TryGetValue(name, out var handle) || seen.Contains(key)) return;
        handle(payload);
        seen.Add(key);
    }

    static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
