// Stands before a document store and asks Pinkpaper first. No answer means no access.
//
// What it does not do: it decides nothing, keeps no answer for the next time, and never gives more than the answer names.
//
//     PINKPAPER_URL=http://127.0.0.1:8080 PINKPAPER_KEY=pp_... dotnet run -- STORE PERSON DOCUMENT GROUND
//
// STORE is a folder with a file for each part of the paper (`report`, `appendix-a`). The parts that may be read are printed,
// and for each other part the label that stands in its place. Exit code: 0 all of it, 3 some of it, 4 none of it, 1 no answer.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;

/// There is no answer that can be relied on. Give nothing out.
public class NoAnswer : Exception
{
    public NoAnswer(string why) : base(why) { }
}

/// The same, but the same question may be put again after so long.
public sealed class Again : NoAnswer
{
    public readonly TimeSpan Wait;
    public Again(string why, TimeSpan wait) : base(why) { Wait = wait; }
}

public static class Pep
{
    static readonly TimeSpan OneTry = TimeSpan.FromSeconds(2);
    static readonly TimeSpan AllTries = TimeSpan.FromSeconds(6); // a person waits
    const int Tries = 3;
    const int Largest = 4 << 20; // bytes of an answer

    // What may be asked again: the answer did not come, or the service says that it can give none now.
    static readonly HashSet<int> AskAgain = new HashSet<int> { 408, 429, 502, 503, 504 };

    // Duties that this program carries out itself. A system with a "share" button moves `no_onward_disclosure` up here, and
    // switches the button off. A duty that stands in none of the three lists is not known, so nothing is given.
    static readonly HashSet<string> Enforced = new HashSet<string> { "mark_confidential" };

    // Duties of whoever reads: shown with the paper.
    static readonly HashSet<string> Shown = new HashSet<string>
    {
        "client_rules", "declare_private_capacity", "discuss_only_in_private", "information_security_policy",
        "monitoring_officer_advice_before_release", "no_contact_with_proceedings_officers", "no_onward_disclosure",
        "no_party_political_use", "not_until_public", "use_only_for_purpose",
    };

    // Duties of the staff who handle the request: told to them, not to the reader.
    static readonly HashSet<string> Staff = new HashSet<string>
    {
        "facts_and_options_only", "inform_member_of_refusal", "keep_request_confidential", "offer_to_all_groups",
        "process_only", "reply_within_working_days", "written_reasons_to_committee",
    };

    // One client for the life of the process. It follows no redirect: the key goes nowhere else.
    static readonly HttpClient Client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false })
    {
        Timeout = OneTry, // head and body of the answer together
        MaxResponseContentBufferSize = Largest,
    };

    /// The answer to a question, or NoAnswer.
    public static async Task<JsonElement> Ask(string url, string key, string person, string document, string ground)
    {
        string body = JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["principal"] = new Dictionary<string, string> { ["type"] = "person", ["id"] = person },
            ["action"] = "read",
            ["document"] = new Dictionary<string, string> { ["id"] = document },
            ["purpose"] = new Dictionary<string, string> { ["capacity"] = "councillor", ["ground"] = ground },
        });
        // One key for all tries: a question that was answered, and whose answer was lost, is not asked a second time.
        string idempotency = Guid.NewGuid().ToString();
        DateTime until = DateTime.UtcNow + AllTries;
        var random = new Random();
        for (int attempt = 1; ; attempt++)
        {
            TimeSpan wait;
            try
            {
                return Checked(await Once(url, key, idempotency, body), person, document);
            }
            catch (Again fault)
            {
                wait = TimeSpan.FromSeconds(0.25 * Math.Pow(2, attempt) * (0.5 + random.NextDouble() / 2));
                if (fault.Wait > wait) wait = fault.Wait;
                if (attempt == Tries || DateTime.UtcNow + wait + OneTry > until) throw;
            }
            await Task.Delay(wait);
        }
    }

    /// Sends the question once; gives the body of a 200.
    static async Task<string> Once(string url, string key, string idempotency, string body)
    {
        using (var request = new HttpRequestMessage(HttpMethod.Post, url.TrimEnd('/') + "/v1/decisions"))
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            request.Headers.Add("Idempotency-Key", idempotency);
            request.Headers.Add("X-Request-ID", idempotency);
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            try
            {
                using (HttpResponseMessage response = await Client.SendAsync(request))
                {
                    int status = (int)response.StatusCode;
                    if (AskAgain.Contains(status))
                    {
                        RetryConditionHeaderValue retry = response.Headers.RetryAfter;
                        TimeSpan wait = retry != null && retry.Delta.HasValue ? retry.Delta.Value : TimeSpan.Zero;
                        throw new Again("status " + status, wait);
                    }
                    if (status != 200) throw new NoAnswer("status " + status);
                    return await response.Content.ReadAsStringAsync();
                }
            }
            catch (HttpRequestException fault)
            {
                throw new Again("the service was not reached: " + fault.GetType().Name, TimeSpan.Zero);
            }
            catch (OperationCanceledException)
            {
                throw new Again("the answer did not come in time", TimeSpan.Zero);
            }
        }
    }

    /// The answer, if it is one to this very question and in every word known here.
    static JsonElement Checked(string text, string person, string document)
    {
        JsonElement answer;
        using (JsonDocument read = JsonDocument.Parse(text)) answer = read.RootElement.Clone();
        EachOnce(answer);
        Want(Text(answer, "document") == document, "it is about another document");
        JsonElement principal = answer.GetProperty("principal");
        Want(Text(principal, "type") == "person" && Text(principal, "id") == person, "it is about another person");
        Want(Text(answer, "action") == "read", "it is about another action");
        Want(Text(answer, "id").Length > 0, "it has no id");
        Want(Text(answer.GetProperty("log"), "receipt").Length > 0, "it has no receipt, so it may not be on record");
        var parts = new Dictionary<string, string>();
        foreach (JsonElement part in answer.GetProperty("parts").EnumerateArray())
        {
            parts.Add(Text(part, "id"), Text(part, "outcome")); // the same part twice throws
            JsonElement cut;
            if (part.TryGetProperty("redaction", out cut)) Text(cut, "label");
        }
        bool gives = parts.ContainsValue("disclose"), withholds = parts.ContainsValue("withhold");
        Want(parts.Values.All(one => one == "disclose" || one == "withhold"), "it has an outcome that is not known here");
        string outcome = Text(answer, "outcome");
        Want(
            (outcome == "allow" && gives && !withholds) || (outcome == "redact" && gives && withholds)
                || (outcome == "deny" && !gives && withholds),
            "outcome and parts do not agree");
        foreach (JsonElement duty in answer.GetProperty("obligations").EnumerateArray())
        {
            string type = Text(duty, "type");
            Want(
                Enforced.Contains(type) || Shown.Contains(type) || Staff.Contains(type),
                "it places a duty that is not known here");
            Text(duty, "text");
        }
        foreach (JsonElement more in answer.GetProperty("information").EnumerateArray()) Text(more, "text");
        answer.GetProperty("held").GetBoolean();
        return answer;
    }

    static void Want(bool holds, string why)
    {
        if (!holds) throw new NoAnswer("the answer is refused: " + why);
    }

    static string Text(JsonElement of, string member)
    {
        string text = of.GetProperty(member).GetString();
        Want(text != null, "a text is missing");
        return text;
    }

    /// A member that stands twice could be read in two ways.
    static void EachOnce(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in value.EnumerateArray()) EachOnce(item);
        }
        if (value.ValueKind == JsonValueKind.Object)
        {
            var names = new HashSet<string>();
            foreach (JsonProperty member in value.EnumerateObject())
            {
                Want(names.Add(member.Name), "a member stands twice");
                EachOnce(member.Value);
            }
        }
    }

    /// What may be read, and what stands in place of the rest.
    static string Page(JsonElement answer, string store)
    {
        var page = new StringBuilder();
        List<JsonElement> duties = answer.GetProperty("obligations").EnumerateArray().ToList();
        List<JsonElement> parts = answer.GetProperty("parts").EnumerateArray().ToList();
        bool given = parts.Any(part => Text(part, "outcome") == "disclose");
        if (given && duties.Any(duty => Text(duty, "type") == "mark_confidential")) page.Append("=== CONFIDENTIAL ===\n");
        foreach (JsonElement part in parts)
        {
            string id = Text(part, "id");
            JsonElement cut;
            if (Text(part, "outcome") == "disclose")
            {
                // Only parts that the answer names are ever opened. An id of a part is no path.
                page.Append("--- " + id + "\n" + File.ReadAllText(Path.Combine(store, Uri.EscapeDataString(id))) + "\n");
            }
            else
            {
                string label = part.TryGetProperty("redaction", out cut) ? Text(cut, "label") : "Withheld";
                page.Append("--- " + id + ": " + label + "\n");
            }
        }
        foreach (JsonElement duty in duties.Where(duty => Shown.Contains(Text(duty, "type"))))
        {
            page.Append("* " + Text(duty, "text") + "\n");
        }
        foreach (JsonElement more in answer.GetProperty("information").EnumerateArray())
        {
            page.Append("i " + Text(more, "text") + "\n");
        }
        if (answer.GetProperty("held").GetBoolean())
        {
            // A person will decide; the decision's id is what an officer looks it up by.
            page.Append("? What is withheld is with a person to decide. Reference: " + Text(answer, "id") + "\n");
        }
        return page.ToString();
    }

    public static int Main(string[] said)
    {
        if (said.Length != 4)
        {
            Console.Error.WriteLine("usage: pep STORE PERSON DOCUMENT GROUND");
            return 2;
        }
        JsonElement answer;
        string page;
        try
        {
            string url = Environment.GetEnvironmentVariable("PINKPAPER_URL");
            string key = Environment.GetEnvironmentVariable("PINKPAPER_KEY");
            answer = Ask(url, key, said[1], said[2], said[3]).GetAwaiter().GetResult();
            page = Page(answer, said[0]); // all of it is made before any of it is shown
        }
        catch (Exception fault) // whatever it is: nothing is given
        {
            Console.Error.WriteLine("pep: no access: " + (fault is NoAnswer ? fault.Message : fault.GetType().Name));
            return 1;
        }
        Console.Out.Write(page);
        foreach (JsonElement duty in answer.GetProperty("obligations").EnumerateArray())
        {
            if (Staff.Contains(Text(duty, "type"))) Console.Error.WriteLine("pep: for the staff: " + Text(duty, "text"));
        }
        // Keep these with the paper's history: the receipt shows later that the answer was on record.
        string receipt = Text(answer.GetProperty("log"), "receipt");
        Console.Error.WriteLine("pep: decision " + Text(answer, "id") + " receipt " + receipt);
        string outcome = Text(answer, "outcome");
        return outcome == "allow" ? 0 : outcome == "redact" ? 3 : 4;
    }
}
